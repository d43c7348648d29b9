"""Joined and parted selections hold what plain loops over every part say; halves are named as they can be asked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

from unifiedbus_dsl.analysis.evaluators import evaluator_of, measure_calls
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import spares
from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.measures.selection_synthesis import describe_devices
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.select.plan_selection import Selector
from unifiedbus_dsl.semantic.select.type_scope import Parts
from unifiedbus_dsl.syntax import tree

SEEDS = range(40)

MACHINE = """\
ubus 1

protocol UB {{ lane = 112 Gbps; latency = 100 ns }}
link Wire : UB {{ medium = copper; reach = 2 m }}
npu Chip {{ port x[2] : UB x4 @open; port y : UB x4 }}
npu Big extends Chip {{ memory = 1 GB }}
cpu Host {{ port p : UB x4 }}
switch Plane {{ port p[16] : UB x4 @open }}
board Board(chips) {{
  chip[chips, {wide}] : Chip
  host : Host
  plane : Plane
  connect chip[i, j].y -- plane.p[{wide}*i + j] over Wire(1 m) for i, j
  connect host.p -- plane.p[14] over Wire(1 m)
  port up = plane.p[15]
}}
rack Rack(boards) {{
  board[boards] : Board(chips = {chips})
  plane[2] : Plane
  {spare}big : Big
  connect board[b].up -- plane[0].p[b] over Wire(1 m) for b in 0..<boards
  connect big.y -- plane[0].p[8] over Wire(1 m)
  connect plane[0].p[9] -- plane[1].p[9] over Wire(1 m)
  port up = plane[0].p[15]
}}
superpod Pod {{
  rack[{racks}] : Rack(boards = {boards})
  small : Rack(boards = 1)
  lone : Board(chips = 3)
  big[2] : Big
  core : Plane
  connect rack[r].up -- core.p[r] over Wire(1 m) for r in 0..<{racks}
  connect small.up -- core.p[8] over Wire(1 m)
  connect lone.up -- core.p[9] over Wire(1 m)
  connect big[i].y -- core.p[10 + i] over Wire(1 m) for i in 0..1
}}
system pod : Pod
"""

Part = tuple[tuple[tuple[str, int], ...], str, bool]
"""Where an instance is, by array and number of the element, its type, and whether it is a spare."""
Test = Callable[[Part], bool]


@cache
def compiled(seed: int) -> Compilation:
    draw = random.Random(seed)
    sizes = {name: draw.randint(1, 3) for name in ("wide", "chips", "racks", "boards")}
    done = compile_text(MACHINE.format(**sizes, spare=draw.choice(("", "spare "))), "machine.ubus")
    assert [d.message for d in done.diagnostics if d.severity == "error"] == []
    return done


def selector(seed: int, sink: Sink) -> FabricSelector:
    done = compiled(seed)
    assert done.model is not None
    return FabricSelector.of(done.fabric(), done.model, evaluator_of(done, sink))


@cache
def parts(seed: int) -> tuple[Part, ...]:
    return tuple(listed(compiled(seed).fabric().plan))


def listed(plan: Plan) -> Iterator[Part]:
    """Every instance below the root, one by one."""

    def visit(key: str, path: tuple[tuple[str, int], ...], spare: bool) -> Iterator[Part]:
        kind = plan.type(key)
        for child in kind.children if isinstance(kind, AssemblyType) else ():
            for element in range(child.count):
                below = (*path, (child.name, element))
                yield below, child.type, spare or child.spare
                yield from visit(child.type, below, spare or child.spare)

    yield from visit(plan.root, (), False)


def inside(part: Part, test: Test, all_parts: dict[tuple[tuple[str, int], ...], Part]) -> bool:
    path = part[0]
    return any(test(all_parts[path[:n]]) for n in range(1, len(path)))


class Expressions:
    """Random selections as text, each with what it means for a single part."""

    def __init__(self, seed: int, draw: random.Random) -> None:
        self.draw = draw
        self.parts = parts(seed)
        self.by_path = {part[0]: part for part in self.parts}
        self.plan = compiled(seed).fabric().plan

    def leaf(self, depth: int) -> tuple[str, Test]:
        if self.draw.random() < 0.4:
            return self.path()
        kind = self.draw.choice(("npu", "cpu", "board", "rack", "switch", "Big"))

        def is_one(part: Part) -> bool:
            own = self.plan.type(part[1])
            return not part[2] and kind in (own.kind, own.key.partition("(")[0])

        if self.draw.random() < 0.5:
            return f"all {kind}", is_one
        text, scope = self.expression(depth - 1)
        text = (
            text if text[0] not in "(" and "all" not in text and "|" not in text and " - " not in text else f"({text})"
        )
        return (
            f"all {kind} in {text}",
            lambda part: is_one(part) and (scope(part) or inside(part, scope, self.by_path)),
        )

    def path(self) -> tuple[str, Test]:
        chosen = self.draw.choice(self.parts)[0]
        words, tests, key = [], [], self.plan.root
        for name, element in chosen:
            owner = self.plan.assemblies[key]
            child = owner.by_name[name]
            place = [int(x) for x in np.unravel_index(element, child.shape)] if child.shape else []
            free = [self.draw.random() < 0.3 for _ in place]
            text = ", ".join("*" if f else str(x) for f, x in zip(free, place, strict=True))
            words.append(f"{name}[{text}]" if place else name)
            tests.append((name, child.shape, place, free))
            key = child.type

        def is_one(part: Part) -> bool:
            return len(part[0]) == len(tests) and all(
                name == own
                and all(
                    f or x == int(y)
                    for f, x, y in zip(free, place, np.unravel_index(element, shape) if shape else (), strict=True)
                )
                for (name, shape, place, free), (own, element) in zip(tests, part[0], strict=True)
            )

        return ".".join(words), is_one

    def expression(self, depth: int) -> tuple[str, Test]:
        if depth <= 0 or self.draw.random() < 0.3:
            return self.leaf(depth)
        (left, one), (right, other) = self.expression(depth - 1), self.expression(depth - 1)
        if self.draw.random() < 0.5:
            return f"({left} | {right})", lambda part: one(part) or other(part)
        return (
            f"({left} - ({right}))",
            lambda part: one(part) and not other(part) and not inside(part, other, self.by_path),
        )


def parsed(text: str) -> tree.Expr:
    sink = Sink()
    calls = measure_calls(f"count({text})", sink)
    assert not sink.has_errors, text
    return calls[0].args[0].value


@pytest.mark.parametrize("seed", SEEDS)
def test_sets_hold_what_plain_loops_say(seed: int) -> None:
    draw = random.Random(seed)
    expressions = Expressions(seed, draw)
    plan = compiled(seed).fabric().plan
    understood = 0
    for _ in range(60):
        text, test = expressions.expression(3)
        wanted = [part for part in expressions.parts if test(part)]
        sink = Sink()
        of = selector(seed, sink)
        read = Selector(of.machine, of.evaluator).select(parsed(text))
        if read is None or read.broken is not None:
            continue  # nothing on a side, or a part in pieces: see the tests of messages
        understood += 1
        counts = {item.type.key: item.count for item in read.items if isinstance(item, Parts) and item.count}
        assert counts == Counter(part[1] for part in wanted), text
        if wanted:
            blocks = of.blocks(parsed(text))
            assert blocks is not None, (text, [d.message for d in sink])
            got = sorted(zip(blocks.start.tolist(), blocks.stop.tolist(), strict=True))
            assert got == sorted(ranges_of(plan, wanted)), text
    assert understood > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_in_a_path_and_the_rest_are_all_there_is(seed: int) -> None:
    """A part is in itself: `all X in PATH` and `all X - PATH` are `all X` together, on the plan and on the fabric, and
    `all link in PATH` are the cables of which both ends are in one part of the path."""
    draw = random.Random(seed)
    expressions = Expressions(seed, draw)
    for _ in range(20):
        path, test = expressions.path()
        kind = draw.choice(("npu", "cpu", "board", "rack", "switch", "Big"))
        counts = {text: count_on_both(seed, text) for text in (f"all {kind}", f"all {kind} in {path}")}
        there = f"(all {kind} in {path}) | {path}"
        whole, within = counts.values()
        if 0 < within < whole:
            assert count_on_both(seed, f"all {kind} - {path}") == whole - within, path
        own = [part for part in expressions.parts if test(part)]
        assert count_on_both(seed, there) == len(own) + within - sum(
            is_named(expressions.plan, part, kind) for part in own
        )
        ranges = list(ranges_of(expressions.plan, own))
        fabric = compiled(seed).fabric()
        ends = zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True)
        wanted = [
            n for n, (a, b) in enumerate(ends) if any(low <= a < high and low <= b < high for low, high in ranges)
        ]
        if not any(part[2] for part in own):
            cables = selector(seed, Sink()).cables(parsed(f"all link in {path}"))
            assert ([] if cables is None else cables.tolist()) == wanted, path
            assert count_on_both(seed, f"all link in {path}", on_fabric=False) == len(wanted), path


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slice_of_python_has_the_devices_of_the_selection(seed: int) -> None:
    """Device by device: a difference may leave a piece of a part."""
    draw = random.Random(seed)
    expressions = Expressions(seed, draw)
    fabric, plan = compiled(seed).fabric(), expressions.plan
    spare = spares(plan)
    for _ in range(20):
        text, wanted = slice_text(expressions, draw, 2, lambda part: spare[part])
        if not wanted:
            with pytest.raises(ValueError, match="nothing"):
                fabric.slice(text)
            continue
        part = fabric.slice(text)
        assert part.devices.tolist() == sorted(wanted), text
        ends = zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True)
        assert part.cables.tolist() == [n for n, (a, b) in enumerate(ends) if a in wanted and b in wanted]


def slice_text(
    expressions: Expressions, draw: random.Random, depth: int, is_spare: Callable[[int], bool]
) -> tuple[str, set[int]]:
    """A random scope of several parts with the devices that it means."""
    plan = expressions.plan

    def devices(test: Test) -> set[int]:
        own = [part for part in expressions.parts if test(part)]
        return {device for low, high in ranges_of(plan, own) for device in range(low, high)}

    if depth and draw.random() < 0.7:
        left, one = slice_text(expressions, draw, depth - 1, is_spare)
        right, other = slice_text(expressions, draw, depth - 1, is_spare)
        return (f"({left} | {right})", one | other) if draw.random() < 0.5 else (f"({left} - ({right}))", one - other)
    if draw.random() < 0.5:
        path, test = expressions.path()
        return path, devices(test)
    kind = draw.choice(("npu", "cpu", "board", "switch", "Big"))
    everything = devices(lambda part: kind in (plan.type(part[1]).kind, part[1].partition("(")[0]))
    everything = {device for device in everything if not is_spare(device)}
    if draw.random() < 0.5:
        return f"all {kind}", everything
    path, test = expressions.path()
    return f"all {kind} in {path}", everything & devices(test)


def is_named(plan: Plan, part: Part, kind: str) -> bool:
    return not part[2] and kind in (plan.type(part[1]).kind, part[1].partition("(")[0])


def count_on_both(seed: int, text: str, *, on_fabric: bool = True) -> int:
    """How many a selection has on the plan, which are as many on the fabric."""
    of = selector(seed, Sink())
    read = Selector(of.machine, of.evaluator).select(parsed(text))
    count = 0 if read is None else sum(item.count for item in read.items)
    if on_fabric:
        blocks = of.blocks(parsed(text))
        assert (0 if blocks is None else len(blocks.start)) == count, text
    return count


def ranges_of(plan: Plan, wanted: list[Part]) -> Iterator[tuple[int, int]]:
    for path, key, _ in wanted:
        at, start = plan.root, 0
        for name, element in path:
            owner = plan.assemblies[at]
            start += plan.numbering.child_starts[at][plan.numbering.child_number(at, name)]
            at = owner.by_name[name].type
            start += element * plan.device_count[at]
        yield start, start + plan.device_count[key]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_set_that_is_named_is_selected_by_its_name(seed: int) -> None:
    draw = random.Random(seed)
    fabric = compiled(seed).fabric()
    sink = Sink()
    of = selector(seed, sink)
    said = 0
    for _ in range(80):
        devices = random_devices(fabric, draw)
        names = describe_devices(fabric, devices, of.spare)
        if names:
            said += 1
            assert np.array_equal(of.devices(parsed(" | ".join(names))), devices), names
    assert said > 5
    assert not sink.has_errors


def random_devices(fabric: Fabric, draw: random.Random) -> np.ndarray:
    """Blocks of end points, with some thrown out."""
    kinds = np.array([device.kind for device in fabric.plan.devices.values()])[fabric.device_type]
    ends = np.flatnonzero(kinds != "switch")
    low = draw.randrange(len(ends))
    chosen = ends[low : low + draw.randint(1, len(ends))]
    if draw.random() < 0.5:
        chosen = chosen[kinds[chosen] == kinds[chosen[0]]]
    return chosen if draw.random() < 0.7 else chosen[chosen != draw.choice(chosen.tolist())]
