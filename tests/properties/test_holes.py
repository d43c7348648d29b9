"""A machine with holes is the machine written out without them: the same parts, cables and numbers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
from attrs import frozen

from unifiedbus_dsl.analysis.evaluators import evaluator_of, measure_calls
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir import plan as nodes
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.verify import verify_fabric
from unifiedbus_dsl.ir.plan import serial
from unifiedbus_dsl.ir.plan.labels import place_table, to_labels, to_places
from unifiedbus_dsl.ir.plan.verify import verify
from unifiedbus_dsl.measures.selection_synthesis import describe_devices
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.network_context import NetworkContext

SEEDS = range(60)

HEAD = """\
ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 90 m }
npu Chip { port x[9] : UB x4 @open; port up : UB x4 @open; port side[2] : UB x4 @open; transit x, up, side }
switch Core { port p[40] : UB x4 @open }
"""

At = tuple[int, ...]
Cable = tuple[tuple[str, At, str, At], tuple[str, At, str, At]]
"""Two ends: part, labels of the element, port, subscripts of the port."""


@frozen
class Drawn:
    """A random machine of one assembly: chips in an array with holes, cores in another."""

    chip: tuple[int, ...]
    gone: tuple[At, ...]
    gap: str
    core: int
    core_gone: tuple[int, ...]
    rules: tuple[str, ...]
    cables: tuple[Cable, ...]
    opens: bool

    @property
    def there(self) -> list[At]:
        return [at for at in product(*map(range, self.chip)) if at not in self.gone]

    @property
    def cores(self) -> list[int]:
        return [k for k in range(self.core) if k not in self.core_gone]


def draw(seed: int) -> Drawn:
    dice = random.Random(seed)
    rank = dice.choice((1, 1, 2))
    chip = tuple(dice.randint(2, 6 if rank == 1 else 4) for _ in range(rank))
    gone, gap = _holes(chip, dice)
    core = dice.randint(2, 4)
    core_gone = (dice.randrange(core),) if dice.random() < 0.6 else ()
    bare = Drawn(chip, gone, gap, core, core_gone, (), (), opens=False)
    names = "ij"[:rank]
    at = ", ".join(names)
    flat = "i + 0" if rank == 1 else f"{chip[1]}*i + j"
    rules = [f"connect chip[{at}].up -- core[{bare.cores[0]}].p[{flat}] over Wire(1 m) for {', '.join(names)}"]
    cables: list[Cable] = [
        (("chip", a, "up", ()), ("core", (bare.cores[0],), "p", (_flat(a, chip),))) for a in bare.there
    ]
    pattern = dice.choice(("fullmesh", "ring", "none", "rows"))
    if pattern == "fullmesh" and len(bare.there) in range(2, 11):
        rules.append("connect chip.x as fullmesh over Wire(1 m)")
        cables += _mesh(bare.there)
    if pattern == "ring" and len(bare.there) > 2:
        rules.append("connect chip.side as ring over Wire(1 m)")
        cables += _ring(bare.there)
    if pattern == "rows" and rank == 2 and not _ragged(bare):
        rules.append("connect chip[i, *].x as fullmesh over Wire(1 m) for i")
        for i in range(chip[0]):
            cables += _mesh([a for a in bare.there if a[0] == i])
    if len(bare.cores) > 1:
        # an array of cores to the chips of the first index, by the label of the core
        first = sorted({a[0] for a in bare.there})
        rules.append(
            f"connect core[k].p[30] -- core[{bare.cores[0]}].p[31 + k] over Wire(1 m) for k"
            + (f" where k != {bare.cores[0]}")
        )
        cables += [
            (("core", (k,), "p", (30,)), ("core", (bare.cores[0],), "p", (31 + k,)))
            for k in bare.cores
            if k != bare.cores[0]
        ]
        assert first
    dice.shuffle(rules)
    return Drawn(chip, gone, gap, core, core_gone, tuple(rules), tuple(cables), opens=True)


def _holes(chip: At, dice: random.Random) -> tuple[tuple[At, ...], str]:
    every = list(product(*map(range, chip)))
    if len(chip) == 1:
        gone = sorted(dice.sample(range(chip[0]), dice.randint(1, chip[0] - 1)))
        runs = f"{gone[0]}..{gone[-1]}" if len(gone) > 1 and gone[-1] - gone[0] == len(gone) - 1 else ""
        return tuple((g,) for g in gone), runs or ", ".join(map(str, gone))
    if dice.random() < 0.5:
        row = dice.randrange(chip[0])
        return tuple(a for a in every if a[0] == row), f"[{row}, *]"
    some = sorted(dice.sample(every, dice.randint(1, min(3, len(every) - 1))))
    return tuple(some), ", ".join(f"[{i}, {j}]" for i, j in some)


def _ragged(of: Drawn) -> bool:
    rows = Counter(a[0] for a in of.there)
    return len(set(rows.values())) > 1 or any(
        {a[1] for a in of.there if a[0] == i} != {a[1] for a in of.there} for i in rows
    )


def _flat(at: At, shape: At) -> int:
    return int(np.ravel_multi_index(at, shape))


def _mesh(members: list[At]) -> list[Cable]:
    return [
        (("chip", a, "x", (n - 1,)), ("chip", b, "x", (m,)))
        for m, a in enumerate(members)
        for n, b in enumerate(members)
        if m < n
    ]


def _ring(members: list[At]) -> list[Cable]:
    following = [*members[1:], members[0]]
    return [(("chip", a, "side", (0,)), ("chip", b, "side", (1,))) for a, b in zip(members, following, strict=True)]


def with_holes(of: Drawn) -> str:
    core = f"core[{of.core} except {of.core_gone[0]}]" if of.core_gone else f"core[{of.core}]"
    chip = f"chip[{', '.join(map(str, of.chip))} except {of.gap}]"
    lines = [f"  {chip} : Chip", f"  {core} : Core", *(f"  {rule}" for rule in of.rules)]
    return HEAD + "rack Box {\n" + "\n".join(lines) + "\n}\nsystem box : Box\n"


def by_hand(of: Drawn) -> str:
    """Elements counted by hand, a line for each cable."""
    places = {at: place for place, at in enumerate(of.there)}
    cores = {(k,): place for place, k in enumerate(of.cores)}

    def end(part: str, at: At, port: str, inside: At) -> str:
        place = (places if part == "chip" else cores)[at]
        return f"{part}[{place}].{port}" + (f"[{inside[0]}]" if inside else "")

    lines = [f"  chip[{len(places)}] : Chip", f"  core[{len(cores)}] : Core"]
    lines += [f"  connect {end(*a)} -- {end(*b)} over Wire(1 m)" for a, b in of.cables]
    return HEAD + "rack Box {\n" + "\n".join(lines) + "\n}\nsystem box : Box\n"


@cache
def fabric_of(text: str) -> Fabric:
    done = compile_text(text, "machine.ubus")
    assert [d.message for d in done.diagnostics if d.severity == "error"] == [], text
    return done.fabric()


def ends(of: Fabric) -> Counter[tuple[str, str]]:
    graph = of.to_networkx()
    pairs = [sorted((f"{d['a']}.{d['a_port']}", f"{d['b']}.{d['b_port']}")) for *_, d in graph.edges(data=True)]
    return Counter((a, b) for a, b in pairs)


def labelled(of: Drawn) -> Iterator[tuple[str, str]]:
    for pair in of.cables:
        texts = [
            f"{part}[{', '.join(map(str, at))}].{port}" + (f"[{inside[0]}]" if inside else "")
            for part, at, port, inside in pair
        ]
        yield min(texts), max(texts)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_machine_with_holes_is_that_written_by_hand(seed: int) -> None:
    of = draw(seed)
    holed, plain = fabric_of(with_holes(of)), fabric_of(by_hand(of))
    assert ends(holed) == Counter(labelled(of))
    assert holed.device_count == plain.device_count == len(of.there) + len(of.cores)
    assert np.array_equal(holed.device_type, plain.device_type)
    # the same device ids, so the same graph
    pairs = [
        Counter(map(frozenset, zip(f.a_device.tolist(), f.b_device.tolist(), strict=True))) for f in (holed, plain)
    ]
    assert pairs[0] == pairs[1]
    if len(of.there) < 2:
        return
    cuts = [bisection(m.symmetry, np.arange(m.network.ends)).capacity for m in map(NetworkContext, (holed, plain))]
    assert cuts[0] == cuts[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_names_go_by_labels_and_back(seed: int) -> None:
    of = draw(seed)
    fabric = fabric_of(with_holes(of))
    names = fabric.device_names(np.arange(fabric.device_count)).tolist()
    assert [fabric.device_id(name) for name in names] == list(range(fabric.device_count))
    wanted = {f"chip[{', '.join(map(str, at))}]" for at in of.there} | {f"core[{k}]" for k in of.cores}
    assert set(names) == wanted
    for at in of.gone:
        with pytest.raises(ValueError, match="left out"):
            fabric.device_id(f"chip[{', '.join(map(str, at))}]")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_with_holes_is_whole_and_comes_back(seed: int) -> None:
    fabric = fabric_of(with_holes(draw(seed)))
    verify(fabric.plan)
    verify_fabric(fabric)
    assert serial.load(serial.dump(fabric.plan)) == fabric.plan


@pytest.mark.parametrize("seed", SEEDS)
def test_sets_with_holes_are_named_so_that_they_can_be_asked(seed: int) -> None:
    of, dice = draw(seed), random.Random(seed)
    done = compile_text(with_holes(of), "machine.ubus")
    assert done.model is not None
    sink = Sink()
    selector = FabricSelector.of(done.fabric(), done.model, evaluator_of(done, sink))
    chips = np.arange(len(of.there))
    for _ in range(20):
        chosen = np.sort(np.array(dice.sample(chips.tolist(), dice.randint(1, len(chips)))))
        names = describe_devices(done.fabric(), chosen, selector.spare)
        if names:
            calls = measure_calls(f"count({' | '.join(names)})", sink)
            assert np.array_equal(selector.devices(calls[0].args[0].value), chosen), names
    assert not sink.has_errors


def test_places_and_labels_are_inverse() -> None:
    labels = nodes.Labels((3, 4), (1, 6, 7))
    child = nodes.Child("npu", (9, 2), "Chip", labels=(labels, nodes.Labels((2,))))
    there = to_labels(child, np.arange(18))
    assert to_places(child, there).tolist() == list(range(18))
    assert np.count_nonzero(to_places(child, np.arange(24)) < 0) == 6
    assert sorted(place_table(labels)) == list(range(12))


def test_the_machines_are_of_many_sorts() -> None:
    texts = [with_holes(draw(seed)) for seed in SEEDS]
    for word in ("fullmesh", "as ring", "for i\n", "*]] :", "]] :", "..", "core[4 except"):
        assert any(word in text for text in texts), word


@pytest.mark.parametrize(
    "gap", ["3", "3..5", "[1, 3]", "[0, 2, 4, 6, 8, 9]", "[9, 1, 0]", "2..<4"], ids=lambda gap: gap.replace(" ", "")
)
def test_an_index_leaves_out_what_its_range_does(gap: str) -> None:
    numbers = gap.strip("[]").replace("..<", " ").replace("..", " ").replace(",", " ").split()
    low, high = int(numbers[0]), int(numbers[-1])
    gone = {int(n) for n in numbers} if "." not in gap else set(range(low, high + ("<" not in gap)))
    text = HEAD + (
        "rack Box {\n  chip[10] : Chip\n  core : Core\n"
        f"  connect chip[i].up -- core.p[2*i] over Wire(1 m) for i in 0..9 except {gap}\n"
        "  connect chip.side as ring over Wire(1 m)\n}\nsystem box : Box\n"
    )
    found = fabric_of(text)
    assert Counter(name for name, _ in ends(found) if name.endswith("up")) == Counter(
        f"chip[{i}].up" for i in range(10) if i not in gone
    )


def test_a_condition_is_asked_beyond_the_array_too() -> None:
    """Many single holes are a table, and a subscript may leave it where another condition keeps it inside."""
    head = HEAD + "rack Box {\n  chip[4, 4 except [0, 0], [1, 1], [2, 2], [3, 3], [0, 1], [0, 2]] : Chip\n"
    rule = "  connect chip[i, j].side[0] -- chip[i, j + 1].side[1] over Wire(1 m) for i, j"
    tail = "  connect chip.x as fullmesh over Wire(1 m)\n}\nsystem box : Box\n"
    rule_in = f"{rule} where j < 3 and i == 3 and j < 2\n"
    small = (head + rule_in + tail).replace("x[9]", "x[12]")
    fabric = fabric_of(small)
    assert sum(name.endswith("side[0]") or other.endswith("side[0]") for name, other in ends(fabric)) == 2
    verify(serial.load(serial.dump(fabric.plan)))
    wrong = compile_text((head + rule + "\n" + tail).replace("x[9]", "x[12]"), "machine.ubus")
    assert [d.code for d in wrong.diagnostics if d.severity == "error"] == ["UB0401"]
