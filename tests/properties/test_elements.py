"""An array whose elements differ is the machine in which each element is a part of its own: parts, cables, answers."""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import pytest
from attrs import evolve, frozen

from unifiedbus_dsl.analysis.evaluators import evaluator_of, measure_calls
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.verify import verify_fabric
from unifiedbus_dsl.ir.plan import serial
from unifiedbus_dsl.ir.plan.verify import PlanError, verify
from unifiedbus_dsl.measures.selection_synthesis import describe_devices
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.syntax.format import format
from unifiedbus_dsl.syntax.parse import parse

SEEDS = range(60)

HEAD = """\
ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 90 m }
npu Chip { memory = 64 GB; port a : UB x4 @open; port b : UB x4 @open; port c : UB x4 @open; transit a, b, c }
cpu Host { port a : UB x4 @open; port b : UB x4 @open; port c : UB x4 @open; transit a, b, c }
switch Hub(n) { port d[n] : UB x4; port mesh[12] : UB x4 @open; port side[2] : UB x4 @open; port m[3] : UB x4 @open }
switch Core { port p[160] : UB x4 @open }
rack Cab(n = 1, cpus = 0) {
  slot[n + cpus] : if s < n then Chip else Host for s
  hub : Hub(n = n + cpus)
  connect slot[s].a -- hub.d[s] over Wire(1 m) for s
  port b = slot.b
  port c = slot.c
  port mesh = hub.mesh
  port side = hub.side
  port m = hub.m
}
rack Pair {
  chip[2] : Chip
  hub     : Hub(n = 2)
  connect chip[s].a -- hub.d[s] over Wire(1 m) for s
  port b = chip.b
  port c = chip.c
  port mesh = hub.mesh
  port side = hub.side
  port m = hub.m
}
"""

Sort = tuple[int, int]
"""How many NPUs and CPUs; (-1, 0) is a `Pair`."""
At = tuple[int, ...]


def inside(sort: Sort) -> list[str]:
    """The parts that hold the ports of an element, in order."""
    if sort[0] < 0:
        return ["chip[0]", "chip[1]"]
    return [f"slot[{k}]" for k in range(sum(sort))]


@frozen
class Drawn:
    """A random machine: what each element of the array is, and which rules there are."""

    shape: At
    sorts: dict[At, Sort]
    rules: tuple[str, ...]
    cables: tuple[tuple[str, str], ...]
    """Ends as the array has them, by device."""

    @property
    def gone(self) -> list[At]:
        return [at for at in product(*map(range, self.shape)) if at not in self.sorts]


def name(at: At) -> str:
    return f"part[{', '.join(map(str, at))}]"


def draw(seed: int) -> Drawn:
    dice = random.Random(seed)
    shape = tuple(dice.randint(2, 6 if rank == 1 else 3) for rank in [dice.choice((1, 1, 2))] for _ in range(rank))
    pool: list[Sort] = [(1, 0), (2, 0), (3, 0), (2, 1), (-1, 0)]
    some = dice.sample(pool, dice.randint(2, 3))
    every = list(product(*map(range, shape)))
    sorts = {at: dice.choice(some) for at in every if dice.random() > 0.12} or {every[0]: some[0]}
    there = sorted(sorts)
    index = ", ".join("ij"[: len(shape)])
    flat = "i" if len(shape) == 1 else f"({shape[1]}*i + j)"
    number = {at: int(np.ravel_multi_index(at, shape)) for at in every}
    rules, cables = list[str](), list[tuple[str, str]]()
    rules.append("connect core[0].p[159] -- core[1].p[159] over Wire(2 m)")
    cables.append(("core[0].p[159]", "core[1].p[159]"))
    # of each element the ports that it has
    rules.append(f"connect part[{index}].b[k] -- core[0].p[4*{flat} + k] over Wire(2 m) for {index}, k")
    for at in there:
        cables += [(f"{name(at)}.{s}.b", f"core[0].p[{4 * number[at] + k}]") for k, s in enumerate(inside(sorts[at]))]
    # a stated port, where every element has it
    low, high = sorted(dice.choices(range(shape[0]), k=2))
    if all(at in sorts for at in every):
        rest = "".join(f", {j}" for j in "j"[: len(shape) - 1])
        rules.append(f"connect part[{index}].c[0] -- core[1].p[{flat}] over Wire(2 m) for i in {low}..{high}{rest}")
        cables += [
            (f"{name(at)}.{inside(sorts[at])[0]}.c", f"core[1].p[{number[at]}]") for at in there if low <= at[0] <= high
        ]
    pattern = dice.choice(("fullmesh", "ring", "pairs", "none"))
    hubs = [f"{name(at)}.hub" for at in there]
    if pattern == "fullmesh" and len(there) > 1:
        rules.append("connect part.mesh as fullmesh over Wire(2 m)")
        cables += [
            (f"{hubs[m]}.mesh[{n - 1}]", f"{hubs[n]}.mesh[{m}]")
            for m in range(len(hubs))
            for n in range(m + 1, len(hubs))
        ]
    if pattern == "ring" and len(there) > 2:
        rules.append("connect part.side as ring over Wire(2 m)")
        cables += [(f"{a}.side[0]", f"{b}.side[1]") for a, b in zip(hubs, [*hubs[1:], hubs[0]], strict=True)]
    if pattern == "pairs" and len(shape) == 1 and any((at[0] + 1,) in sorts for at in there):
        rules.append("connect part[i].m[0] -- part[j].m[1] over Wire(2 m) for i, j where j == i + 1")
        cables += [(f"{name(at)}.hub.m[0]", f"{name((at[0] + 1,))}.hub.m[1]") for at in there if (at[0] + 1,) in sorts]
    dice.shuffle(rules)
    return Drawn(shape, sorts, tuple(rules), tuple(cables))


def choice(of: Drawn) -> str:
    """The array in one line: sort and presence by element."""
    names = "ij"[: len(of.shape)]

    def test(at: At) -> str:
        return "(" + " and ".join(f"{n} == {v}" for n, v in zip(names, at, strict=True)) + ")"

    by_sort: dict[Sort, list[At]] = {}
    for at, sort in of.sorts.items():
        by_sort.setdefault(sort, []).append(at)
    *first, (last, _) = by_sort.items()

    def type_of(sort: Sort) -> str:
        return "Pair" if sort[0] < 0 else f"Cab(n = {sort[0]}, cpus = {sort[1]})"

    text = "".join(f"if {' or '.join(map(test, ats))} then {type_of(sort)} else " for sort, ats in first)
    there = f" if not ({' or '.join(map(test, of.gone))})" if of.gone else ""
    said = [n for n in names if n in f"{text}{there}"]
    # the last index that is said takes those before it along
    listed = names[: names.index(said[-1]) + 1] if said else ""
    return f"part[{', '.join(map(str, of.shape))}] : {text}{type_of(last)}{there}" + (
        f" for {', '.join(listed)}" if listed else ""
    )


def as_array(of: Drawn) -> str:
    lines = [f"  {choice(of)}", "  core[2] : Core", *(f"  {rule}" for rule in of.rules)]
    return HEAD + "superpod Box {\n" + "\n".join(lines) + "\n}\nsystem box : Box\n"


def one(at: At) -> str:
    return "part_" + "_".join(map(str, at))


def one_by_one(of: Drawn) -> str:
    """Each element a part of its own, a line for each cable."""
    lines = ["  core[2] : Core"]
    for at, sort in of.sorts.items():
        lines.append(f"  {one(at)} : " + ("Pair" if sort[0] < 0 else f"Cab(n = {sort[0]}, cpus = {sort[1]})"))

    def end(text: str) -> str:
        found = re.fullmatch(r"part\[([\d, ]+)\]\.(\w+)(?:\[(\d+)\])?\.(\w+)(.*)", text)
        if found is None:
            return text
        at = tuple(map(int, found[1].split(",")))
        inner = f"[{found[3]}]" if found[3] is not None else ""
        return f"{one(at)}.{found[4]}{inner}{found[5]}"

    lines += [f"  connect {end(a)} -- {end(b)} over Wire(2 m)" for a, b in of.cables]
    return HEAD + "superpod Box {\n" + "\n".join(lines) + "\n}\nsystem box : Box\n"


@cache
def compiled(text: str) -> Compilation:
    done = compile_text(text, "machine.ubus")
    assert [d.message for d in done.diagnostics if d.severity == "error"] == [], text
    return done


def ends(of: Fabric) -> Counter[frozenset[str]]:
    a, b = of.end_names(np.arange(of.cable_count))
    return Counter(frozenset(pair) for pair in zip(a.tolist(), b.tolist(), strict=True))


def plain(text: str) -> str:
    """The name of a device or port of `one_by_one`, as the array has it."""
    return re.sub(r"part((?:_\d+)+)", lambda m: f"part[{', '.join(m[1][1:].split('_'))}]", text)


@pytest.mark.parametrize("seed", SEEDS)
def test_elements_that_differ_are_parts_of_their_own(seed: int) -> None:
    of = draw(seed)
    array, parts = compiled(as_array(of)).fabric(), compiled(one_by_one(of)).fabric()
    wanted = Counter(frozenset(pair) for pair in of.cables)
    found = ends(array)
    assert Counter({pair: n for pair, n in found.items() if not any(".hub.d[" in end for end in pair)}) == wanted
    assert found == Counter(frozenset(map(plain, pair)) for pair in ends(parts).elements())
    # devices are in the order of the text
    every = np.arange(array.device_count)
    assert array.device_names(every).tolist() == [plain(text) for text in parts.device_names(every)]


QUESTIONS = ("bisection(all npu)", "diameter(all npu)", "mean_hops(all npu)", "throughput(alltoall(all npu))",
             "throughput(shift(all npu, k = 1))", "sum(all npu.memory)", "count(all npu)")  # fmt: skip


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % 4 == 0])
@pytest.mark.parametrize("by_plan", [True, False])
def test_answers_are_those_of_the_parts(seed: int, by_plan: bool) -> None:
    of = draw(seed)
    if sum(max(sort[0], 2) if sort[0] < 0 else sort[0] for sort in of.sorts.values()) < 2:
        return
    values = []
    for text in (as_array(of), one_by_one(of)):
        report = ask(compiled(text), None, "; ".join(QUESTIONS), by_plan=by_plan)
        assert not report.diagnostics
        values.append([(answer.value, answer.kind) for answer in report.answers])
    assert values[0] == values[1]
    assert len(values[0]) == len(QUESTIONS)


@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_plans_come_back(seed: int) -> None:
    of = draw(seed)
    text = as_array(of)
    fabric = compiled(text).fabric()
    verify(fabric.plan)
    verify_fabric(fabric)
    assert serial.load(serial.dump(fabric.plan)) == fabric.plan
    names = fabric.device_names(np.arange(fabric.device_count)).tolist()
    assert [fabric.device_id(name) for name in names] == list(range(fabric.device_count))
    assert not any("#" in name for name in names)
    for at in of.gone:
        with pytest.raises(ValueError, match="left out"):
            fabric.device_id(f"{name(at)}.hub")
    formatted = format(parse(Source("machine.ubus", text), Sink()))
    assert compiled(formatted).fabric().plan == fabric.plan


@pytest.mark.parametrize("seed", SEEDS)
def test_sets_of_devices_are_named_so_that_they_can_be_asked(seed: int) -> None:
    of, dice = draw(seed), random.Random(seed)
    done, sink = compiled(as_array(of)), Sink()
    assert done.model is not None
    selector = FabricSelector.of(done.fabric(), done.model, evaluator_of(done, sink))
    switches = [k for k, kind in enumerate(done.fabric().plan.devices.values()) if kind.kind == "switch"]
    ends_ = np.flatnonzero(~np.isin(done.fabric().device_type, switches))
    for _ in range(10):
        chosen = np.sort(np.array(dice.sample(ends_.tolist(), dice.randint(1, len(ends_)))))
        names = describe_devices(done.fabric(), chosen, selector.spare)
        if names:
            calls = measure_calls(f"count({' | '.join(names)})", sink)
            picked = selector.devices(calls[0].args[0].value)
            assert picked is not None
            assert np.array_equal(picked, chosen), names
    assert not sink.has_errors


@pytest.mark.parametrize("seed", SEEDS)
def test_slices_hold_what_paths_name(seed: int) -> None:
    of = draw(seed)
    fabric = compiled(as_array(of)).fabric()
    names = fabric.device_names(np.arange(fabric.device_count))
    for path, pattern in (("part", r"part\["), ("part[*].hub", r"part\[.*\.hub$"), ("core[1]", r"core\[1\]")):
        part = fabric.slice(path)
        assert part.devices.tolist() == [k for k, each in enumerate(names) if re.match(pattern, each)], path
        marked = np.isin(np.arange(fabric.device_count), part.devices)
        assert part.cables.tolist() == np.flatnonzero(marked[fabric.a_device] & marked[fabric.b_device]).tolist()


def test_a_plan_with_an_element_twice_is_refused() -> None:
    plan = next(
        plan for plan in (compiled(as_array(draw(seed))).fabric().plan for seed in SEEDS) if "Box" in plan.assemblies
        and len(plan.assemblies["Box"].arrays["part"]) > 1 and plan.assemblies["Box"].arrays["part"][0].count == 1
        and plan.assemblies["Box"].arrays["part"][1].count == 1
    )  # fmt: skip
    box = plan.assemblies["Box"]
    first, second = box.arrays["part"][:2]
    children = tuple(evolve(c, labels=first.labels) if c is second else c for c in box.children)
    wrong = evolve(plan, assemblies={**plan.assemblies, "Box": evolve(box, children=children)})
    with pytest.raises(PlanError, match="two have one element"):
        verify(wrong)


def test_the_machines_are_of_many_sorts() -> None:
    texts = [as_array(draw(seed)) for seed in SEEDS]
    for word in ("fullmesh", "as ring", "where j == i + 1", "then Pair", "if not (", "for i, j\n", "for i in "):
        assert any(word in text for text in texts), word
