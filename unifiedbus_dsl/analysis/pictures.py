"""Views of a compilation, and pictures that show what the solver found."""

from __future__ import annotations

import itertools

import numpy as np
from attrs import evolve

from unifiedbus_dsl.analysis.measures import Asker
from unifiedbus_dsl.analysis.selections import FabricSelector
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.scope import Scope
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.network import Floats, cable_ends
from unifiedbus_dsl.pipeline import Compilation
from unifiedbus_dsl.plan import Plan
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.explorer import MOST_ROUTED, explorer
from unifiedbus_dsl.render.facts import Survey
from unifiedbus_dsl.render.look import Loads, Look
from unifiedbus_dsl.render.marks import Line, Mark, Picture, Text, straight
from unifiedbus_dsl.render.pictures import TooManyMarksError, picture_of, too_many_help
from unifiedbus_dsl.render.views import Layout, View, link_text, read_view
from unifiedbus_dsl.solve.machine import Machine
from unifiedbus_dsl.source import Source
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse


def views(compilation: Compilation, system: str | None = None) -> dict[str, tree.View]:
    """The view blocks of a system (by default of all), by name."""
    assert compilation.model is not None
    found = compilation.model.main.questions.get("view", {})
    return {n: v for n, v in found.items() if isinstance(v, tree.View) and system in (None, v.of.text)}


def traffics(compilation: Compilation, system: str) -> dict[str, tree.Traffic]:
    """The traffic of a system, by name."""
    assert compilation.model is not None
    found = compilation.model.main.questions.get("traffic", {})
    return {n: t for n, t in found.items() if isinstance(t, tree.Traffic) and t.of.text == system}


def view_of(compilation: Compilation, view: tree.View, sink: Sink, layout: Layout | None = None) -> View | None:
    """A view block against its system, with the loads that it asks for; None after a diagnostic in the sink."""
    plan = compilation.pick(view.of.text)
    found = read_view(view, plan, _evaluator(compilation, sink), layout)
    if found is None or found.load is None:
        return found
    return with_loads(compilation, found, found.load, sink)


def draw_view(view: View, sink: Sink) -> Picture | None:
    """The picture of a view, laid out; None where it would have too many marks, which the sink then says.

    Raises:
        NotAnAssemblyError: the view's type has no parts.
        NothingPlacedError: a floor plan of what is placed nowhere.
    """
    try:
        return picture_of(view)
    except TooManyMarksError as error:
        message = str(error).partition(": ")[0]
        sink.error("UB0801", message, view.span, "too many marks" if view.span else "", help=(too_many_help(view),))
        return None


def explorer_page(compilation: Compilation, system: str, sink: Sink) -> str:
    """The page to explore a system in, with its views; what is wrong with one of these goes to the sink."""
    plan = compilation.pick(system)
    drawn: dict[str, Picture] = {}
    for name, node in views(compilation, system).items():
        view = view_of(compilation, node, sink)
        picture = draw_view(view, sink) if view is not None else None
        if picture is not None:
            drawn[name] = picture
    if plan.device_count[plan.root] > MOST_ROUTED:
        return explorer(plan, drawn)
    fabric = compilation.fabric(system)
    names = fabric.device_names(np.arange(fabric.device_count)).tolist()
    return explorer(plan, drawn, Machine(fabric).network, [str(name) for name in names])


def plain_view(plan: Plan, key: str | None, layout: Layout) -> View:
    """A picture of a type (by default the system) that no view block describes."""
    return View(Survey(plan), key or plan.root, layout)


def load_question(traffic: str, routing: str) -> tree.Expr:
    """`load(TRAFFIC, routing = ROUTING)` as an expression of the language."""
    text = f"ubus 1\nanalyze q of q {{ load({traffic}, routing = {routing}) }}\n"
    block = next(s for s in parse(Source("<picture>", text), Sink()).statements if isinstance(s, tree.Analyze))
    measure = block.items[0]
    assert isinstance(measure, tree.Measure)
    return measure.value


def with_loads(compilation: Compilation, view: View, question: tree.Expr, sink: Sink) -> View | None:
    """The view with its cables coloured by how much of them a traffic uses; None after a diagnostic in the sink.

    `question` is `load(TRAFFIC, routing = …)`, or the word `load` alone where the system has a single traffic.
    """
    plan = view.survey.whole or view.plan
    known = traffics(compilation, plan.system)
    if not isinstance(question, tree.Call):
        if len(known) != 1:
            listed = ", ".join(f"`load({name})`" for name in known) or "`load(alltoall(all npu))`"
            sink.error("UB0810", "the load of which traffic?", question.span, "here", help=(f"write {listed}",))
            return None
        question = load_question(next(iter(known)), "ecmp")
    machine = Machine(compilation.fabric(plan.system))
    assert compilation.model is not None
    selector = FabricSelector.of(machine.fabric, compilation.model, _evaluator(compilation, sink))
    before = len(list(sink))
    found = Asker(machine, selector, known, plan.system).utilisation(_as_load(question))
    if found is None:
        assert len(list(sink)) > before
        return None
    shares, traffic, routing, rate = found
    return view.looking(_loaded(view.survey.look, machine, shares, f"{traffic}, {routing}", rate))


def _as_load(question: tree.Expr) -> tree.Expr:
    """`utilisation(t)` is another word for `load(t)`."""
    if isinstance(question, tree.Call) and question.function.span.text == "utilisation":
        name = tree.Name("load", span=question.function.span)
        return evolve(question, function=name)
    return question


def _evaluator(compilation: Compilation, sink: Sink) -> Evaluator:
    model, done = compilation.model, compilation.elaborated
    assert model is not None
    assert done is not None
    return Evaluator(Scope(model.main, lets=done.elaborator.lets), sink)


# ---- loads ------------------------------------------------------------------------------------------------------


def _loaded(look: Look, machine: Machine, shares: Floats, what: str, rate: float) -> Look:
    fabric = machine.fabric
    each = _of_each_cable(machine, shares)
    most = float(each.max(initial=0.0))
    loads = Loads(_worst(fabric.plan, each), most, _PairLoads(fabric, each))
    said = f"load of cables under {what}, each end point sending {rate / 1e9:,.4g} GB/s"
    busiest = int(np.argmax(each))
    lines = [(said, ""), (f"busiest: {_percent(most)} at {fabric.cable_name(busiest)}", "")]

    def text(plan: Plan, key: str, rules: object, cables: int) -> str:
        assert isinstance(rules, tuple | list)
        worst = max(loads.share(key, rule) for rule in rules)
        base = link_text("rate")(plan, key, rules, cables)
        return f"{base} · {_percent(worst)}" + (" · busiest" if worst >= most * (1 - 1e-9) > 0 else "")

    return evolve(
        look, loads=loads, link_text=look.link_text or text, legend=_load_legend(most), notes=[*look.notes, *lines]
    )


def _of_each_cable(machine: Machine, shares: Floats) -> Floats:
    """Utilisation of each cable by the row of its arcs: those of one kind between two vertices share one."""
    fabric, network = machine.fabric, machine.network
    a, b = (side.astype(np.int64) for side in cable_ends(fabric))
    code = network.tail.astype(np.int64) * network.vertices + network.head
    found = np.zeros(fabric.cable_count)
    links = fabric.kinds.link[fabric.kind].astype(np.int64)
    rates = network.kinds.link[network.kind].astype(np.int64)
    many = int(max(links.max(initial=0), rates.max(initial=0))) + 1
    key = code * many + rates
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) > 0])
    largest = np.maximum.reduceat(shares[order], starts)
    known = key[order][starts]
    for tail, head in ((a, b), (b, a)):
        at = np.searchsorted(known, (tail * network.vertices + head) * many + links)
        found = np.maximum(found, largest[at])
    return found


class _PairLoads:
    """Utilisation of the busiest cable between two devices."""

    def __init__(self, fabric: Fabric, each: Floats) -> None:
        self._count = fabric.device_count
        a, b = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
        code = np.minimum(a, b) * self._count + np.maximum(a, b)
        order = np.argsort(code, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(code[order]) > 0])
        self._codes, self._most = code[order][starts], np.maximum.reduceat(each[order], starts)

    def __call__(self, a: int, b: int) -> float:
        code = min(a, b) * self._count + max(a, b)
        at = int(np.searchsorted(self._codes, code))
        found = at < len(self._codes) and self._codes[at] == code
        return float(self._most[at]) if found else 0.0


def _worst(plan: Plan, each: Floats) -> dict[tuple[str, int], float]:
    """The busiest cable of each rule of each assembly type, over all instances."""
    numbering = plan.numbering
    found: dict[tuple[str, int], float] = {}

    def visit(key: str, rows: Floats) -> None:
        """`rows` [instances, cables of one] of an assembly type."""
        assembly, starts = plan.assemblies[key], numbering.cable_starts[key]
        for at, child in enumerate(assembly.children):
            inside = numbering.cable_count.get(child.type, 0)
            if child.type in plan.assemblies and inside:
                part = rows[:, starts[at] : starts[at] + child.count * inside]
                visit(child.type, part.reshape(-1, inside))
        for number, rule in enumerate(assembly.rules):
            first = starts[len(assembly.children) + number]
            part = rows[:, first : first + numbering.rule_size(key, number)]
            found[key, id(rule)] = max(found.get((key, id(rule)), 0.0), float(part.max(initial=0.0)))

    visit(plan.root, each.reshape(1, -1))
    return found


def _percent(share: float) -> str:
    return f"{share * 100:,.3g} %" if share < 10 else f"{share * 100:,.0f} %"


def _load_legend(most: float) -> list[list[Mark]]:
    """What the colours of loads mean."""
    limits = [0.0, *palette.LOAD_LIMITS]
    texts = [f"{_percent(a * most)} – {_percent(b * most)}" for a, b in itertools.pairwise(limits)]
    texts.append(f"busiest: {_percent(most)}")
    return [
        [
            Line(f"legend-load-{i}-line", straight((0.0, 0.0), (22.0, 0.0)), colour, 3.0, role="legend"),
            Text(f"legend-load-{i}", 28, 0, text, 11, False, palette.QUIET, "start", role="legend"),
        ]
        for i, (text, colour) in enumerate(zip(texts, palette.LOADS, strict=True))
    ]
