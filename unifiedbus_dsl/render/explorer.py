"""A page to explore a machine in: one file without any network, its data by type, so its size is that of the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from attrs import asdict, frozen

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.escape import html
from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Child,
    Const,
    DeviceType,
    IndexExpr,
    Lookup,
    Not,
    Op,
    Plan,
    PortRef,
    Rule,
    Value,
    Var,
)
from unifiedbus_dsl.ir.plan.labels import label_table, shape_text
from unifiedbus_dsl.ir.plan.lengths import millimetres
from unifiedbus_dsl.ir.plan.numbering import micrometres
from unifiedbus_dsl.ir.plan.text import value_text
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.dark import KEPT, night_colours, page_style
from unifiedbus_dsl.render.detail import TooManyMarksError, detail_picture
from unifiedbus_dsl.render.floor import NothingPlacedError, floor_picture
from unifiedbus_dsl.render.floor_spots import MOST_PLACES
from unifiedbus_dsl.render.marks import Picture
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.palette import medium_colours
from unifiedbus_dsl.render.pictures import without_links
from unifiedbus_dsl.render.plan_summary import PlanSummary, ends_called, medium, rate_text, with_spares
from unifiedbus_dsl.render.svg import svg

MOST_DETAIL = 600
"""Devices of a type of which the page holds a picture one by one."""

_FOLDER = Path(__file__).with_name("page")
_PROGRAM = ("machine", "wiring", "routes", "sheet", "address", "panel", "main")
"""The scripts of the page, in the order in which they run: one program in one element."""


@frozen
class ShownLoads:
    """Loads of cables in their busier direction, and in `said` what they are loads of: of each rule of each assembly
    type the least and the most over all instances; and of all cables, in the order of the fabric, as runs (load,
    cables), where these are not too many."""

    said: str
    rules: Mapping[str, Sequence[tuple[float, float]]]
    runs: Sequence[tuple[float, int]] | None


Loads: TypeAlias = Mapping[str, Mapping[str, ShownLoads]]
"""By traffic and scenario; the name "" is that of none."""


@frozen
class Shown:
    """A picture on the page: its name in the menu, the type it is of, and the SVG. One that is `everywhere` can be
    chosen at any part. `traffic` and `scenario` are those that it shows."""

    label: str
    type: str
    svg: str
    everywhere: bool = False
    traffic: str = ""
    scenario: str = ""


def explorer(
    plan: Plan,
    views: Mapping[str, Picture] | None = None,
    solved: Sequence[Shown] = (),
    left_out: Sequence[str] = (),
    loads: Loads | None = None,
) -> str:
    """Return the page of a system. `views` are pictures by name that can be chosen too; `solved` those of traffic and
    of scenarios; `left_out` says, a sentence each, what is not there; `loads` are those of cables.

    Raises:
        NoGraphvizError: there is nothing to draw with.
    """
    pictures = [
        *type_pictures(plan),
        *(Shown(f"view {n}", plan.root, svg(without_links(p)), True) for n, p in (views or {}).items()),
        *solved,
    ]
    tables: dict[tuple[int, ...], int] = {}
    media = {medium(plan, name) for name in plan.links}
    colours = medium_colours(sorted(media))
    data = {
        "system": plan.system,
        "root": plan.root,
        "types": type_data(plan, tables),
        "tables": list(tables),
        "links": {name: _link(plan, name) for name in plan.links},
        "loads": {
            traffic: {scenario: asdict(each) for scenario, each in under.items()}
            for traffic, under in (loads or {}).items()
        },
        "loadColours": palette.LOADS,
        "night": night_colours(each.svg for each in pictures),
        "kept": KEPT,
        "loadLimits": palette.LOAD_LIMITS,
        "kinds": {kind: [style.fill, style.stroke] for kind, style in palette.KINDS.items()}
        | {"assembly": [palette.PAPER, palette.FRAME]},
        "media": {name: [palette.medium_name(name), colours[name]] for name in sorted(media)},
        "traffics": list(dict.fromkeys(each.traffic for each in pictures if each.traffic)),
        "scenarios": list(dict.fromkeys(each.scenario for each in pictures if each.scenario)),
        "leftOut": list(left_out),
        "pictures": [asdict(each) for each in pictures],
    }
    style = page_style([each.svg for each in pictures])
    parts = {"TITLE": html.text(plan.system), "DATA": html.script_data(data), "PICTURES": style}
    return html.filled(_page(), parts)


def _page() -> str:
    """Return the page without its data. Its one script is named by its hash: no other, and no link or attribute, can
    run."""
    program = '"use strict";\n' + "\n".join(_read(f"{name}.js") for name in _PROGRAM)
    page = html.filled(_read("explorer.html"), {"PROGRAM": program, "STYLE": _read("explorer.css")})
    script = page[page.rindex("<script>") + len("<script>") : page.rindex("</script>")]
    return html.filled(page, {"SCRIPT": html.source_hash(script)})


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").rstrip()


def _link(plan: Plan, name: str) -> dict[str, Any]:
    """Return the figures of a link: byte/s of a lane, seconds of a cable and of a metre of it, slack in micrometres."""
    link = plan.links[name]
    protocol = plan.protocols[link.protocol]
    fixed, delay, slack = (float(_quantity(link.fields.get(field))) for field in ("latency", "delay", "slack"))
    return {
        "protocol": link.protocol,
        "medium": medium(plan, name),
        "laneRate": float(protocol.lane_rate),
        "fixed": float(protocol.latency) + fixed,
        "delay": delay,
        "slack": round(slack * 1e6),
        "unknown": list(protocol.assumed),
    }


def _quantity(value: Value | None) -> Fraction:
    return value.value if isinstance(value, Quantity) else Fraction(0)


def type_pictures(plan: Plan) -> list[Shown]:
    """Return an overview of each assembly type, every device of the small ones, and the floor of the system."""
    survey = PlanSummary(plan)
    pictures = [
        Shown("overview", key, svg(without_links(overview_picture(plan, key, survey))))
        for key in reversed(plan.bottom_up)
    ]
    small = [key for key in reversed(plan.bottom_up) if plan.device_count[key] <= MOST_DETAIL]
    pictures += [Shown("every device", key, svg(detail_picture(plan, key, survey))) for key in small]
    if plan.device_count[plan.root] <= 40 * MOST_PLACES:
        with suppress(NothingPlacedError, TooManyMarksError):
            pictures.append(Shown("floor", plan.root, svg(floor_picture(plan, plan.root, survey))))
    return pictures


def type_data(plan: Plan, tables: dict[tuple[int, ...], int]) -> dict[str, Any]:
    """Return what the page says of each type, and the rules by which it finds what is joined to what."""
    survey = PlanSummary(plan)
    devices = {key: _device(plan, device) for key, device in plan.devices.items()}
    return devices | {key: _assembly(plan, survey, plan.assemblies[key], tables) for key in plan.bottom_up}


def _common(plan: Plan, kind: DeviceType | AssemblyType) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "doc": kind.doc or "",
        "instances": plan.in_service[kind.key],
        "spares": plan.instances[kind.key] - plan.in_service[kind.key],
        "devices": plan.device_count[kind.key],
        "cables": plan.numbering.cable_count[kind.key],
        "passing": float(_quantity(kind.fields.get("latency"))),
        "fields": {name: value_text(value) for name, value in kind.fields.items()},
    }


def _device(plan: Plan, device: DeviceType) -> dict[str, Any]:
    ports = [
        [
            port.name,
            f"{port.protocol} x{port.lanes} · {rate_text(port.lanes * plan.protocols[port.protocol].lane_rate)}",
            list(port.shape),
        ]
        for port in device.ports
    ]
    shapes = {port.name: list(port.shape) for port in device.ports}
    lines = {
        "transit": [list(line) for line in device.transit],
        "between": [[list(side) for side in line] for line in device.between],
    }
    return {**_common(plan, device), "ports": ports, "portShapes": shapes, **lines}


def _assembly(
    plan: Plan, survey: PlanSummary, assembly: AssemblyType, tables: dict[tuple[int, ...], int]
) -> dict[str, Any]:
    figures = survey.figures[assembly.key]
    counts = {**figures.assemblies, **figures.devices}
    contents = [[kind, with_spares(count, figures.spares.get(kind, 0))] for kind, count in counts.items()]
    contents.append(["cables inside", with_spares(figures.cables, figures.spare_cables)])
    return {
        **_common(plan, assembly),
        "ports": [[e.text_name, " × ".join(map(str, e.shape)) or "1"] for e in assembly.exports],
        "children": [_child(child) for child in assembly.children],
        "contents": contents,
        "portShapes": {e.name: list(e.shape) for e in assembly.exports},
        "exports": [{"name": e.name, "axes": _axes(e.axes), "ref": _ref(e.ref, tables)} for e in assembly.exports],
        "rules": [
            {**_rule(rule, tables), "size": plan.numbering.rule_size(assembly.key, number)}
            for number, rule in enumerate(assembly.rules)
        ],
        "bundles": [
            [f"{' – '.join(ends_called(assembly, b))} · {b.link}", b.text, _numbers(assembly, b.rules)]
            for b in survey.bundles[assembly.key]
        ],
        "places": _places(assembly),
    }


def _numbers(assembly: AssemblyType, rules: Sequence[Rule]) -> list[int]:
    """Return the places of rules among those of their assembly."""
    wanted = {id(rule) for rule in rules}
    return [number for number, rule in enumerate(assembly.rules) if id(rule) in wanted]


def _places(assembly: AssemblyType) -> dict[str, list[list[int]]]:
    """Return where the elements of the placed child arrays stand, in micrometres: all x, all y."""
    return {
        each.child: [[micrometres(position[axis]) for position in each.positions] for axis in (0, 1)]
        for each in assembly.floor_places
    }


def _child(child: Child) -> dict[str, Any]:
    """Return a child array; of one with elements left out, the sizes of each dimension with the labels that are
    there."""
    made: dict[str, Any] = {"name": child.name, "shape": list(child.shape), "type": child.type}
    if child.labels:
        made["labels"] = [[list(labels.sizes), list(label_table(labels))] for labels in child.labels]
        made["text"] = shape_text(child)
    if child.array:
        made["called"] = child.array
    return made


# ---- rules ------------------------------------------------------------------------------------------------------

Json: TypeAlias = Any


def _rule(rule: Rule, tables: dict[tuple[int, ...], int]) -> Json:
    return {
        "left": _ref(rule.left, tables),
        "right": _ref(rule.right, tables),
        "axes": _axes(rule.axes),
        "where": None if rule.where is None else _expression(rule.where, tables),
        "link": rule.link,
        "lanes": rule.lanes,
        "length": None if rule.length is None else millimetres(rule.length),
    }


def _axes(axes: Sequence[Axis]) -> Json:
    return [[axis.name, axis.low, axis.high, axis.step] for axis in axes]


def _ref(ref: PortRef, tables: dict[tuple[int, ...], int]) -> Json:
    at, port_at = ([_expression(each, tables) for each in side] for side in (ref.at, ref.port_at))
    return [ref.child, at, ref.port, port_at]


def _expression(e: IndexExpr, tables: dict[tuple[int, ...], int]) -> Json:
    """Return an index expression as `wiring.js` reads it; each table stands once in `tables`."""
    match e:
        case Const(value):
            return value
        case Var(name):
            return name
        case Op(op, left, right):
            return [op, _expression(left, tables), _expression(right, tables)]
        case Not(operand):
            return ["not", _expression(operand, tables)]
        case Lookup(table, at):
            return ["table", tables.setdefault(table, len(tables)), _expression(at, tables)]
