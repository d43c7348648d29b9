"""Every machine that comes along, asked both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.measures.from_plan.test_random_plans import ASKED, answers, differs
from unifiedbus_dsl.compiler import Compilation, compile
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.ir.plan.end_points import end_types
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork

SPECS = Path(__file__).parents[3] / "specs"
FILES = sorted(path for path in SPECS.rglob("*.ubus") if "system " in path.read_text(encoding="utf-8"))
MOST_ENDS = 8192
MOST_DEVICES = 40_000


def compare(compiled: Compilation, system: str) -> tuple[int, list[str]]:
    plan = compiled.pick(system)
    ends = sum(plan.in_service[key] for key in end_types(plan))
    if not 2 <= ends <= MOST_ENDS or plan.device_count[plan.root] > MOST_DEVICES:
        return 0, []
    if not _is_planned(compiled, system):
        return 0, []
    planned, wrong = 0, []
    for question in ASKED:
        found = answers(compiled, question, by_plan=True, system=system)
        if not found or found[0].origin != "plan":
            continue
        planned += 1
        other = answers(compiled, question, by_plan=False, system=system)
        said = differs(found[0], other[0]) if other else "the fabric has no answer"
        if said:
            wrong.append(f"{system}, {question}: {said}")
    return planned, wrong


def _is_planned(compiled: Compilation, system: str) -> bool:
    """Whether the plan answers at all: the fabric takes minutes over some of the others."""
    plan = compiled.pick(system)
    try:
        network = PlanNetwork.of(plan)
        places = {p for p, place in enumerate(network.wiring.places) if place.device in end_types(plan)}
        return len(network.sources(places)) > 0
    except NotProvedError:
        return False


@pytest.mark.scale
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SPECS)))
def test_shipped_machines_have_the_answers_of_their_fabrics(path: Path) -> None:
    compiled = compile(path)
    wrong = [said for system in compiled.systems for said in compare(compiled, system)[1]]
    assert not wrong, "\n".join(wrong)
