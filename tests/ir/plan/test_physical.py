"""Physical cables: what the plan counts type by type is what was planted, and what a plain search of links finds."""

from __future__ import annotations

import random
import re
from collections import Counter

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl import compiler
from unifiedbus_dsl.export.formats.bom import bill
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.physical import first_of_cables, one_a_cable, whole_cables
from unifiedbus_dsl.ir.plan import DeviceType
from unifiedbus_dsl.ir.plan.text import plan_text
from unifiedbus_dsl.ir.plan.totals import count_cables
from unifiedbus_dsl.ir.plan.verify import PlanError, verify
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience import contingency

SEEDS = range(24)


def machine(seed: int) -> tuple[str, int, int]:
    """Return a random text, how many cables of `Dac` one rack has, and how many racks there are: two switches with
    cages, joined by straight cables, and NICs at cables that are broken out, some by the cages of a node."""
    dice = random.Random(seed)
    cages, size, connectors = dice.randint(2, 6), dice.choice((1, 2, 4, 6)), dice.choice((1, 1, 2, 3))
    straight, racks = dice.randint(1, cages - 1), dice.randint(1, 3)
    broken, in_a_node = cages - straight, dice.choice((True, False))
    nics = [f"nic[{size}*c + h].p", "node[c].up[h]"][in_a_node]
    parts = [f"nic[{broken * size}] : Nic", f"node[{broken}] : Host"][in_a_node]
    text = f"""ubus 1
protocol Eth {{ lane = 100 Gbps; latency = 200 ns }}
link Dac : Eth {{ medium = copper; reach = 9 m; cost = 7 USD; connectors = {connectors} }}
link Up : Eth {{ medium = optical; reach = 90 m; optics = 2; cost = 1 USD }}
nic Nic {{ port p : Eth x4 }}
node Host {{ nic[{size}] : Nic; port up = nic.p @cage }}
switch Tor {{ port q[{cages}, {size}] : Eth x4 @open @cage; port up : Eth x4 @open; latency = 600 ns }}
switch Hub {{ port p[9] : Eth x4 @open }}
rack Row {{
  {parts}
  tor[2] : Tor
  connect tor[0].q[c, h] -- tor[1].q[c, h] over Dac({dice.randint(1, 3)} m) for c in 0..{straight - 1}, h
  connect {nics} -- tor[0].q[c + {straight}, h] over Dac(2 m) for c in 0..{broken - 1}, h
  port up = tor[0].up
}}
module Hall {{
  hub          : Hub
  row[{racks}] : Row
  {"spare more : Row" if dice.randint(0, 1) else ""}
  connect row[r].up -- hub.p[r] over Up(9 m) for r in 0..{racks - 1}
}}
system hall : Hall
"""
    return text, cages * -(-size // -(-size // connectors)), racks


def compiled(text: str) -> Fabric:
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    return done.fabric()


def plug_of(fabric: Fabric, device: int, port: int) -> tuple[object, ...]:
    """Return the plug at a port of a link `Dac`: a plain reading of names. Ports of a node share its cage."""
    name, of = fabric.device_name(device), list(fabric.plan.devices.values())[int(fabric.device_type[device])]
    connectors = fabric.plan.links["Dac"].connectors
    assert isinstance(of, DeviceType)
    if ".node[" in name:
        node, _, own = name.rpartition(".nic")
        size = fabric.plan.assemblies["Host"].children[0].count
        return node, int(own.strip("[]") or 0) // -(-size // connectors)
    for first, size, count in of.cages:
        if first <= port < first + size * count:
            cage, inside = divmod(port - first, size)
            return name, cage, inside // -(-size // connectors)
    return name, "own", port


def groups(fabric: Fabric) -> list[set[int]]:
    """Return the links of each cable: those that share a plug, joined until none is left to join."""
    plugs: dict[tuple[object, ...], list[int]] = {}
    for link in range(fabric.cable_count):
        for device, port in ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port)):
            plugs.setdefault(plug_of(fabric, int(device[link]), int(port[link])), []).append(link)
    whole = [{link} for link in range(fabric.cable_count)]
    for together in plugs.values():
        union = set[int]().union(*(whole[link] for link in together))
        for link in union:
            whole[link] = union
    return list({id(each): each for each in whole}.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_cables_are_those_that_were_planted(seed: int) -> None:
    text, each, racks = machine(seed)
    expected = f"""
expect count(all link in hall) == {each * racks + racks}
expect count(all link in hall where medium == copper) == {each * racks}
expect sum(all link.cost in hall) == {(7 * each + 1) * racks} USD
"""
    done = compiler.compile_text(text + expected)
    assert done.ok, done.diagnostics
    rows = [row for row in count_cables(done.plan) if row.rule.link == "Dac"]
    assert sum(row.in_service for row in rows) == each * racks
    assert sum(row.in_service + row.spares for row in rows) % each == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_text_of_a_plan_counts_cables(seed: int) -> None:
    """Of the rack, planted; where several links are one cable their number is said too."""
    text, cables, _ = machine(seed)
    plan = compiled(text).plan
    links = sum(plan.numbering.rule_size("Row", n) for n in range(2))
    said = f"{cables:,} cable{'s' if cables > 1 else ''}" + (f" of {links:,} links" if links > cables else "") + "\n"
    assert re.search(rf"^rack Row  # .* devices, {said}", plan_text(plan), re.MULTILINE)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fabric_groups_links_as_a_plain_search_does(seed: int) -> None:
    fabric = compiled(machine(seed)[0])
    expected = groups(fabric)
    found: dict[int, set[int]] = {}
    for link, cable in enumerate(first_of_cables(fabric).tolist()):
        found.setdefault(cable, set()).add(link)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))
    assert len(one_a_cable(fabric, np.arange(fabric.cable_count))) == len(expected)
    largest = max(expected, key=len)
    assert whole_cables(fabric, np.asarray([max(largest)])).tolist() == sorted(largest)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bill_tells_cables_apart_by_their_ends(seed: int) -> None:
    fabric = compiled(machine(seed)[0])
    expected: Counter[tuple[str, int, int]] = Counter()
    for cable in groups(fabric):
        sides = ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port))
        ends = {plug_of(fabric, int(d[link]), int(p[link])) for link in cable for d, p in sides}
        kind = fabric.kind[min(cable)]
        link = list(fabric.plan.links)[int(fabric.kinds.link[kind])]
        expected[link, 4 * len(cable), len(ends)] += 1
    found: Counter[tuple[str, int, int]] = Counter()
    for line in bill(fabric):
        if line.section == "cable":
            found[line.item, line.lanes or 0, line.ends or 0] += line.count
    assert found == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_each_cable_fails_once_and_whole(seed: int) -> None:
    fabric = compiled(machine(seed)[0])
    network = NetworkContext(fabric)
    parts = contingency.links(network)
    lost = [np.flatnonzero(parts.failed(network, [part]).cable_health == 0).tolist() for part in range(parts.count)]
    assert sorted(lost) == sorted(map(sorted, groups(fabric)))


def test_cables_of_one_orbit_leave_machines_alike() -> None:
    """Two cables between the same switches are alike; one that takes two hosts away is like no other unless proved."""
    text = """ubus 1
protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Dac : Eth { medium = copper; reach = 9 m }
nic Nic { port p : Eth x4 }
switch Tor { port q[8, 2] : Eth x4 @open @cage; latency = 600 ns }
rack Row {
  nic[4] : Nic
  tor[2] : Tor
  connect tor[0].q[c, h] -- tor[1].q[c, h] over Dac(1 m) for c in 0..2, h
  connect nic[2*c + h].p -- tor[0].q[c + 3, h] over Dac(2 m) for c in 0..1, h
}
system row : Row
"""
    parts = contingency.links(NetworkContext(compiled(text)))
    assert parts.count == 5
    assert sorted(np.bincount(parts.orbit).tolist()) == [1, 1, 3]


def test_a_module_of_a_cage_is_one_for_all_its_ports() -> None:
    """Eleven fibres down use six modules of the leaf, and one in each NIC, which has a cage of its own."""
    text = """ubus 1
protocol NDR { lane = 100 Gbps; latency = 130 ns }
link Fibre : NDR { medium = optical; reach = 50 m; optics = 2; connectors = 2 }
link Half : NDR { medium = optical; reach = 50 m; optics = 1; connectors = 2 }
nic Nic { port p : NDR x4; port h : NDR x2 @open }
switch Quantum { latency = 230 ns; port p[64] : NDR x4 @open @cage(2) }
rack Row {
  nic[13] : Nic
  leaf    : Quantum
  connect nic[i].p -- leaf.p[i] over Fibre(10 m) for i in 0..10
  connect nic[i].p -- leaf.p[i + 9] over Half(10 m) for i in 11..12
}
system row : Row
"""
    lines = {(line.item, line.lanes): line.count for line in bill(compiled(text)) if line.section == "optics"}
    assert lines == {("Fibre module x4", 4): 11, ("Fibre module 2 x4", 8): 6, ("Half module 2 x4", 8): 1}


def test_wide_and_narrow_optics_of_one_link_are_two_parts() -> None:
    text = """ubus 1
protocol UB { lane = 100 Gbps; latency = 130 ns }
link Optic : UB { medium = optical; reach = 50 m; optics = 2 }
npu Chip { port wide[2] : UB x8; port slim[2] : UB x4 }
rack Row {
  npu[4] : Chip
  connect npu[*].wide as ring over Optic(1 m)
  connect npu[*].slim as ring over Optic(1 m)
}
system row : Row
"""
    lines = [(line.item, line.lanes, line.count) for line in bill(compiled(text)) if line.section == "optics"]
    assert lines == [("Optic module x4", 4, 8), ("Optic module x8", 8, 8)]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("merged", 3, "merges 3 links"),
        ("cages", ((0, 2, 4), (6, 2, 1)), "overlap, or name a port that it does not have"),
        ("cages", ((0, 2, 400),), "overlap, or name a port that it does not have"),
        ("cages", ((0, 0, 4),), "are no runs of ports"),
        ("cages", ((0, 2),), "are no runs of ports"),
        ("cage", 5, "has cages of 5"),
    ],
)
def test_a_plan_with_made_up_cables_is_refused(field: str, value: object, said: str) -> None:
    plan = next(fabric.plan for seed in SEEDS if "Host" in (fabric := compiled(machine(seed)[0])).plan.assemblies)
    verify(plan)
    if field == "cages":
        changed = evolve(plan, devices={**plan.devices, "Tor": evolve(plan.devices["Tor"], cages=value)})
    else:
        key = "Row" if field == "merged" else "Host"
        of = plan.assemblies[key]
        rules = (evolve(of.rules[0], merged=value), *of.rules[1:]) if field == "merged" else of.rules
        exports = tuple(evolve(each, cage=value) for each in of.exports) if field == "cage" else of.exports
        changed = evolve(plan, assemblies={**plan.assemblies, key: evolve(of, rules=rules, exports=exports)})
    with pytest.raises(PlanError, match=said):
        verify(changed)
