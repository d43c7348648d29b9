"""The trace of a path: each port and cable from one end point to another, with the nanoseconds that each takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.base.units import NUMBER, TIME, format_number
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, clipped, straight
from unifiedbus_dsl.render.plan_summary import PlanSummary, cable_rate, medium, rate_text, type_called
from unifiedbus_dsl.render.sheet import box_entry, kind_entries, line_entry, sheet, text_entry
from unifiedbus_dsl.solver.network_context import NetworkContext

_WIDE, _TALL, _APART = 210.0, 34.0, 62.0
_TEXT = _WIDE / 2 + 14
_SCALE = 430.0
"""Where the scale of times begins, and how long it is."""
_LONG = 300.0
DEVICE = palette.KindStyle("#e6e9ec", "#55626f", "square")


@frozen
class Hop:
    """A cable of a path: its ends, what it is, and its seconds."""

    ends: tuple[str, str]
    link: str
    seconds: float
    parallel: int


def trace(compilation: Compilation, plan: Plan, pair: str, sink: Sink) -> Picture | None:
    """Return the fastest path of a pair, `A -> B`, device by device; None after a diagnostic in the sink."""
    calls = measure_calls(f"paths({pair})", sink)
    if len(calls) != 1:
        return None
    fabric = compilation.fabric(plan.system)
    answer = make_evaluator(compilation, NetworkContext(fabric), sink).answer(calls[0])
    if answer is None:
        return None
    survey = PlanSummary(plan)
    path = answer.detail["fastest"]
    hops = _hops(fabric, path)
    marks = _drawn(survey, fabric, path, hops)
    head = head_of(survey, plan.root, "trace of a path")
    links = {medium(plan, hop.link): survey.colours[medium(plan, hop.link)] for hop in hops}
    legend = [
        *(line_entry(f"legend-{name}", palette.medium_name(name), colour) for name, colour in links.items()),
        box_entry("legend-device-time", "time in a device", DEVICE),
        text_entry("legend-zero", "zero load, cut-through" + _estimate(answer)),
    ]
    legend += kind_entries(survey.figures[plan.root])
    cables = len(hops)
    tiles = [
        (
            shown(path["time"], TIME),
            f"of the fastest path, {answer.standing if not _estimate(answer) else 'an estimate'}",
        ),
        (f"{cables:,}", "cable" if cables == 1 else "cables"),
        (shown(answer.value, NUMBER), f"paths of {answer.detail['hops']} cables"),
    ]
    notes = [f"{path['devices'][0]} to {path['devices'][-1]}", *head.notes]
    return sheet(head.title, head.kind, [(note, "") for note in notes], tiles, marks, legend)


def _estimate(answer: Answer) -> str:
    said = [each for each in answer.assumptions if each.startswith("an estimate")]
    return f"; {said[0]}" if said else ""


def _hops(fabric: Fabric, path: dict[str, Any]) -> list[Hop]:
    """Return the cables of a path: of several in parallel the first."""
    devices = [fabric.device_id(name) for name in path["devices"]]
    links = list(fabric.plan.links)
    of_cable = fabric.kinds.link[fabric.kind]
    hops = []
    for k, (link, seconds, parallel) in enumerate(zip(path["links"], path["cable_s"], path["parallel"], strict=True)):
        a, b = devices[k : k + 2]
        forth = (fabric.a_device == a) & (fabric.b_device == b)
        back = (fabric.a_device == b) & (fabric.b_device == a)
        cable = int(np.flatnonzero((forth | back) & (of_cable == links.index(link)))[0])
        left, right = (str(each[0]) for each in fabric.end_names([cable]))
        hops.append(Hop((left, right) if forth[cable] else (right, left), link, float(seconds), int(parallel)))
    return hops


def _drawn(survey: PlanSummary, fabric: Fabric, path: dict[str, Any], hops: list[Hop]) -> list[Mark]:
    """Return devices one below the other with the cables between them, and on the right the scale of times."""
    plan = survey.plan
    inside = _inside(path)
    whole = float(path["time"]) or 1.0
    marks: list[Mark] = []
    passed = 0.0
    for k, name in enumerate(path["devices"]):
        y = k * (_TALL + _APART)
        key = list(plan.devices)[int(fabric.device_type[fabric.device_id(name)])]
        look = palette.kind_style(plan.devices[key].kind)
        tip = f"{name} : {type_called(key)}"
        marks.append(Box(f"device-{k}", -_WIDE / 2, y, _WIDE, _TALL, look.fill, look.stroke, 1.0, look.shape,
                         role="device", tip=tip))  # fmt: skip
        text = clipped(name, 11, _WIDE * 0.8)
        marks.append(Text(f"device-{k}-name", 0.0, y + _TALL / 2, text, 11, True, role="name", tip=tip))
        if inside[k] > 0:
            marks += _time(f"in-{k}", y + _TALL / 2, passed, inside[k], whole, DEVICE.fill, DEVICE.stroke, f"in {name}")
        passed += inside[k]
        if k == len(hops):
            break
        hop = hops[k]
        colour = survey.colours[medium(plan, hop.link)]
        low = y + _TALL
        tip = f"1 × {hop.link}: {name} -- {path['devices'][k + 1]}"
        marks.append(Line(f"cable-{k}", straight((0.0, low), (0.0, low + _APART)), colour, 2.2, role="cable", tip=tip))
        for line, said in enumerate(_said(plan, fabric, hop)):
            colour_of = palette.QUIET if line == 1 else palette.INK
            text, at = clipped(said, 10.5, _SCALE - 24), low + 14 + 15 * line
            marks.append(
                Text(f"cable-{k}-{line}", 12.0, at, text, 10.5, False, colour_of, "start", role="words", tip=said)
            )
        marks += _time(f"over-{k}", low + _APART / 2, passed, hop.seconds, whole, colour, colour, f"over {hop.link}")
        passed += hop.seconds
    return marks


def _inside(path: dict[str, Any]) -> list[float]:
    """Return the seconds in each device: those that `device_s` has for the devices in between, none at the ends."""
    devices, inside = path["devices"], [float(each) for each in path["device_s"]]
    rest = len(devices) - len(inside)
    return [0.0] * (rest // 2) + inside + [0.0] * (rest - rest // 2)


def _said(plan: Plan, fabric: Fabric, hop: Hop) -> tuple[str, str, str]:
    """Return the port that a cable leaves, what it is, and the port that it enters."""
    link = plan.links[hop.link]
    lanes = {rule.lanes for key in plan.bottom_up for rule in plan.assemblies[key].rules if rule.link == hop.link}
    rate = f", {rate_text(cable_rate(plan, hop.link, lanes.pop()))}" if len(lanes) == 1 else ""
    more = f", {hop.parallel} in parallel" if hop.parallel > 1 else ""
    what = f"{link.name} ({palette.medium_name(medium(plan, hop.link))}){rate}{more} · {_ns(hop.seconds)}"
    return f"from {hop.ends[0]}", what, f"to {hop.ends[1]}"


def _ns(seconds: float) -> str:
    return f"{format_number(round(seconds * 1e9, 3))} ns"


def _time(
    id: str, y: float, start: float, seconds: float, whole: float, fill: str, stroke: str, what: str
) -> list[Mark]:
    """Return a bar on the scale of times, from when the first bit is there to when it leaves."""
    x, width = _SCALE + _LONG * start / whole, max(0.8, _LONG * seconds / whole)
    tip = f"{what}: {_ns(seconds)}, from {_ns(start)} on"
    bar = Box(f"time-{id}", x, y - 6, width, 12, fill, stroke, 0.8, "square", role="time", tip=tip)
    return [bar, Text(f"time-{id}-said", x + width + 5, y, _ns(seconds), 10, anchor="start", role="time-said", tip=tip)]
