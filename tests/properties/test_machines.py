"""What a text stands for does not depend on how it is laid out or what its parts are called."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import numpy as np
import pytest

from tests.support import machines
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.text import plan_text

SEEDS = range(60)
COLUMNS = ("device_type", "a_device", "a_port", "b_device", "b_port", "kind")


@cache
def drawn(seed: int) -> machines.Machine:
    return machines.draw_machine(random.Random(seed))


def fabric_of(text: str, files: dict[str, str] | None = None) -> Fabric:
    done = compile_text(text, "machine.ubus", files)
    assert [d.message for d in done.diagnostics if d.severity == "error"] == [], text
    return done.fabric()


@cache
def fabric(seed: int) -> Fabric:
    return fabric_of(machines.machine_text(drawn(seed)))


def ends(of: Fabric) -> list[tuple[str, str]]:
    """Both ends of every cable by name, through NetworkX."""
    graph = of.to_networkx()
    pairs = [sorted((f"{d['a']}.{d['a_port']}", f"{d['b']}.{d['b_port']}")) for *_, d in graph.edges(data=True)]
    return sorted((a, b) for a, b in pairs)


@pytest.mark.parametrize("seed", SEEDS)
def test_columns_are_those_of_plain_loops(seed: int) -> None:
    graph = fabric(seed).to_networkx()
    assert {name: data["type"].split("(")[0] for name, data in graph.nodes(data=True)} == machines.devices(drawn(seed))
    assert ends(fabric(seed)) == machines.cables(drawn(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_statements_changes_nothing(seed: int) -> None:
    for again in range(2):
        shuffled = fabric_of(machines.machine_text(drawn(seed), random.Random(1000 + seed + 7919 * again)))
        assert_same(fabric(seed), shuffled)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_split_into_files_changes_nothing(seed: int) -> None:
    text, files = machines.machine_files(drawn(seed), random.Random(2000 + seed))
    assert_same(fabric(seed), fabric_of(text, files))


def assert_same(a: Fabric, b: Fabric) -> None:
    assert plan_text(a.plan) == plan_text(b.plan)
    for column in COLUMNS:
        assert np.array_equal(getattr(a, column), getattr(b, column)), column


@pytest.mark.parametrize("seed", SEEDS)
def test_renaming_permutes_ids_and_changes_nothing_else(seed: int) -> None:
    machine = drawn(seed)
    draw = random.Random(3000 + seed)
    old = ["hub", "part0", "part1", "part2"]
    names = dict(zip(old, draw.sample(["alpha", "beta", "gamma", "npu"], 4), strict=True))
    renamed = fabric_of(machines.machine_text(machine, None, names))
    assert sorted(ends(renamed)) == machines.cables(machine, names)
    assert devices_of(renamed) == machines.devices(machine, names)
    assert kinds_of(renamed) == kinds_of(fabric(seed))
    order = [renamed.device_id(name) for name in machines.devices(machine, names)]
    assert sorted(order) == list(range(renamed.device_count))


def devices_of(of: Fabric) -> dict[str, str]:
    return {name: data["type"].split("(")[0] for name, data in of.to_networkx().nodes(data=True)}


def kinds_of(of: Fabric) -> Counter[tuple[object, ...]]:
    """How many cables of each link, width and length."""
    kinds = zip(of.kinds.link.tolist(), of.kinds.lanes.tolist(), of.kinds.length_m.tolist(), strict=True)
    listed = list(kinds)
    return Counter(listed[k] for k in of.kind.tolist())


def test_the_machines_are_of_many_sorts() -> None:
    """A generator that makes the same thing all the time would prove nothing."""
    sizes = {fabric(seed).device_count for seed in SEEDS}
    texts = [machines.machine_text(drawn(seed)) for seed in SEEDS]
    assert len(sizes) > 20
    for word in ("as ring", "as fullmesh", "where i < j", "mod", "[r, *]", "(n = "):
        assert any(word in text for text in texts), word


def test_another_cable_would_be_seen() -> None:
    """The comparison fails where one cable differs."""
    seed = next(seed for seed in SEEDS if len(machines.cables(drawn(seed))) > 3)
    listed = machines.cables(drawn(seed))
    assert ends(fabric(seed)) != [*listed[1:], listed[0][::-1]]
