"""The summary of a machine, against figures worked out by hand."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from attrs import evolve

from tests.render import machines
from unifiedbus_dsl.analysis.report.summary import ExpectationRow, Summary, summarize
from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.plan import Plan


def of(plan: Plan) -> Summary:
    return summarize(plan)


def test_superpod() -> None:
    """128 racks of 64 NPUs, 18 ports of 4 lanes at 112 Gb/s."""
    summary = of(machines.superpod())
    counts = {part.type: part.count for part in summary.parts}
    assert (counts["Ascend950DT"], counts["NpuBoard"], counts["Cabinet"], counts["LRS"]) == (8192, 1024, 128, 512)
    (npu,) = summary.end_points
    assert (npu.ports, npu.lanes) == (18, 72)
    assert npu.rate == 72 * 14 * 10**9
    assert npu.total_rate == 8192 * 72 * 14 * 10**9
    tiers = {tier.type: tier for tier in summary.tiers}
    assert tiers["NpuBoard"].cables == 1024 * 28
    assert tiers["NpuBoard"].per_end_point == 7 * 56 * 10**9
    assert tiers["Cabinet"].cables == 128 * (8 * 28 + 4 * 64)
    assert tiers["Cabinet"].per_end_point == (7 + 4) * 56 * 10**9
    assert tiers["Atlas950"].per_end_point == 0
    assert sum(row.cables for row in summary.cables) == sum(tier.cables for tier in summary.tiers)
    assert sum(row.lanes for row in summary.cables) == sum(tier.lanes for tier in summary.tiers)


def test_all_that_end_points_send_is_in_some_tier() -> None:
    for name in ("superpod", "rack", "board"):
        summary = of(getattr(machines, name)())
        inside = sum(tier.per_end_point for tier in summary.tiers)
        assert inside <= summary.end_points[0].rate


def test_cables_are_those_of_the_fabric() -> None:
    """Numbers and lengths by link and width, against the columns."""
    for plan in machines.all_machines().values():
        if not plan.instances[plan.root] or plan.device_count[plan.root] > 20_000:
            continue
        fabric, links = expand(plan), list(plan.links)
        link, lanes = fabric.kinds.link[fabric.kind], fabric.kinds.lanes[fabric.kind]
        rows = summarize(plan).cables
        assert sum(row.cables for row in rows) == fabric.cable_count
        for row in rows:
            lengths = fabric.kinds.length_m[fabric.kind[(link == links.index(row.link)) & (lanes == row.width)]]
            assert len(lengths) == row.cables
            if row.length is None:
                assert np.isnan(lengths).any()
            else:
                assert (float(row.shortest or 0), float(row.longest or 0)) == (lengths.min(), lengths.max())
                assert float(row.length) == pytest.approx(lengths.sum(), abs=0.01)


def test_spares_are_counted_apart() -> None:
    plan = machines.rack()
    root = plan.assemblies[plan.root]
    first = root.children[0]
    changed = evolve(root, children=(evolve(first, spare=True), *root.children[1:]))
    summary = summarize(evolve(plan, assemblies={**plan.assemblies, plan.root: changed}))
    part = next(p for p in summary.parts if p.type == first.type)
    assert (part.count, part.spares) == (0, first.count)


def test_fields_are_added_up() -> None:
    plan = machines.rack()
    chip = next(d for d in plan.devices.values() if d.kind == "npu")
    fields = {"memory": Quantity(Fraction(144 * 10**9), units.SIZE), "latency": Quantity(Fraction(1), units.TIME)}
    changed = evolve(plan, devices={**plan.devices, chip.key: evolve(chip, fields=fields)})
    summary = summarize(changed)
    assert [(t.name, t.value.value) for t in summary.totals] == [("memory", 64 * 144 * 10**9)]
    assert summary.to_data()["totals"] == {"memory": {"value": 64 * 144e9, "unit": "byte"}}
    assert "memory  9.216 TB" in summary.text()


def test_text_and_data() -> None:
    held = ExpectationRow("Cabinet", "count(all npu) == 64", "holds", "64", "keynote")
    plan = machines.rack()
    summary = summarize(plan, [held])
    text = summary.text()
    assert text.startswith(f"{plan.system} : {plan.root}\n\nWhat is in it\n  level ")
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "holds  Cabinet  count(all npu) == 64  64     keynote" in text
    data = json.loads(json.dumps(summary.to_data()))
    assert data["expectations"] == [
        {
            "subject": "Cabinet",
            "text": "count(all npu) == 64",
            "verdict": "holds",
            "found": "64",
            "source": "keynote",
        }
    ]
    assert data["cables"][0]["lanes"] == data["cables"][0]["cables"] * data["cables"][0]["width"]
