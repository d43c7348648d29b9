"""Both SuperClusters down to each cable, told again in plain arrays of numbers.

Devices are numbered by hand as `docs/ir-file.md` says: children in order of name, row-major; ports likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from attrs import frozen
from numpy.typing import NDArray

from tests import comparison
from tests.support import asked
from unifiedbus_dsl.analysis.report.summary import summary_of
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import Compilation, compile
from unifiedbus_dsl.ir.fabric.names import device_names
from unifiedbus_dsl.render.overview import overview_set

HUAWEI = Path(__file__).parent.parent / "specs" / "huawei"
Ints: TypeAlias = "NDArray[np.integer[Any]] | int"
End: TypeAlias = "tuple[Ints, Ints]"
"""Device and port."""


@frozen
class Machine:
    """The figures of one of them. A cabinet has `nics` NICs, then its NPUs, then its switch planes."""

    spec: str
    pods: int
    cabinets: int
    boards: int
    slots: int
    planes: int
    die: int
    """Ports of the first die of an NPU; those of the second follow."""
    nic_ports: int
    nics: int
    switches: int
    """High-radix switches of a pod."""
    leaves: int
    spines: int
    across: float
    """From corner to corner of the site, cabinets at both ends, along the rows of the network between SuperPoDs, m."""
    down: float
    """From both corners to that network, across its rows, m."""
    published: tuple[str, ...]

    @property
    def npus(self) -> int:
        return self.boards * self.slots

    @property
    def cabinet(self) -> int:
        return self.nics + self.npus + self.planes

    @property
    def pod(self) -> int:
        return self.cabinets * self.cabinet + self.switches

    @property
    def between(self) -> int:
        """Switches between pods, which have the first numbers: `plane` comes before `pod`."""
        return self.nics * (self.leaves + self.spines)

    @property
    def devices(self) -> int:
        return self.between + self.pods * self.pod


ATLAS_950 = Machine(
    spec="atlas-950-supercluster.ubus",
    pods=64,
    cabinets=128,
    boards=8,
    slots=8,
    planes=4,
    die=9,
    nic_ports=4,
    nics=16,
    switches=256,
    leaves=128,
    spines=64,
    across=7 * 30 + 15 * 1.25,
    down=2 * (7 * 45 + 7 * 5 + 30),
    published=("524288", "520000", "10000", "524 EFLOPS"),
)
ATLAS_960 = Machine(
    spec="atlas-960-supercluster.ubus",
    pods=65,
    cabinets=176,
    boards=11,
    slots=8,
    planes=3,
    die=10,
    nic_ports=8,
    nics=22,
    switches=264,
    leaves=130,
    spines=88,
    across=8 * 45 + 15 * 2,
    down=(7 * 60 + 10 * 5 + 30) + (6 * 60 + 10 * 5 + 30),  # the last row has two SuperPoDs only
    published=("1000000", "2 ZFLOPS", "4 ZFLOPS"),
)
BOTH = pytest.mark.parametrize("machine", [ATLAS_950, ATLAS_960], ids=["950", "960"])


def grid(*sizes: int) -> list[NDArray[Any]]:
    return list(np.ogrid[tuple(slice(size) for size in sizes)])


def cables(m: Machine) -> Iterator[tuple[End, End]]:
    """Both ends of all cables, a rule at a time."""
    p, c, b, s, t = grid(m.pods, m.cabinets, m.boards, m.slots, m.slots)
    first = m.between + p * m.pod + c * m.cabinet  # first device of a cabinet
    npu = first + m.nics
    plane = npu + m.npus
    row = np.nonzero(np.broadcast_to(s < t, (m.pods, m.cabinets, m.boards, m.slots, m.slots)))
    yield (_at(npu + m.slots * b + s, row), _at(t - 1, row)), (_at(npu + m.slots * b + t, row), _at(s, row))
    # the same, across boards
    p, c, s, a, b = grid(m.pods, m.cabinets, m.slots, m.boards, m.boards)
    column = np.nonzero(np.broadcast_to(a < b, (m.pods, m.cabinets, m.slots, m.boards, m.boards)))
    one, other = npu + m.slots * a + s, npu + m.slots * b + s
    yield (_at(one, column), _at(m.die + b - 1, column)), (_at(other, column), _at(m.die + a, column))
    _, _, b, s, k = grid(m.pods, m.cabinets, m.boards, m.slots, m.planes)
    up = 7 + k if m.planes == 3 else 7 + k % 2 + m.die * (k // 2)
    yield (npu + m.slots * b + s, up), (plane + k, m.slots * b + s)

    p, c, n = grid(m.pods, m.cabinets, m.nics)
    first = m.between + p * m.pod + c * m.cabinet
    k, place = (n // 4, n % 4) if m.planes == 4 else (n % 3, n // 3)
    yield (first + n, 0), (first + m.nics + m.npus + k, m.npus + place)
    leaf = n * (m.leaves + m.spines) + 2 * p + c // (m.cabinets // 2)
    yield (first + n, 1), (leaf, c % (m.cabinets // 2))

    p, c, k, u = grid(m.pods, m.cabinets, m.planes, m.npus)
    plane = m.between + p * m.pod + c * m.cabinet + m.nics + m.npus + k
    yield (plane, m.npus + m.nic_ports + u), (m.between + p * m.pod + m.cabinets * m.cabinet + m.npus * k + u, c)

    n, one, two = grid(m.nics, m.leaves, m.spines)
    base = n * (m.leaves + m.spines)
    yield (base + one, m.cabinets // 2 + two), (base + m.leaves + two, one)


def _at(values: NDArray[Any], where: tuple[NDArray[Any], ...]) -> NDArray[np.int64]:
    return np.asarray(values[tuple(at if size > 1 else 0 for at, size in zip(where, values.shape, strict=True))])


def codes(one: End, other: End) -> NDArray[np.int64]:
    """A number for each cable, whichever end comes first."""
    ends = [np.asarray(device, np.int64) * 1024 + port for device, port in (one, other)]
    return np.ravel(np.minimum(*ends) * 2**31 + np.maximum(*ends))


def compiled(machine: Machine) -> Compilation:
    return compile(HUAWEI / machine.spec)


@pytest.mark.slow
@BOTH
def test_every_cable(machine: Machine) -> None:
    fabric = compiled(machine).fabric()
    assert fabric.device_count == machine.devices
    ours = codes((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port))
    theirs = np.concatenate([codes(*rule) for rule in cables(machine)])
    assert len(ours) == len(theirs)
    ours.sort()
    theirs.sort()
    assert np.array_equal(ours, theirs)
    assert bool((ours[1:] > ours[:-1]).all()), "the same cable twice"


@BOTH
def test_numbers_stand_for_names(machine: Machine) -> None:
    """The numbering by hand means the devices that the names say."""
    plan = compiled(machine).plan
    m = machine
    cabinet = m.between + 3 * m.pod + 5 * m.cabinet
    between = f"plane[{'2, 1' if m.planes == 4 else '9'}]"
    names = {
        9 * (m.leaves + m.spines) + 17: f"{between}.leaf[17]",
        9 * (m.leaves + m.spines) + m.leaves + 17: f"{between}.spine[17]",
        cabinet + 9: f"pod[3].cabinet[5].nic[{'2, 1' if m.planes == 4 else '9'}]",
        cabinet + m.nics + m.slots * 7 + 2: "pod[3].cabinet[5].npu[7, 2]",
        cabinet + m.nics + m.npus + 1: "pod[3].cabinet[5].plane[1]",
    }
    assert device_names(plan, list(names)).tolist() == list(names.values())


@BOTH
def test_published_figures(machine: Machine) -> None:
    """Each is an expectation with its source, and holds."""
    held = [each for each in compiled(machine).expectations if each.source and "keynote" in each.source]
    for figure in machine.published:
        assert [each.text for each in held if figure in each.text and each.holds], figure


@BOTH
def test_the_plan_is_enough(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking, summing up, drawing and what the plan answers do not expand the machine."""

    def expand(*_: object) -> None:
        raise AssertionError("the fabric was made")

    monkeypatch.setattr("unifiedbus_dsl.ir.fabric.expand.expand", expand)
    done = compiled(machine)
    assert done.ok
    assert sum(row.cables for row in summary_of(done).cables) == done.plan.numbering.cable_count[done.plan.root]
    assert "cluster.svg" in overview_set(done.plan)
    asked = "mean_hops(all npu); throughput(alltoall(all npu)); throughput(alltoall(all npu), routing = optimal)"
    answers = ask(done, "cluster", asked).answers
    assert [answer.origin for answer in answers] == ["plan"] * 3
    assert [answer.detail.get("deadlock") for answer in answers] == [None, "not looked at", None]
    with pytest.raises(AssertionError):
        assert len(done.fabric().kind)


# ---- their rows of the comparison, parts of which take minutes to make ----------------------------------------------

LINK = 0.9375 * 56
"""What a port of x4 carries after coding, GB/s."""


def row(machine: Machine) -> dict[str, str]:
    """The row of `docs/comparison.md` about bandwidth and distance, by the heads of its columns."""
    title = "Bandwidth and distance"
    heads = next(heads for each, heads, _ in comparison.TABLES if each == title)
    name = next(name for spec, _, name in asked.MACHINES if machine.spec == f"{spec.partition('/')[2]}.ubus")
    lines = comparison.lines_of(comparison.PAGE.read_text(encoding="utf-8"))[title]
    line = next(line for line in lines if line.startswith(f"| {name} |"))
    return dict(zip(heads, line.removeprefix("| ").removesuffix(" |").split(" | "), strict=True))


def ends_of(cell: str) -> tuple[float, float]:
    """Both ends of a cell, GB/s."""
    found = [float(part.split()[0]) * {"GB/s": 1, "TB/s": 1000}[part.split()[1]] for part in cell.split(" to ")]
    return found[0], found[-1]


@BOTH
def test_bandwidths_of_the_comparison(machine: Machine) -> None:
    """NICs hold up what leaves a SuperPoD: all-to-all, and a cut that halves the SuperPoDs."""
    m, shown = machine, row(machine)
    npus = m.pods * m.cabinets * m.npus
    # equal parts go to each plane of a cabinet, of which some have a NIC less; and this share to other SuperPoDs
    outwards = m.planes * (m.nics // m.planes) * LINK / m.npus
    away = (npus - npus / m.pods) / (npus - 1)
    assert ends_of(shown["all-to-all"]) == (pytest.approx(outwards / away, rel=1e-3),) * 2
    cables = m.pods // 2 * m.cabinets * m.nics
    if m.pods % 2:  # half of the cabinets of one SuperPoD, cut between NPUs and their planes, which saves the NICs
        cables += m.cabinets // 2 * m.npus * m.planes
    assert ends_of(shown["bisection"]) == (pytest.approx(cables * LINK / npus, rel=1e-3),) * 2
    ports = (m.slots - 1) + (m.boards - 1) + m.planes
    low, high = ends_of(shown["all-reduce"])  # rings along all cables of an NPU; NICs, too, could send
    assert low == pytest.approx(ports * LINK, rel=5e-4)
    assert low <= high <= (ports + 2 * m.nics / m.npus) * LINK * 1.001


@BOTH
def test_distances_of_the_comparison(machine: Machine) -> None:
    """The farthest NPUs are in opposite corners: NPU, plane, NIC, leaf, spine, leaf, NIC, plane, NPU. Planes stand all
    along the row between SuperPoDs, so no other pair has a longer way to the nearest of them."""
    m, shown = machine, row(machine)
    assert shown["diameter"] == "8"
    ports = 4 * 40 + 4 * 150  # ns, UB and UBoE
    switches = 2 * 110 + 3 * 400
    traces = 4 * 0.8 * 6.5
    fibres = (m.across + m.down + 2 * 10 + 2 * 30) * 5  # with 10 m of slack, and 30 m within the planes
    number, unit = shown["latency, at most"].split()
    assert (float(number), unit) == (pytest.approx((ports + switches + traces + fibres) / 1000, rel=2e-4), "us")
