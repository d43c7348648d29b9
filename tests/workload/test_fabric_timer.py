"""Exchanges on the fabric as without any of what saves time: no symmetry, no part of the machine, nothing shared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.from_fabric import arc_kinds
from unifiedbus_dsl.graph.symmetry import arrays_of, trivial_symmetry
from unifiedbus_dsl.measures.registry import schedules
from unifiedbus_dsl.measures.workloads.fabric_timer import FLAT, USUAL, FabricTimer
from unifiedbus_dsl.measures.workloads.used_part import used_part
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives.completion_time import CollectiveTimer
from unifiedbus_dsl.solver.collectives.dimensions import fill_box
from unifiedbus_dsl.solver.collectives.step_time import relax_latencies, step_timing
from unifiedbus_dsl.solver.demand import pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.layout import ORDER, Layout

TEXT = """ubus 1
protocol Wire {{ lane = 100 Gbps; latency = 100 ns }}
link Cable : Wire {{ medium = copper; reach = 100 m; delay = 5 ns/m }}
npu Chip {{ port up : Wire x4 }}
switch Leaf {{ port down[{chips}] : Wire x4; port up[{spines}] : Wire x4 }}
switch Spine {{ port down[{boards}] : Wire x4; port up[{cores}] : Wire x2 }}
switch Core {{ port down[{pods}, {spines}] : Wire x2 }}
node Board {{
  chip[{chips}] : Chip
  leaf : Leaf
  connect chip[i].up -- leaf.down[i] over Cable(1 m) for i
  port up = leaf.up
}}
rack Pod {{
  board[{boards}] : Board
  spine[{spines}] : Spine
  connect board[i].up[k] -- spine[k].down[i] over Cable(2 m) for i, k
  port up = spine.up
}}
superpod Machine {{
  core[{cores}] : Core
  pod[{pods}] : Pod
  connect pod[i].up[k, j] -- core[j].down[i, k] over Cable(10 m) for i, k, j
}}
system m : Machine
"""


def machine(pods: int, boards: int, chips: int, spines: int, cores: int) -> NetworkContext:
    text = TEXT.format(pods=pods, boards=boards, chips=chips, spines=spines, cores=cores)
    return NetworkContext(compile_text(text).fabric())


def random_layout(random: np.random.Generator, ends: int) -> Layout:
    """Powers of two along random axes in a random order."""
    sizes = dict.fromkeys(("tensor", "context", "pipeline", "data"), 1)
    while ends > 1:
        sizes[str(random.choice(list(sizes)))] *= 2
        ends //= 2
    stage = sizes["tensor"] * sizes["context"] * sizes["data"]
    expert = 2 ** int(random.integers(0, stage.bit_length()))
    return Layout(**sizes, expert=expert, order=tuple(random.permutation(ORDER).tolist()))  # type: ignore[arg-type]


def plainly(context: NetworkContext, ends: Ints, layout: Layout, exchange: Exchange) -> float:
    """Return the time of an exchange on the whole machine, each flow for itself."""
    whole = relax_latencies(context.network, arc_kinds(context.fabric))[0]
    symmetry = trivial_symmetry(whole)
    if exchange.pattern == "shift":
        source, target = (ends[each] for each in layout.next_stage(exchange.wrap))
        step = step_timing(symmetry, pairs(source, target))
        return step.per_byte_s * exchange.size_bytes + step.latency_s
    group = np.full(context.network.ends, -1, dtype=np.int64)
    group[ends] = np.random.default_rng(1).permutation(len(ends))[layout.groups(exchange.axis)]
    timer = CollectiveTimer(symmetry, group, arrays=arrays_of(context.fabric.plan), schedules=schedules())
    if exchange.pattern in ("dispatch", "combine"):
        return timer.time("alltoall", "direct", exchange.size_bytes).time_s
    times: list[float] = []
    for names in ((*USUAL, "direct"), FLAT):
        for name in names if not times else ():
            try:
                times.append(timer.time(exchange.pattern, name, exchange.size_bytes).time_s)
            except NotAdmittedError:
                continue
    return min(times)


def all_exchanges(layout: Layout) -> list[Exchange]:
    found = [
        Exchange("data", axis, pattern, 1e6)
        for axis in ("tensor", "context", "replica", "expert_replica")
        for pattern in ("allreduce", "allgather", "reducescatter")
        if layout.size(axis) > 1
    ]
    if layout.expert > 1:
        found += [Exchange("expert", "expert", "dispatch", 1e6), Exchange("expert", "expert", "combine", 2e6)]
    if layout.pipeline > 1:
        found += [Exchange("pipeline", "pipeline", "shift", 1e6, wrap=wrap) for wrap in (False, True)]
    return found


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_exchanges_take_as_long_as_without_symmetry(seed: int) -> None:
    """Random layouts of random machines one after another, on all end points and on those of the first pods."""
    random = np.random.default_rng(seed)
    pods, boards, chips = (2 ** int(random.integers(low, 3)) for low in (1, 0, 1))
    context = machine(pods, boards, chips, int(random.integers(1, 3)), int(random.integers(1, 3)))
    for used in (pods, pods // 2, 1):
        ends = np.arange(used * boards * chips)
        for _ in range(3):
            layout = random_layout(random, len(ends))
            timer = FabricTimer(context, ends, layout, 1.0)
            for each in all_exchanges(layout):
                assert timer(each) == pytest.approx(plainly(context, ends, layout, each), rel=1e-9), (layout, each)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_exchanges_of_a_damaged_machine(seed: int) -> None:
    """A core less, and some cables of random spines: on all end points and on those of the first pod."""
    random = np.random.default_rng(seed)
    whole = machine(4, 2, 2, 2, 3)
    fabric = whole.fabric
    core = np.flatnonzero((fabric.a_device == 0) | (fabric.b_device == 0))
    between = np.flatnonzero((fabric.a_device < 3) | (fabric.b_device < 3))
    context = whole.damaged(lost_cables=np.union1d(core, random.choice(between, 3, replace=False)))
    for used in (4, 1):
        ends = np.arange(used * 4)
        layout = random_layout(random, len(ends))
        timer = FabricTimer(context, ends, layout, 1.0)
        for each in all_exchanges(layout):
            assert timer(each) == pytest.approx(plainly(context, ends, layout, each), rel=1e-9), (layout, each)


def test_groups_have_the_same_numbers_in_all_layouts() -> None:
    """What two layouts share is timed once."""
    one, two = Layout(tensor=4, data=2, pipeline=2), Layout(tensor=4, context=2, data=2)
    assert one.groups("tensor").tolist() == two.groups("tensor").tolist() == np.repeat(np.arange(4), 4).tolist()
    context, ends = machine(2, 2, 4, 1, 1), np.arange(16)
    for layout in (one, two):
        FabricTimer(context, ends, layout, 1.0).time(Exchange("tensor", "tensor", "allgather", 1e6))
    assert len(used_part(context, ends)._timers) == 1


def test_the_part_that_is_not_used_is_cut_off() -> None:
    """One or two of five pods have all shortest paths of their end points, with the cores that come first."""
    context = machine(5, 2, 2, 2, 1)
    first = used_part(context, np.arange(4))
    assert first.network.vertices == 1 + 4 + 2 + 2
    assert used_part(context, np.arange(8)).network.vertices == 1 + 2 * (4 + 2 + 2)
    assert used_part(context, np.arange(12)).network.vertices == context.network.vertices
    assert used_part(context, np.array([0, 19])).network.vertices == context.network.vertices


LINE = """ubus 1
protocol Wire {{ lane = 100 Gbps }}
link Cable : Wire {{ medium = copper; reach = 100 m }}
npu Chip {{ port left : Wire x4 @open; port right : Wire x4 @open; port up : Wire x4 @open; transit left, right }}
switch Hub {{ port p[{ways}] : Wire x4; port spare[20] : Wire x4 }}
switch Spare {{ port p : Wire x4 }}
rack Line {{
  chip[5] : Chip
  connect chip[i].right -- chip[i + 1].left over Cable(1 m) for i in 0..3
  hub : Hub
  connect chip[i].up -- hub.p[i] over Cable(1 m) for i in 0..{last}
  spare[20] : Spare
  connect spare[i].p -- hub.spare[i] over Cable(1 m) for i
}}
system m : Line
"""


@pytest.mark.parametrize("ways", [5, 2])
def test_what_paths_leave_is_not_cut_off(ways: int) -> None:
    """Five chips in a line are joined by a hub as well, which is behind them: from first to last over the hub."""
    context = NetworkContext(compile_text(LINE.format(ways=ways, last=ways - 1)).fabric())
    assert used_part(context, np.arange(5)).network.vertices == context.network.vertices
    layout, shift = Layout(pipeline=5), Exchange("pipeline", "pipeline", "shift", 1e6, wrap=True)
    found = FabricTimer(context, np.arange(5), layout, 1.0)(shift)
    assert found == pytest.approx(plainly(context, np.arange(5), layout, shift), rel=1e-9)


SPECS = Path(__file__).parents[2] / "specs" / "huawei"
TWO = """ubus 1
use Atlas950SuperCluster from "atlas-950-supercluster.ubus"
system two : Atlas950SuperCluster(pods = 2)
"""


@pytest.mark.slow
def test_a_step_on_two_of_64_superpods(tmp_path: Path) -> None:
    """As on a cluster of two, which is the part that is used, but for the latency of shorter fibres; the whole process
    under ten seconds of an idle processor, of which a busy one may take twice."""
    program = """
from tests.workload.test_model import LLAMA
from unifiedbus_dsl import compile, solve
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.training import Training
fabric = compile(PATH).fabric()
asked = Training(LLAMA["405B"], batch=2048, sequence=8192, microbatch=1, precision="fp8", shard="optimizer",
                 layout=Layout(tensor=8, pipeline=16, data=128))
step = solve.training_step(fabric, asked, "all npu in pod[0..1]")
import time
print(step.step_s, step.bound_s, time.process_time())
"""
    for folder in SPECS.parent.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    (tmp_path / "huawei").unlink()
    (tmp_path / "huawei").mkdir()
    for spec in SPECS.iterdir():
        (tmp_path / "huawei" / spec.name).symlink_to(spec)
    (tmp_path / "huawei" / "two.ubus").write_text(TWO)
    rows = []
    for path in (SPECS / "atlas-950-supercluster.ubus", tmp_path / "huawei" / "two.ubus"):
        text = program.replace("PATH", repr(str(path)))
        out = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
        rows.append([float(each) for each in out.split()])
    assert rows[0][0] == pytest.approx(rows[1][0], rel=1e-3)
    assert rows[0][1] == pytest.approx(rows[1][1], rel=1e-9)
    assert rows[0][2] < 20


# ---- boxes ----------------------------------------------------------------------------------------------------------


def boxed(members: Ints, place: Ints, rooted: bool) -> list[dict[tuple[int, ...], int]] | None:
    """Return each group's members by their places counted along each dimension, in plain loops; None where they fill no
    box, or boxes of several shapes."""
    boxes, shapes = [], set()
    for row in members.tolist():
        values = [sorted({int(place[e, k]) for e in row}) for k in range(place.shape[1])]
        shape = tuple(len(each) for each in values)
        box = {}
        for e in row:
            at = [each.index(int(place[e, k])) for k, each in enumerate(values)]
            first = [each.index(int(place[row[0], k])) for k, each in enumerate(values)] if rooted else [0] * len(at)
            box[tuple((a - f) % s for a, f, s in zip(at, first, shape, strict=True) if s > 1)] = e
        if len(box) != len(row) or np.prod(shape) != len(row):
            return None
        boxes.append(box)
        shapes.add(shape)
    return boxes if len(shapes) == 1 else None


@pytest.mark.parametrize("rooted", [False, True])
def test_boxes_are_filled_as_in_plain_loops(rooted: bool) -> None:
    random = np.random.default_rng(7)
    filled = 0
    for _ in range(300):
        sides = random.integers(1, 4, 3)
        place = np.stack(np.unravel_index(np.arange(np.prod(sides)), sides), axis=1)
        place = place[random.permutation(len(place))] * random.integers(1, 3)
        size = int(random.choice([k for k in range(1, len(place) + 1) if len(place) % k == 0]))
        order = random.permutation(len(place)) if random.random() < 0.3 else np.lexsort(place.T)
        members = order.reshape(-1, size)
        wanted = boxed(members, place, rooted)
        try:
            found = fill_box(members, place, rooted)
        except NotAdmittedError:
            assert wanted is None
            continue
        assert wanted is not None
        filled += 1
        for box, row in zip(wanted, found, strict=True):
            assert {at: int(row[at]) for at in np.ndindex(row.shape)} == box
    assert 100 < filled < 300
