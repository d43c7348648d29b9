"""The matrix of cables: counted against the fabric cable by cable."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.render.legible import readable
from tests.support.asked import compiled
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.figures.heat import join_parts
from unifiedbus_dsl.figures.matrix import all_parts, cable_matrix, count_cables
from unifiedbus_dsl.render.marks import Text

SYSTEMS = (
    ("nvidia/gb200-nvl72", "rack"),
    ("nvidia/dgx-superpod", "b200_2su"),
    ("huawei/ub-mesh", "pod"),
    ("huawei/atlas-900-superpod", "superpod"),
    ("textbook/dragonfly", "dragonfly"),
    ("textbook/torus", "torus3d"),
    ("textbook/ring", "ring"),
)


@pytest.mark.parametrize(("spec", "system"), SYSTEMS)
def test_cables_are_those_of_the_fabric(spec: str, system: str) -> None:
    """Parts hold every device once, and each cell has the cables between its two, by a walk over all of them."""
    fabric = compiled(spec).fabric(system)
    found = all_parts(fabric.plan)
    assert [part.start for part in found] == [0, *(part.stop for part in found[:-1])]
    assert found[-1].stop == fabric.device_count
    blocks = join_parts(found)
    counts = count_cables(fabric, blocks)
    holder = {d: n for n, block in enumerate(blocks) for part in block for d in range(part.start, part.stop)}
    walked: Counter[tuple[int, int]] = Counter()
    for a, b in zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True):
        walked[min(holder[a], holder[b]), max(holder[a], holder[b])] += 1
    assert {(i, j): int(counts[i, j]) for i, j in np.argwhere(np.triu(counts)).tolist()} == dict(walked)
    assert (counts == counts.T).all()


@pytest.mark.parametrize(("spec", "system"), SYSTEMS)
def test_it_can_be_read(spec: str, system: str) -> None:
    picture = cable_matrix(compiled(spec).fabric(system))
    readable(picture)
    shown = [m.text for m in picture.marks if isinstance(m, Text) and m.role == "value"]
    assert shown
    assert "0" not in shown, "where no cable joins two, the cell is empty"


def test_what_stands_outside_of_racks_is_a_part_too() -> None:
    plan = compiled("huawei/atlas-950-superpod").pick("superpod")
    names = [part.name for part in all_parts(plan)]
    assert len(names) == 160
    assert {name.partition("[")[0] for name in names} == {"cabinet", "inter"}


BREAKOUTS = """ubus 1
protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Split : Eth { medium = copper; reach = 9 m }
nic Nic { port p : Eth x4 @open }
switch Tor { port q[8, 2] : Eth x4 @open @cage }
rack Row { nic[4] : Nic; tor : Tor; port net = nic.p; port q = tor.q }
superpod Pod {
  row[2] : Row
  connect row[0].q[c, h] -- row[0].net[2*c + h] over Split(1 m) for c in 0..<2, h
  connect row[0].q[c, h] -- row[1].net[2*c + h - 4] over Split(3 m) for c in 2..<4, h
  connect row[0].q[5, h] -- row[1].q[5, h] over Split(3 m) for h
}
system pod : Pod
"""


def test_a_breakout_cable_is_one_cable() -> None:
    """Two break out inside the first row, two to the second; one has its two links between the same cages."""
    fabric = compile_text(BREAKOUTS, "pod.ubus").fabric()
    assert fabric.cable_count == 10
    assert count_cables(fabric, join_parts(all_parts(fabric.plan))).tolist() == [[2, 3], [3, 0]]
    shown = [mark.text for mark in cable_matrix(fabric).marks if isinstance(mark, Text)]
    assert shown[shown.index("cables inside one") - 1] == "2"
    assert shown[shown.index("cables between two") - 1] == "3"
