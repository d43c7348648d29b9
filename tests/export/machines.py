"""Small machines that the tests of exporters share."""

from __future__ import annotations

from functools import cache

from unifiedbus_dsl import compiler
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.ir.fabric import Fabric

PARTS = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns; efficiency = 93.75% }
link Trace : UB { medium = pcb; reach = 1 m; delay = 6 ns/m }
link Copper : UB { medium = copper; reach = 2 m; delay = 4.5 ns/m; cost = 80 USD }
link Optic : UB { medium = optical; reach = 200 m; delay = 5 ns/m; optics = 2; cost = 900 USD; power = 12 W }
npu Chip {
  cost = 10000 USD
  power = 700 W
  port x[3] : UB x4
  port up[2] : UB x4
  transit x
}
"""

PODS = (
    PARTS
    + """
switch Leaf { latency = 250 ns; cost = 2000 USD; power = 300 W; port down[16] : UB x4; port up[2] : UB x4 }
switch Spine { latency = 300 ns; port p[8] : UB x4 }
node Server {
  npu[4] : Chip
  connect npu.x as fullmesh over Trace(0.4 m)
  port up = npu.up
}
rack Cabinet {
  server[4] : Server
  leaf[2]   : Leaf
  connect server[s].up[n, k] -- leaf[k].down[4*s + n] over Copper(1 m) for s, n, k
  port up = leaf.up
}
superpod Pod {
  cabinet[4] : Cabinet
  spine[2]   : Spine
  connect cabinet[c].up[k, j] -- spine[j].p[2*c + k] over Optic for c, k, j
  place cabinet as grid(columns = 2, pitch = [1 m, 3 m])
  place spine as row(pitch = 1 m, origin = [0 m, 9 m])
}
system pod : Pod
"""
)
"""4 cabinets of 4 servers of 4 NPUs: 64 NPUs, 8 leaves, 2 spines."""


@cache
def compiled(text: str) -> Compilation:
    done = compiler.compile_text(text)
    assert done.ok, [d.message for d in done.diagnostics]
    return done


def fabric(text: str = PODS) -> Fabric:
    return compiled(text).fabric()
