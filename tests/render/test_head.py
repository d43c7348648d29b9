"""Heads of pictures: what the machine is called, and what the file calls it."""

from __future__ import annotations

import pytest

from unifiedbus_dsl import compiler
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.totals import count_cables
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.head import Head, head_of, split_name
from unifiedbus_dsl.render.marks import Text
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.sheet import figure_tiles
from unifiedbus_dsl.render.style import Style

TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m; delay = 5 ns/m }
npu Chip { port x[2] : UB x4; transit x }
%s
rack Ring(chips = 8) { npu[chips] : Chip; connect npu.x as ring over Wire(1 m) }
%s
system lab : Ring(chips = 6)
"""

CALLED = "system lab, Ring(chips = 6)"


def plan(type_doc: str = "", system_doc: str = "") -> Plan:
    done = compiler.compile_text(TEXT % (type_doc, system_doc))
    assert done.ok, done.diagnostics
    return done.pick("lab")


@pytest.mark.parametrize(
    ("type_doc", "system_doc", "head"),
    [
        ("", "", Head("Ring", "(chips = 6) rack", ["", "system lab"])),
        ("## A ring: as `many` as you like.", "", Head("A ring", "rack", ["As “many” as you like.", CALLED])),
        ("## Chips in a ring.", "## The lab's ring.", Head("The lab's ring", "rack", ["Chips in a ring.", CALLED])),
        (
            "## A ring: of chips.",
            "## Lab: what we have had here since the first of them came, and will have for some time.",
            Head(
                "Lab",
                "rack",
                [
                    "Lab: what we have had here since the first of them came, and will have for some time.",
                    "A ring: of chips.",
                    CALLED,
                ],
            ),
        ),
    ],
)
def test_the_head_is_what_the_documentation_calls_it(type_doc: str, system_doc: str, head: Head) -> None:
    found = plan(type_doc, system_doc)
    assert head_of(PlanSummary(found), found.root, "rack") == head
    title = detail_picture(found).find("title")
    assert isinstance(title, Text)
    assert title.text == head.title


def test_the_title_of_a_view_goes_first() -> None:
    found = plan("## A ring: of chips.", "## The lab's ring.")
    assert head_of(PlanSummary(found, Style(title="Mine")), found.root, "rack").title == "Mine"


def test_the_plan_keeps_the_documentation_of_its_system() -> None:
    assert plan("", "## The lab's ring.").doc == "The lab's ring."


@pytest.mark.parametrize("doc", ["", "No colon here.", "One sentence. And one: with a colon.", f"{'long ' * 20}: so"])
def test_a_sentence_is_no_name(doc: str) -> None:
    assert split_name(doc) == ("", doc)


def test_a_breakout_cable_is_one_in_the_head_and_in_the_legend() -> None:
    """Two cables break out into four ends, and one has its two links between the same cages."""
    row = compiler.compile_text(
        """ubus 1
protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Split : Eth { medium = copper; reach = 9 m }
nic Nic { port p : Eth x4 }
switch Tor { port q[8, 2] : Eth x4 @open @cage }
rack Row {
  nic[4] : Nic
  tor[2] : Tor
  connect nic[2*c + h].p -- tor[0].q[c, h] over Split(1 m) for c in 0..1, h
  connect tor[0].q[4, h] -- tor[1].q[4, h] over Split(1 m) for h
}
system row : Row
""",
        "row.ubus",
    ).plan
    assert row.numbering.cable_count[row.root] == 6
    survey = PlanSummary(row)
    figures = survey.figures[row.root]
    assert figures.cables == sum(each.in_service for each in count_cables(row)) == 3
    assert ("3", "cables") in figure_tiles(survey, row.root)
