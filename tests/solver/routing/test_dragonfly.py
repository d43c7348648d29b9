"""Routings over groups: a dragonfly in closed form, as its paper has it, and by loops over packets' paths."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest

from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.answers import Answer

MACHINE = """ubus 1
protocol Unit { lane = 100 GB/s; latency = 100 ns }
link Wire : Unit { medium = copper; reach = 100 m; delay = 5 ns/m }
npu Host { port p : Unit x1 }
switch Router(ports) { latency = 100 ns; port p[ports] : Unit x1 @open }
"""
RATE = 100e9


def answers(text: str, *questions: str) -> list[Answer]:
    done = compile_text(text + f"analyze q of s {{ {'; '.join(questions)} }}\n")
    assert done.ok, [each.message for each in done.diagnostics]
    report = analyze(done, "s")
    assert not report.diagnostics, [each.message for each in report.diagnostics]
    return list(report.answers)


def refusal(text: str, question: str) -> str:
    done = compile_text(text + f"analyze q of s {{ {question} }}\n")
    said = done.diagnostics or analyze(done, "s").diagnostics
    return "\n".join(". ".join((each.message, *each.help)) for each in said)


def dragonfly(p: int, trunk: int = 1, groups: int | None = None) -> str:
    """Balanced, a = 2p = 2h."""
    count = 2 * p * p // trunk + 1 if groups is None else groups
    sizes = f"a = {2 * p}, p = {p}, h = {p}, groups = {count}, trunk = {trunk}"
    body = f"""module Machine {{
  host[{count}, {2 * p}, {p}] : Host
  fabric : std.dragonfly.Dragonfly(SIZES, switch = Router, link = Wire)
  connect host[g, r, i].p -- fabric.host[g, r, i] over Wire(2 m) for g, r, i
}}
system s : Machine
"""
    return MACHINE.replace("ubus 1\n", "ubus 1\nuse std.dragonfly\n") + body.replace("SIZES", sizes)


# ---- by loops -------------------------------------------------------------------------------------------------------


class Loops:
    """A dragonfly by its own rule of wiring, and the paths of packets in it by the steps of the paper."""

    def __init__(self, p: int, trunk: int = 1, groups: int | None = None) -> None:
        self.p, self.a, self.h = p, 2 * p, p
        self.groups = 2 * p * p // trunk + 1 if groups is None else groups
        self.trunks: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for i in range(self.groups):
            for j in range(i + 1, self.groups):
                for t in range(trunk):
                    one, two = (trunk * (j - 1) + t) // p, (trunk * i + t) // p
                    self.trunks.setdefault((i, j), []).append((one, two))
                    self.trunks.setdefault((j, i), []).append((two, one))

    def to_group(self, at: tuple[int, int], goal: int) -> list[tuple[tuple[int, int], list[object], Fraction]]:
        """Where a packet first comes to a group, with the cables on its way and how likely it is."""
        g, r = at
        if g == goal:
            return [(at, [], Fraction(1))]
        mine = [each for each in self.trunks[g, goal] if each[0] == r]
        some = mine or self.trunks[g, goal]
        found = []
        # with no cable of its own: an equal part for each local cable that leads to one, then for each of those there
        doors = sorted({one for one, _ in some})
        for door in doors:
            there = [two for one, two in some if one == door]
            for number, two in enumerate(there):
                way: list[object] = [("local", g, r, door)] if door != r else []
                way.append(("global", g, goal, door, two, number))
                found.append(((goal, two), way, Fraction(1, len(doors) * len(there))))
        return found

    def minimal(self, at: tuple[int, int], to: tuple[int, int]) -> list[tuple[list[object], Fraction]]:
        """The ways of a packet from a router to another with their chances: of those to the group the ones with fewest
        cables in all."""
        ways = []
        for (g, r), way, chance in self.to_group(at, to[0]):
            ways.append((way + ([("local", g, r, to[1])] if r != to[1] else []), chance))
        if at[0] == to[0]:
            return ways
        least = min(len(way) for way, _ in self._all(at, to))
        return self._fewest(at, to, least)

    def _all(self, at: tuple[int, int], to: tuple[int, int]) -> list[tuple[list[object], int]]:
        found = []
        for number, (one, two) in enumerate(self.trunks[at[0], to[0]]):
            way: list[object] = [("local", *at, one)] if one != at[1] else []
            way.append(("global", at[0], to[0], one, two, number))
            found.append((way + ([("local", to[0], two, to[1])] if two != to[1] else []), one))
        return found

    def _fewest(self, at: tuple[int, int], to: tuple[int, int], least: int) -> list[tuple[list[object], Fraction]]:
        """At the router an equal part for each cable that leads on, at the next one too."""
        some = [(way, one) for way, one in self._all(at, to) if len(way) == least]
        first = [str(way[0]) for way, _ in some]
        cables = sorted(set(first))
        return [(way, Fraction(1, len(cables) * first.count(str(way[0])))) for way, _ in some]

    def throughput(self, pairs: dict[tuple[int, int], Fraction], *, valiant: bool) -> float:
        """The rate at which a host injects when the fullest cable is full; hosts send `pairs` in parts of it."""
        load: dict[str, Fraction] = {}
        routers: dict[tuple[tuple[int, int], tuple[int, int]], Fraction] = {}
        for (s, t), part in pairs.items():
            key = self.router(s), self.router(t)
            routers[key] = routers.get(key, Fraction(0)) + part
            for end in (f"up {s}", f"down {t}"):
                load[end] = load.get(end, Fraction(0)) + part
        for (at, to), part in routers.items():
            for way, chance in self.over_groups(at, to) if valiant else self.minimal(at, to):
                for cable in way:
                    load[str(cable)] = load.get(str(cable), Fraction(0)) + part * chance
        return float(1 / max(load.values())) * RATE

    @cache  # noqa: B019  # lives as long as a test
    def over_groups(self, at: tuple[int, int], to: tuple[int, int]) -> list[tuple[list[object], Fraction]]:
        found = []
        for group in range(self.groups):
            for here, way, chance in self.to_group(at, group):
                for onward, then in self.minimal(here, to):
                    found.append((way + onward, chance * then / self.groups))
        return found

    def router(self, host: int) -> tuple[int, int]:
        return host // (self.a * self.p), host // self.p % self.a

    @property
    def hosts(self) -> int:
        return self.groups * self.a * self.p

    def uniform(self) -> dict[tuple[int, int], Fraction]:
        part = Fraction(1, self.hosts - 1)
        return {(s, t): part for s in range(self.hosts) for t in range(self.hosts) if s != t}

    def shift(self, k: int) -> dict[tuple[int, int], Fraction]:
        return {(s, (s + k) % self.hosts): Fraction(1) for s in range(self.hosts)}


MINIMAL, VALIANT = "routing = group_minimal", "routing = valiant(via = group)"


def test_the_figures_of_the_paper() -> None:
    """Kim et al., 2008, on 72 hosts: all of the rate of a link for uniform traffic; 1 / (a h) where each group sends to
    the next one, whose only cable all its hosts share; a half of it over a random group."""
    text, next_group = dragonfly(2), "shift(all npu, k = 8)"
    uniform, worst, over = answers(
        text,
        f"throughput(alltoall(all npu), {MINIMAL})",
        f"throughput({next_group}, {MINIMAL})",
        f"throughput({next_group}, {VALIANT})",
    )
    assert [each.kind for each in (uniform, worst, over)] == ["exact"] * 3
    assert uniform.value == pytest.approx(RATE)
    assert worst.value == pytest.approx(RATE / 8)
    assert over.value == pytest.approx(RATE / 2)


@pytest.mark.parametrize(
    ("p", "trunk", "groups"),
    [(2, 1, None), (2, 1, 5), (2, 2, None), (2, 2, 3), pytest.param(3, 1, None, marks=pytest.mark.slow)],
)
def test_against_loops(p: int, trunk: int, groups: int | None) -> None:
    text, loops = dragonfly(p, trunk, groups), Loops(p, trunk, groups)
    shifts = [2 * p * p, 1, 3]
    traffics = ["alltoall(all npu)", *(f"shift(all npu, k = {k})" for k in shifts)]
    demands = [loops.uniform(), *(loops.shift(k) for k in shifts)]
    for routing, valiant in ((MINIMAL, False), (VALIANT, True)):
        found = answers(text, *(f"throughput({traffic}, {routing})" for traffic in traffics))
        right = [loops.throughput(demand, valiant=valiant) for demand in demands]
        assert [each.value for each in found] == pytest.approx(right, rel=1e-9)


def test_group_minimal_is_not_fewest_hops() -> None:
    """From a router to one three cables away by its own group and that of the target there may be a way of two, over
    two global cables. Group-minimal takes one global cable, whatever that costs."""
    text = dragonfly(2)
    hops, minimal = answers(text, "throughput(alltoall(all npu))", f"throughput(alltoall(all npu), {MINIMAL})")
    assert hops.value < 0.9 * minimal.value


CELLS = (
    MACHINE
    + """
module Cell {
  router[2] : Router(ports = 6)
  host[2, 2] : Host
  connect router[0].p[0] -- router[1].p[0] over Wire(1 m)
  connect host[r, k].p -- router[r].p[1 + k] over Wire(1 m) for r, k
  port out = router.p[3..]
}
module Row {
  cell[3] : Cell
  connect cell[i].out[0, 1] -- cell[(i + 1) mod 3].out[1, 1] over Wire(10 m) for i
}
system s : Row
"""
)


def test_groups_are_named_or_found() -> None:
    """Assemblies that hold all switches are found; naming them gives the same."""
    found, named, over, both = answers(
        CELLS,
        f"throughput(alltoall(all npu), {MINIMAL})",
        "throughput(alltoall(all npu), routing = group_minimal(groups = all Cell))",
        f"throughput(alltoall(all npu), {VALIANT})",
        "throughput(alltoall(all npu), routing = valiant(via = group, groups = all Cell))",
    )
    assert found.value == pytest.approx(named.value)
    assert over.value == pytest.approx(both.value)
    assert "routing group_minimal(groups = all Cell)" in named.assumptions
    assert "routing valiant(via = group, groups = all Cell)" in both.assumptions


@pytest.mark.parametrize(
    ("routing", "said"),
    [
        ("group_minimal(groups = all Host)", "groups are assemblies"),
        ("group_minimal(groups = all switch)", "groups are assemblies"),
        ("group_minimal(groups = cell[0])", "at least two groups are wanted"),
        ("group_minimal(groups = all rack)", "matches nothing"),
        ("group_minimal(via = end)", "`group_minimal` takes `groups`"),
        ("valiant(groups = all Cell)", "`groups` goes with `via = group`"),
        ("valiant(via = groups)", "did you mean `group`?"),
        ("group_minimum", "did you mean `group_minimal`?"),
    ],
)
def test_what_is_asked_wrongly(routing: str, said: str) -> None:
    assert said in refusal(CELLS, f"throughput(alltoall(all npu), routing = {routing})")


def test_where_there_are_no_groups() -> None:
    star = (
        MACHINE
        + """module M {
  host[4] : Host
  hub : Router(ports = 4)
  connect host[i].p -- hub.p[i] over Wire(1 m) for i
}
system s : M
"""
    )
    assert "name the groups" in refusal(star, f"throughput(alltoall(all npu), {MINIMAL})")
    planes = (
        MACHINE.replace("npu Host { port p : Unit x1 }", "npu Host { port p[2] : Unit x1 }")
        + """
module Plane {
  leaf  : Router(ports = 4)
  spine : Router(ports = 4)
  connect leaf.p[3] -- spine.p[0] over Wire(1 m)
  port host = leaf.p[0..2]
}
module M {
  host[3] : Host
  plane[2] : Plane
  connect host[i].p[k] -- plane[k].host[i] over Wire(1 m) for i, k
}
system s : M
"""
    )
    assert "no cable joins two of the 2 groups" in refusal(planes, f"throughput(alltoall(all npu), {VALIANT})")


def test_after_failures_the_way_is_longer_or_there_is_none() -> None:
    """Without its cable to the next group, traffic takes two global cables, through a third one."""
    text = (
        dragonfly(2)
        + """
scenario Cut of s {
  fail fabric.router[0, 0] -- fabric.router[1, 0]
  throughput(shift(all npu, k = 8), routing = group_minimal)
}
"""
    )
    report = analyze(compile_text(text), "s")
    (found,) = (each for each in report.answers if each.block == "scenario Cut")
    assert 0 < found.value <= RATE / 8


def test_the_load_at_a_stated_rate_is_that_of_the_loops() -> None:
    loops = Loops(2)
    (found,) = answers(dragonfly(2), f"load(alltoall(all npu), {VALIANT}, rate = 10 GB/s)")
    assert found.value == pytest.approx(10e9 / loops.throughput(loops.uniform(), valiant=True))
