"""A machine whose every text is hostile, beside the same machine with tame names.

The plan is compiled from a text in which each name begins with `Zq`; then each such name is replaced wherever it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.export import ExportInput
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.plan import Plan, serial

TEXT = """ubus 1
protocol UBZqLink { lane = 10 Gbps; latency = 100 ns }
link ZqTrace : UBZqLink { medium = copper; reach = 3 m; cost = 5 USD }
link ZqFar : UBZqLink { medium = optical; reach = 30 m }
## ZqDoc of the chip
npu ZqChip { ZqVendor = "ZqWord"; port ZqMesh[3] : UBZqLink x4; port ZqUp[2] : UBZqLink x4 }
switch ZqLeaf { port ZqDown[8] : UBZqLink x4 }
## ZqDoc of the node
node ZqNode {
  ZqNpu[4] : ZqChip
  port ZqOut = ZqNpu.ZqUp
  connect ZqNpu.ZqMesh as fullmesh over ZqTrace(0.5 m)
}
rack ZqRack {
  ZqServer[2] : ZqNode
  ZqSwitch[2] : ZqLeaf
  connect ZqServer[s].ZqOut[n, p] -- ZqSwitch[p].ZqDown[4 * s + n] over ZqFar(2 m) for s in 0..1, n in 0..3, p in 0..1
}
system ZqSystem : ZqRack
"""

PAYLOADS = (
    'x\\", URL=<javascript:alert(1)>, tooltip=<y>]; //',
    "=cmd|' /C calc'!A1",
    "../../victim/precious",
    "</script><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "$(touch pwned)`touch pwned`; touch pwned #",
    "'; import os; os.system('touch pwned') #",
    '"""\nimport os\n"""',
    "a: b\n- c\n? [d]: {e",
    "no",
    "1e3",
    "2026-01-01",
    "null",
    "n0 Nodes=evil Switches=[0-9],x",
    "end\n  subgraph evil",
    'x"]\n  click n1 call alert()',
    "${vars.secret} {shape: class}",
    "*.style.fill: red",
    "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066",
    "line\u2028two\u2029three\x85four",
    "tab\tcr\rlf\nnul\x00bell\x07del\x7f",
    "@SCRIPT@ @DATA@ @TITLE@ @WIRING@",
    "\N{PILE OF POO}\uff1dHYPERLINK()\ufffe",
    "\\N \\G \\\\ &lt;b&gt; \\",
    "$\\frac{1}$ <b>*bold*</b> _x0041_ _x005F_",
    "CON",
    "__proto__",
    "-rf",
    "+1+1",
    "@SUM(1)",
    "\t=1",
    " ",
    "z" * 300,
)


def tame() -> Plan:
    """The plan with names that are words."""
    return renamed(_written(), "ok")


def machine(payload: str) -> Plan:
    """The plan with this in each of its names."""
    return renamed(_written(), payload)


def _written() -> Plan:
    compilation = compile_text(TEXT)
    assert compilation.ok, list(compilation.diagnostics)
    return compilation.pick("ZqSystem")


def renamed(plan: Plan, payload: str) -> Plan:
    """The plan with each name made hostile: the payload before it, or after it for every second one."""
    words: dict[str, str] = {}

    def hostile(word: str) -> str:
        number = len(words)
        return words.setdefault(word, f"{payload}{number}" if number % 2 == 0 else f"Z{number}{payload}{number}")

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"Zq\w*", lambda each: hostile(each[0]), "opticalZqMedium" if value == "optical" else value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict):
            return {walk(key): walk(item) for key, item in value.items()}
        return value

    return serial.load(json.dumps(walk(json.loads(serial.dump(plan)))).encode())


def fabric_of(plan: Plan) -> Fabric:
    return expand(plan)


def subject_of(plan: Plan) -> ExportInput:
    return ExportInput(plan, lambda: expand(plan))
