"""Views of a compilation, and pictures that show what the solver found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.analysis.evaluators import evaluator_of, make_evaluator, routed_question
from unifiedbus_dsl.analysis.scenarios import After, after
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.loads import Utilisation, load_scale, loaded, lost_of, shown_loads
from unifiedbus_dsl.figures.operator_loads import operator_loads
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.render.before_after import Panel, comparison
from unifiedbus_dsl.render.explorer import Shown, ShownLoads, explorer
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Mark, Picture
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.pictures import TooManyMarksError, picture_of, too_many_help, without_links
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.svg import svg
from unifiedbus_dsl.render.view import Layout, View
from unifiedbus_dsl.semantic.queries.views import read_view
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree


def views(compilation: Compilation, system: str | None = None) -> Mapping[str, tree.View]:
    """Return the view blocks of a system (by default of all), by name."""
    assert compilation.model is not None
    return compilation.model.asked(tree.View, system)


def traffics(compilation: Compilation, system: str) -> Mapping[str, tree.Traffic]:
    """Return the traffic of a system, by name."""
    assert compilation.model is not None
    return compilation.model.asked(tree.Traffic, system)


def scenarios(compilation: Compilation, system: str) -> Mapping[str, tree.Scenario]:
    """Return the scenarios of a system, by name."""
    assert compilation.model is not None
    return compilation.model.asked(tree.Scenario, system)


MOST_SOLVED = 500_000_000
"""Arcs times end points that no symmetry makes alike, up to which the page to explore has loads and scenarios in it:
about ten seconds of one processor for a traffic."""
MOST_CABLES = 1_000_000
"""Cables up to which the page to explore has loads and scenarios in it: more of them, one by one, take over half a
gigabyte before anything is solved."""
COMPARED_IN_DETAIL = 600
"""Devices up to which a system before and after a scenario is drawn device by device."""


def view_of(
    compilation: Compilation, view: tree.View, sink: Sink, layout: Layout | None = None, *, loads: bool = True
) -> View | None:
    """Return a view block against its system, with the loads that it asks for (not without `loads`); None after a
    diagnostic in the sink."""
    plan = compilation.pick(view.of.text)
    checked = read_view(view, plan, evaluator_of(compilation, sink), layout)
    if checked is None or checked.load is None or not loads:
        return checked
    return with_loads(compilation, checked, checked.load, sink)


def draw_view(view: View, sink: Sink) -> Picture | None:
    """Return the picture of a view, laid out; None where it would have too many marks, which the sink then says.

    Raises:
        NotAnAssemblyError: the view's type has no parts.
        NothingPlacedError: a floor plan of what is placed nowhere.
    """
    return _drawn(lambda: picture_of(view), view, sink)


def _drawn(draw: Callable[[], Picture], view: View, sink: Sink) -> Picture | None:
    try:
        return draw()
    except TooManyMarksError as error:
        message = str(error).partition(": ")[0]
        sink.error("UB0801", message, view.span, "too many marks" if view.span else "", help=(too_many_help(view),))
        return None


def explorer_page(compilation: Compilation, system: str, sink: Sink) -> str:
    """Return the page to explore a system in, with its views; what is wrong with one of these goes to the sink."""
    plan = compilation.pick(system)
    drawn: dict[str, Picture] = {}
    left_out: list[str] = []
    for name, node in views(compilation, system).items():
        view = view_of(compilation, node, sink)
        picture = draw_view(view, sink) if view is not None else None
        if picture is not None:
            drawn[name] = picture
    loads: dict[str, dict[str, ShownLoads]] = {}
    solved = list(_solved(compilation, plan, sink, left_out, loads))
    return explorer(plan, drawn, solved, left_out, loads)


def _solved(
    compilation: Compilation, plan: Plan, sink: Sink, left_out: list[str], loads: dict[str, dict[str, ShownLoads]]
) -> Iterator[Shown]:
    """Yield an overview of each type for each traffic that has loads (steps of a collective have none) and for each
    operator of a training step, and the system before and after each scenario. What would take too long is not there:
    `left_out` then gets a sentence. `loads` gets those of cables."""
    names = traffics(compilation, plan.system), scenarios(compilation, plan.system)
    assert compilation.model is not None
    workloads = compilation.model.asked(tree.Workload, plan.system)
    if not any((*names, workloads)):
        return
    if plan.numbering.cable_count.get(plan.root, 0) > MOST_CABLES:
        left_out += _all_without(*names, workloads)
        return
    survey = PlanSummary(plan)
    small = plan.device_count[plan.root] <= COMPARED_IN_DETAIL
    view = View(survey, plan.root, "detail" if small else "overview")
    used: dict[str, Utilisation] = {}
    machine = NetworkContext(compilation.fabric(plan.system))
    if _work(machine) > MOST_SOLVED:
        left_out += _all_without(*names, workloads)
        return
    quiet = make_evaluator(compilation, machine, Sink())  # nobody has asked for these: what has no loads is left out
    for name in track(names[0], "loads"):
        utilisation = _utilisation(quiet, load_question(name, "ecmp"))
        if utilisation is not None:
            used[name] = utilisation
    for name, utilisation in (*used.items(), *operator_loads(quiet)):
        loads[name] = {"": shown_loads(plan, utilisation)}
        look = loaded(survey.look, utilisation)
        for key in reversed(plan.bottom_up):
            drawn = overview_picture(plan, key, evolve(survey, look=look))
            yield Shown("overview", key, svg(without_links(drawn)), traffic=name)
    asker = make_evaluator(compilation, machine, sink)
    for scenario in track(names[1], "scenarios"):
        broken = _broken(compilation, view, scenario, asker)
        if broken is None:
            continue
        if _work(broken.left.machine) > MOST_SOLVED:
            left_out.append(_without("scenario", scenario))
            continue
        pictures = {"": _before_and_after(view, broken, None, sink)}
        left = evolve(broken.left, selector=evolve(broken.left.selector, evaluator=quiet.evaluator))
        for name, before in used.items():
            after = _utilisation(left, load_question(name, "ecmp"), before.rate)
            if after is not None and after.fabric.plan is plan:  # with a spare in place of a part, rules are others
                loads[name][scenario] = shown_loads(plan, after)
            pictures[name] = _before_and_after(view, broken, (before, after), Sink()) if after is not None else None
        for name, picture in pictures.items():
            if picture is not None:
                yield Shown("before and after", plan.root, svg(without_links(picture)), True, name, scenario)


def _work(machine: NetworkContext) -> int:
    """Return what solving loads, or losses, takes: one pass over the arcs for each end point that is like no other."""
    return len(machine.symmetry.representatives(np.arange(machine.network.ends))[0]) * machine.network.arcs


def _all_without(traffic: Iterable[str], scenario: Iterable[str], workload: Iterable[str]) -> list[str]:
    """Return what the page says where it shows none of these."""
    told = [_without("traffic", name) for name in traffic] + [_without("scenario", name) for name in scenario]
    return told + [
        f"What the workload {name} puts on cables is not in this page: it takes long to work out here."
        for name in workload
    ]


def _without(what: str, name: str) -> str:
    """Return what the page says of a traffic or scenario that it does not show."""
    asked = f"--scenario {name}" if what == "scenario" else f"--traffic {name}"
    return f"The {what} {name} is not in this page: it takes long to work out here. `ubusc render {asked}` draws it."


def plain_view(plan: Plan, key: str | None, layout: Layout) -> View:
    """Return a picture of a type (by default the system) that no view block describes."""
    return View(PlanSummary(plan), key or plan.root, layout)


def load_question(traffic: str, routing: str) -> tree.Expr:
    """`load(TRAFFIC, routing = ROUTING)` as an expression of the language.

    Raises:
        ValueError: the routing is not written as one.
    """
    return routed_question("load", traffic, routing)


def with_loads(compilation: Compilation, view: View, question: tree.Expr, sink: Sink) -> View | None:
    """Return the view with its cables coloured by how much of them a traffic uses; None after a diagnostic in the sink.

    `question` is `load(TRAFFIC, routing = …)`, or the word `load` alone where the system has a single traffic.
    """
    plan = view.survey.whole or view.plan
    utilisation = _utilisation(_asker(compilation, plan, sink), question)
    return view.with_style(loaded(view.survey.look, utilisation)) if utilisation is not None else None


def compare(
    compilation: Compilation, view: View, scenario: str, question: tree.Expr | None, sink: Sink
) -> Picture | None:
    """Return the machine undamaged, and as a scenario leaves it, on one scale of loads; None after a diagnostic in the
    sink.

    `view` is of the whole system. Without a `question` (see `with_loads`) it shows what is lost and no loads.

    Raises:
        ValueError: the view leaves parts out, or is of one of them, or is a floor plan or an elevation.
    """
    plan = view.plan
    if (
        view.survey.whole is not None
        or view.key != plan.root
        or view.layout in ("floor", "elevation")
        or view.survey.look.closed
    ):
        raise ValueError("a scenario is drawn on the whole system, folded or device by device")
    asker = _asker(compilation, plan, sink)
    broken = _broken(compilation, view, scenario, asker)
    if broken is None:
        return None
    if question is None:
        return _before_and_after(view, broken, None, sink)
    before = _utilisation(asker, question)
    after = None if before is None else _utilisation(broken.left, question, before.rate)
    if before is None or after is None:
        return None
    return _before_and_after(view, broken, (before, after), sink)


@frozen(eq=False)
class _Broken:
    """What a scenario leaves of a system: its name, how it looks, and what was found of it."""

    scenario: str
    view: View
    found: After

    @property
    def left(self) -> MeasureEvaluator:
        return self.found.left


def _broken(compilation: Compilation, view: View, scenario: str, asker: MeasureEvaluator) -> _Broken | None:
    """Return the system of a view and of an asker after a scenario; None after a diagnostic."""
    damaged = after(compilation, scenario, asker)
    if damaged is None:
        return None
    plan = damaged.left.machine.fabric.plan
    if plan is not view.plan:
        view = evolve(view, survey=evolve(view.survey, plan=plan), key=plan.root)
    look = evolve(view.survey.look, lost=lost_of(damaged.left.machine))
    return _Broken(scenario, view.with_style(look), damaged)


def _before_and_after(
    view: View, broken: _Broken, both: tuple[Utilisation, Utilisation] | None, sink: Sink
) -> Picture | None:
    """Return the system of a view, and what a scenario leaves of it, with their loads on one scale."""
    lost = broken.view.survey.look.lost
    if lost is not None and broken.view.plan is view.plan:
        view = view.with_style(evolve(view.survey.look, lost=evolve(lost, shown=False)))
    shown, words = [view, broken.view], [["all parts are there"], list(broken.found.said)]
    notes: list[str] = []
    legend: list[list[Mark]] = []
    if both is not None:
        shown = [
            each.with_style(loaded(each.survey.look, loads, alone=False))
            for each, loads in zip(shown, both, strict=True)
        ]
        words = [[*said, each.busiest] for said, each in zip(words, both, strict=True)]
        notes, legend = [both[0].said], [load_scale()]
    panels = [
        Panel("base", shown[0], "base", words[0]),
        Panel("scenario", shown[1], f"scenario {broken.scenario}", words[1]),
    ]
    return _drawn(lambda: comparison(panels, head_of(view.survey, view.key, "").title, notes, legend), view, sink)


def _asker(compilation: Compilation, plan: Plan, sink: Sink) -> MeasureEvaluator:
    """Who answers questions on the undamaged system."""
    return make_evaluator(compilation, NetworkContext(compilation.fabric(plan.system)), sink)


def _utilisation(asker: MeasureEvaluator, question: tree.Expr, rate_Bps: float | None = None) -> Utilisation | None:  # noqa: N803
    """Utilisation of the cables where end points send `rate_Bps`, by default the rate of the question; None after a
    diagnostic."""
    if not isinstance(question, tree.Call):
        if len(asker.traffics) != 1:
            listed = ", ".join(f"`load({name})`" for name in asker.traffics) or "`load(alltoall(all npu))`"
            help = (f"write {listed}",)
            asker.evaluator.sink.error("UB0810", "the load of which traffic?", question.span, "here", help=help)
            return None
        question = load_question(next(iter(asker.traffics)), "ecmp")
    utilisation = asker.utilisation(_as_load(question), rate_Bps)
    if utilisation is None:
        return None
    what = f"{utilisation.traffic}, {utilisation.routing.text}" + (
        " (an estimate)" if utilisation.loads.estimate else ""
    )
    return Utilisation.of(
        utilisation.machine, utilisation.share, what, utilisation.rate_Bps, alike=utilisation.senders.alike
    )


def _as_load(question: tree.Expr) -> tree.Expr:
    """`utilisation(t)` is another word for `load(t)`."""
    if isinstance(question, tree.Call) and question.function.span.text == "utilisation":
        name = tree.Name("load", span=question.function.span)
        return evolve(question, function=name)
    return question
