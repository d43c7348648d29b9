"""Every total of a machine is the same wherever it is shown: compile, diff, analyze, and the bill of materials."""

from __future__ import annotations

import csv
from pathlib import Path

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.design_diff import design_changes
from unifiedbus_dsl.analysis.report.summary import summary_of
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.cli import main

SPARES = """
protocol E { lane = 100 Gbps }
link L : E { medium = optical; cost = 100 USD; power = 5 W; optics = 2 }
npu G { cost = 10 kUSD; power = 500 W; port p : E x1 }
switch S { cost = 1 kUSD; power = 100 W; port d[5] : E x1; port u[2] : E x1 }
switch C { cost = 2 kUSD; power = 200 W; port p[4] : E x1 }
rack R {
  cost = 500 USD
  g[4] : G
  spare h : G
  s : S
  connect g[i].p -- s.d[i] over L(1 m) for i in 0..3
  connect h.p -- s.d[4] over L(1 m)
  port up = s.u
}
superpod Top { r[2] : R; spare x : R; c : C; connect r[b].up[k] -- c.p[2*b + k] over L(3 m) for b, k }
system top : Top
"""
# two racks of four chips, a switch, and five cables with that of the stand-by; a switch with four cables
COST = 2 * (500 + 4 * 10_000 + 1_000 + 5 * 100) + 2_000 + 4 * 100
POWER = 2 * (4 * 500 + 100 + 5 * 5) + 200 + 4 * 5
# a stand-by chip in each of the two racks, and a whole stand-by rack with its own
SPARE_COST = 2 * 10_000 + (500 + 5 * 10_000 + 1_000 + 5 * 100)


def test_spares_are_in_the_bill_and_in_no_other_total(tmp_path: Path) -> None:
    source = tmp_path / "top.ubus"
    source.write_text("ubus 1\n" + SPARES)
    done = compile_text("ubus 1\n" + SPARES)
    summary = summary_of(done)
    totals = {each.name: (float(each.value), float(each.spares)) for each in summary.totals}
    assert totals == {"cost": (COST, SPARE_COST), "power": (POWER, 0)}
    answers = {a.measure: a.value for a in ask(done, "top", "cost(); power(); count(all link)").answers}
    assert answers == {"cost": COST, "power": POWER, "count": 2 * 5 + 4}
    figures = {f.name: f.after and float(f.after) for f in design_changes(done, done, solve=False).figures}
    assert (figures["cost, all together"], figures["power, all together"]) == (COST, POWER)
    assert figures["cost of spares, beside that"] == SPARE_COST
    (cables,) = summary.cables
    assert (cables.cables, cables.spares, figures["cables"]) == (14, 5, 14)
    assert {tier.type: (tier.instances, tier.cables) for tier in summary.tiers} == {"R": (2, 10), "Top": (1, 4)}

    bill = tmp_path / "bom.csv"
    assert main(["export", str(source), "--to", "bom", "-o", str(bill)]) == 0
    rows = list(csv.DictReader(bill.read_text().splitlines()))
    total = rows[-1]
    assert (float(total["total_cost_usd"]), float(total["total_power_w"])) == (COST + SPARE_COST, POWER)
    lines = [row for row in rows[:-1] if row["total_cost_usd"]]
    assert sum(float(row["total_cost_usd"]) for row in lines) == COST + SPARE_COST
    assert sum(float(row["total_power_w"] or 0) for row in lines) == POWER
    wires = [(row["count"], row["spares"]) for row in rows if row["section"] == "cable"]
    assert wires == [("15", "5"), ("4", "0")]


def test_cables_are_in_the_cost_of_a_doubled_spine() -> None:
    """Four leaves of 2 uplinks against 4: the switches stay, eight cables of 100 USD are new."""
    text = """
    protocol E {{ lane = 100 Gbps }}
    link L : E {{ cost = 100 USD }}
    npu G {{ port p : E x1 }}
    switch S {{ cost = 1 kUSD; port d : E x1; port u[{up}] : E x1 }}
    switch C {{ cost = 2 kUSD; port p[4, {up}] : E x1 }}
    superpod P {{ g[4] : G; s[4] : S; c : C; connect g[i].p -- s[i].d over L(1 m) for i
      connect s[i].u[k] -- c.p[i, k] over L(1 m) for i, k }}
    system top : P
    """
    found = design_changes(
        compile_text("ubus 1\n" + text.format(up=2)), compile_text("ubus 1\n" + text.format(up=4)), solve=False
    )
    cost = next(figure for figure in found.figures if figure.name == "cost, all together")
    fixed = 4 * 1_000 + 2_000 + 4 * 100
    assert (float(cost.before or 0), float(cost.after or 0)) == (fixed + 800, fixed + 1_600)
