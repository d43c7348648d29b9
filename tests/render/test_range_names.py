"""Names of what stands folded between the elements that are drawn: subscripts of what is there."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.ir.plan import Child
from unifiedbus_dsl.render.folded.block import range_name

TEXT = """ubus 1
protocol P {{ lane = 8 Gbps }}
link W : P {{ medium = copper; reach = 1 m }}
npu N {{ port p[24] : P x1 @open }}
rack R {{ n[{shape}] : N; connect n.p as fullmesh over W(1 m) }}
system s : R
"""


def array(shape: str) -> Child:
    plan = compile_text(TEXT.format(shape=shape)).plan
    return plan.assemblies[plan.root].children[0]


@pytest.mark.parametrize(
    ("shape", "prefix", "low", "high", "name"),
    [
        ("8", (), 2, 6, "n[2..6]"),
        ("8", (), 2, 2, "n[2]"),
        ("8 except 3", (), 2, 6, "n[2..7]"),  # 3 is not there
        ("3, 8", (1,), 2, 6, "n[1, 2..6]"),
        ("3, 8", (), 0, 1, "n[0..1, *]"),
        ("3, 4 except [1, 1]", (), 2, 9, "n[0, 2] … [2, 2]"),
        ("3, 4 except [1, 1]", (), 4, 6, "n[1, 0..3]"),
        ("3, 4 except [1, 1]", (), 0, 7, "n[0, 0] … [2, 0]"),
    ],
)
def test_names_are_of_what_is_there(shape: str, prefix: tuple[int, ...], low: int, high: int, name: str) -> None:
    assert range_name(array(shape), prefix, low, high) == name
