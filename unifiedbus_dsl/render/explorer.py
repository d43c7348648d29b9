"""A page to explore a machine in: one file without any network, its data by type, so its size is that of the text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from attrs import frozen

from unifiedbus_dsl.elaborate.values import value_text
from unifiedbus_dsl.network import Network
from unifiedbus_dsl.plan import AssemblyType, DeviceType, Plan
from unifiedbus_dsl.render.detail import TooManyMarksError, detail_picture
from unifiedbus_dsl.render.facts import Survey, rate_text
from unifiedbus_dsl.render.floor import MOST_PLACES, NothingPlacedError, floor_picture
from unifiedbus_dsl.render.marks import Picture, printable
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.svg import svg

MOST_DETAIL = 600
"""Devices of a type of which the page holds a picture one by one."""
MOST_ROUTED = 2_000
"""Devices of a system for which the page finds paths."""

_PAGE = Path(__file__).with_name("explorer.html")


@frozen
class Shown:
    """A picture on the page: its name in the menu, the type it is of, and the SVG. One that is `everywhere` can be
    chosen at any part."""

    label: str
    type: str
    svg: str
    everywhere: bool = False


def explorer(
    plan: Plan, views: Mapping[str, Picture] | None = None, network: Network | None = None, names: Sequence[str] = ()
) -> str:
    """The page of a system. `views` are pictures by name that can be chosen too; `network`, with the names of its
    devices, lets the page find paths.

    Raises:
        NoGraphvizError: there is nothing to draw with.
    """
    pictures = [*type_pictures(plan), *(Shown(f"view {n}", plan.root, svg(p), True) for n, p in (views or {}).items())]
    data = {
        "system": plan.system,
        "root": plan.root,
        "types": type_data(plan),
        "pictures": [
            {"label": each.label, "type": each.type, "everywhere": each.everywhere, "svg": each.svg}
            for each in pictures
        ],
        "network": network_data(network, names) if network is not None else None,
    }
    page = _PAGE.read_text(encoding="utf-8")
    return page.replace("@TITLE@", escape(printable(plan.system)), 1).replace("@DATA@", embedded(data), 1)


def embedded(data: Any) -> str:
    """JSON that stays data wherever it stands in a page: no `<`, so nothing in it can end a script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def type_pictures(plan: Plan) -> list[Shown]:
    """An overview of each assembly type, every device of the small ones, and the floor of the system."""
    survey = Survey(plan)
    found = [Shown("overview", key, svg(overview_picture(plan, key, survey))) for key in reversed(plan.bottom_up)]
    small = [key for key in reversed(plan.bottom_up) if plan.device_count[key] <= MOST_DETAIL]
    found += [Shown("every device", key, svg(detail_picture(plan, key, survey))) for key in small]
    if plan.device_count[plan.root] <= 40 * MOST_PLACES:
        with suppress(NothingPlacedError, TooManyMarksError):
            found.append(Shown("floor", plan.root, svg(floor_picture(plan, plan.root, survey))))
    return found


def type_data(plan: Plan) -> dict[str, Any]:
    """What the page says of each type."""
    survey = Survey(plan)
    devices = {key: _device(plan, device) for key, device in plan.devices.items()}
    return devices | {key: _assembly(plan, survey, plan.assemblies[key]) for key in plan.bottom_up}


def _common(plan: Plan, kind: DeviceType | AssemblyType) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "doc": kind.doc or "",
        "instances": plan.instances[kind.key],
        "fields": {name: value_text(value) for name, value in kind.fields.items()},
    }


def _device(plan: Plan, device: DeviceType) -> dict[str, Any]:
    ports = [
        [
            port.name + (f"[{', '.join(map(str, port.shape))}]" if port.shape else ""),
            f"{port.protocol} x{port.lanes} · {rate_text(port.lanes * plan.protocols[port.protocol].lane_rate)}",
        ]
        for port in device.ports
    ]
    return {**_common(plan, device), "ports": ports}


def _assembly(plan: Plan, survey: Survey, assembly: AssemblyType) -> dict[str, Any]:
    figures = survey.figures[assembly.key]
    counts = {**figures.assemblies, **figures.devices}
    contents = [*([kind, f"{count:,}"] for kind, count in counts.items()), ["cables inside", f"{figures.cables:,}"]]
    return {
        **_common(plan, assembly),
        "ports": [[e.name, " × ".join(map(str, e.shape)) or "1"] for e in assembly.exports],
        "children": [{"name": c.name, "shape": list(c.shape), "type": c.type} for c in assembly.children],
        "contents": contents,
        "bundles": [[f"{b.left} – {b.right} · {b.link}", b.text] for b in survey.bundles[assembly.key]],
    }


def network_data(network: Network, names: Sequence[str]) -> dict[str, Any]:
    """Vertices with their device, whether they forward, and where their arcs lead."""
    starts = network.device_start.tolist()
    device = [d for d in range(len(starts) - 1) for _ in range(starts[d], starts[d + 1])]
    rows = network.indptr.tolist()
    following = [sorted(set(network.head[rows[v] : rows[v + 1]].tolist())) for v in range(network.vertices)]
    return {"names": list(names), "device": device, "forwards": network.forwards.tolist(), "next": following}
