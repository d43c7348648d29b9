"""How statements are written: for help lines, where nothing better is known of one that can't be read.

Asked after `habits`, which knows what was meant. Here stands the form of the statement that a line begins, or, where
its first word begins none, those that its block is made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

FORMS: Mapping[str, tuple[str, ...]] = {
    "use": ("use std.clos", 'use "parts.ubus"', 'use Chip from "parts.ubus"'),
    "let": ("let NAME = VALUE",),
    "protocol": ("protocol NAME { lane = 100 Gbps; latency = 100 ns }",),
    "link": ("link NAME : PROTOCOL { medium = copper; reach = 2 m }",),
    "model": ("model NAME { layers = 32; hidden = 4096; … }",),
    "system": ("system NAME : TYPE", "system NAME : TYPE(racks = 2)"),
    "name": ('name rack[r] of SYSTEM = "row{r + 1:02}" for r',),
    "traffic": ("traffic NAME of SYSTEM = alltoall(all npu)",),
    "workload": ("workload NAME of SYSTEM = train(MODEL, batch = …, sequence = …)",),
    "analyze": ("analyze NAME of SYSTEM { bisection(all npu) }",),
    "scenario": ("scenario NAME of SYSTEM { fail rack[0] }",),
    "explore": ("explore NAME of SYSTEM { vary PARAMETER in 2..4; minimize cost() }",),
    "view": ("view NAME of SYSTEM { collapse rack }",),
    "expect": ("expect MEASURE >= VALUE", 'expect count(all npu) == 64 "its source"'),
    "port": ("port NAME : PROTOCOL x4", "port NAME[8] : PROTOCOL x4 @open", "port NAME = PART.PORT"),
    "connect": ("connect A[i].PORT -- B[i].PORT over LINK(1 m) for i", "connect PART.PORT as fullmesh over LINK(1 m)"),
    "transit": ("transit PORT, PORT", "transit PORT -- PORT"),
    "spare": ("spare NAME[2] : TYPE",),
    "open": ("open PART[0].PORT[4..7]",),
    "place": ("place PART as grid(columns = 8, pitch = [0.6 m, 2.4 m])",),
    "if": ("if CONDITION { … } else { … }",),
    "fail": ("fail PART[0]", "fail any 2 of all link"),
    "degrade": ("degrade PART[0].PORT to 50%",),
    "set": ("set PART.FIELD = VALUE",),
    "vary": ("vary NAME in 2..4", "vary NAME in [100 Gbps, 200 Gbps]"),
    "require": ("require MEASURE >= VALUE",),
    "minimize": ("minimize MEASURE",),
    "maximize": ("maximize MEASURE",),
    "sample": ("sample 400",),
    "show": ("show all link where medium == optical",),
    "hide": ("hide all switch",),
    "collapse": ("collapse rack",),
    "fold": ("fold PART keep 2",),
    "color": ("color link by medium", 'color npu "red"'),
    "label": ("label link by bandwidth",),
    "layout": ("layout clos",),
    "title": ('title "…"',),
    "theme": ("theme dark",),
}  # fmt: skip
_OF_BLOCK: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("SYSTEM", "NAME", "COLON"),
        "a statement of the file begins with `use`, `let`, `protocol`, `link`, `model`, a kind such as `npu` or `rack`,"
        " `system`, `name`, `traffic`, `workload`, `analyze`, `scenario`, `explore`, `view` or `expect`",
    ),
    (
        ("PORT", "NAME", "COLON"),
        "this block has lines such as a part `NAME[8] : TYPE`, a port `port NAME[8] : PROTOCOL x4`, a field"
        " `NAME = VALUE`, and `connect A -- B over LINK`",
    ),
    (
        ("FAIL", "NAME", "_NL"),
        "a scenario has `fail`, `degrade … to …`, `set … = …`, `expect`, `let` and measures such as"
        " `bisection(all npu)`",
    ),
    (
        ("VARY", "NAME", "IN"),
        "an exploration has `vary … in …`, `require`, `minimize`, `maximize`, `let`, `sample` and measures such as"
        " `bisection(all npu)`",
    ),
    (
        ("FOLD", "NAME", "_NL"),
        "a view has `show`, `hide`, `collapse`, `fold … keep …`, `color … by …`, `label … by …`, `layout`, `title` and"
        " `theme`",
    ),
    (("NAME", "LPAR"), "this block has measures such as `bisection(all npu)`, `let` and `expect`"),
    (("NAME",), "this block has fields, `NAME = VALUE`"),
)
"""What stands in a block that takes these terminals at the beginning of a statement: the first that fits."""

_WORD = re.compile(r"[A-Za-z_]\w*")


_DEVICES = frozenset(("npu", "cpu", "switch", "nic", "device"))
_BEHIND = ("NAME", "STRING", "NUMBER")
"""What follows the word that begins a statement, where it is not a name itself."""


def form_of(
    statement: str, takes: Callable[[tuple[str, ...]], bool], terminal: Callable[[str], str | None]
) -> str | None:
    """Return how the statement that a line begins is written, or what its block has; `takes` says whether terminals
    can begin a statement here, `terminal` is that of a keyword."""
    match = _WORD.match(statement)
    word = match.group() if match else ""
    mine = terminal(word)
    if mine is not None and begins_statement(mine, takes):
        forms = _forms_of_kind(word) if mine == "KIND" else FORMS.get(word, ())
        if not forms:
            return None
        return f"it is written {' or '.join(f'`{form}`' for form in forms)}"
    return next((said for probe, said in _OF_BLOCK if takes(probe)), None)


def begins_statement(terminal: str, takes: Callable[[tuple[str, ...]], bool]) -> bool:
    """Return whether the word of a terminal can begin a statement of its own, and does not stand for a name."""
    return any(takes((terminal, behind)) for behind in _BEHIND)


def _forms_of_kind(kind: str) -> tuple[str, ...]:
    inside = "port x[7] : UB x4" if kind in _DEVICES else "npu[8] : Chip"
    return (f"{kind} NAME {{ {inside} }}", f"{kind} NAME(PARAMETER = 8) {{ … }}")
