"""The difference of two machines as a picture: the wanted one, with what is missing, what is extra and what is
otherwise at its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import evolve

from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.figures.loads import lost_of
from unifiedbus_dsl.importer.diff import Difference
from unifiedbus_dsl.importer.listing import Cable
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.before_after import WIDEST, lost_entries
from unifiedbus_dsl.render.cable_colours import MOST_LINES
from unifiedbus_dsl.render.detail import detail_drawing
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Mark, Picture
from unifiedbus_dsl.render.overview import TIGHTEST, overview_drawing
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.sheet import bounds, kind_entries, line_entry, sheet, text_entry
from unifiedbus_dsl.render.style import Added, Style
from unifiedbus_dsl.solver.network_context import NetworkContext

MOST_DEVICES = 600
"""Devices up to which each is drawn; else folds are opened where something is missing."""
EXTRA, OTHERWISE = "#8c00f0", "#b77a00"
_NAMED = 4
"""Of each sort, so many are written out."""


def difference_picture(compilation: Compilation, system: str, difference: Difference) -> Picture:
    """Return the wanted system with the differences drawn in it. What can't be drawn in it, as devices that it does not
    have, is written out above it."""
    fabric = compilation.fabric(system)
    plan = fabric.plan
    device = {str(name): d for d, name in enumerate(fabric.device_names(np.arange(fabric.device_count)).tolist())}
    wanted = [*difference.missing, *(m.wanted for m in difference.moved)]
    wanted += [cable for swap in difference.swapped for cable in swap.wanted]
    found = [*difference.extra, *(m.found for m in difference.moved)]
    found += [cable for swap in difference.swapped for cable in swap.found]
    lost_devices = [device[name] for name in difference.missing_devices if name in device]
    lost_cables = _numbers(fabric, wanted)
    damaged = NetworkContext(fabric).damaged(lost_devices, lost_cables)
    lost = lost_of(damaged)
    partly = _partly(fabric, np.asarray(damaged.cable_health) <= 0)
    otherwise = [*difference.rates, *difference.lengths]
    added = [
        *(Added(*pair, palette.LOST, f"{count:,} × {link}: {{}} -- {{}}, missing") for pair, link, count in partly),
        *_between(found, device, EXTRA, "extra"),
        *_between([each.wanted for each in otherwise], device, OTHERWISE, "otherwise"),
    ]
    quiet = {(key, id(rule)): palette.FRAME for key in plan.bottom_up for rule in plan.assemblies[key].rules}
    survey = PlanSummary(plan, Style(own_colours=quiet, lost=lost, added=added))
    root = plan.assemblies[plan.root]
    lines = sum(plan.numbering.rule_size(root.key, n) for n in range(len(root.rules)))
    each_device = fabric.device_count <= MOST_DEVICES and lines <= MOST_LINES
    drawing, notes = detail_drawing(plan, plan.root, survey) if each_device else _folded(survey)
    legend = [
        *_entries(added if each_device else ()),
        *lost_entries("missing"),
        *kind_entries(survey.figures[plan.root]),
    ]
    legend += [text_entry(f"legend-note-{i}", note) for i, note in enumerate(notes)]
    counts = [(f"{count:,}", name) for name, count in difference.counts().items() if count]
    said = list(_written(difference, device, each_device)) or ["no difference"]
    title = head_of(survey, plan.root, "").title
    return sheet(title, "difference: wanted and found", [(text, "") for text in said], counts, drawing, legend)


def _folded(survey: PlanSummary) -> tuple[list[Mark], list[str]]:
    """Return the overview, opened at as many places as there is room for."""
    for opened in (3, 2, 1):
        look = evolve(survey.look, tight=TIGHTEST, opened=opened)
        drawing = overview_drawing(survey.plan, survey.plan.root, evolve(survey, look=look))
        left, _, right, _ = bounds(drawing)
        if right - left <= WIDEST:
            break
    return drawing, ["equal parts are folded, and opened where cables are missing"]


def _numbers(fabric: Fabric, cables: Sequence[Cable]) -> list[int]:
    """Return the cables of the fabric that join these ends."""
    asked = {frozenset((f"{c.a[0]}.{c.a[1]}", f"{c.b[0]}.{c.b[1]}")) for c in cables}
    left, right = fabric.end_names(np.arange(fabric.cable_count)) if asked else ((), ())
    ends = zip(map(str, left), map(str, right), strict=True)
    return [number for number, pair in enumerate(ends) if frozenset(pair) in asked]


def _partly(
    fabric: Fabric, dead: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Iterator[tuple[tuple[int, int], str, int]]:
    """Yield each two devices some of whose cables are missing and some are not, with their link and how many are
    missing."""
    links = list(fabric.plan.links)
    link = fabric.kinds.link[fabric.kind]
    ends = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    pair = np.minimum(*ends) * fabric.device_count + np.maximum(*ends)
    missing = np.flatnonzero(dead)
    pairs, first, counts = np.unique(pair[missing], return_index=True, return_counts=True)
    partly = np.isin(pairs, pair[~dead])
    for at in sorted(np.flatnonzero(partly).tolist(), key=lambda at: int(first[at])):
        c = int(missing[first[at]])
        yield (int(ends[0][c]), int(ends[1][c])), links[int(link[c])], int(counts[at])


def _between(cables: Sequence[Cable], device: dict[str, int], colour: str, what: str) -> Iterator[Added]:
    """Yield a line for the cables between each two devices of the wanted machine."""
    counts: dict[tuple[int, int], list[Cable]] = {}
    for cable in cables:
        ends = [device.get(end[0]) for end in (cable.a, cable.b)]
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            counts.setdefault((min(ends[0], ends[1]), max(ends[0], ends[1])), []).append(cable)
    for (a, b), several in counts.items():
        yield Added(a, b, colour, f"{len(several):,} × {several[0].link or 'cable'}: {{}} -- {{}}, {what}")


def _entries(added: Sequence[Added]) -> list[list[Mark]]:
    texts = {EXTRA: "found, not wanted", OTHERWISE: "of another rate or length", palette.FRAME: "as wanted"}
    return [line_entry(f"legend-{text.replace(' ', '-')}", text, colour) for colour, text in texts.items()
            if colour == palette.FRAME or any(each.colour == colour for each in added)]  # fmt: skip


def _written(difference: Difference, device: dict[str, int], drawn: bool) -> Iterator[str]:
    """Yield what is not to be seen in the drawing, in sentences."""
    sorts = {
        "extra devices": difference.extra_devices,
        "devices of another type": [f"{n}: {w} wanted, {f} found" for n, w, f in difference.changed_devices],
        "renamed": [f"{w} is {f}" for w, f in difference.renamed],
        "at another rate": [str(each.wanted) for each in difference.rates],
        "of another length": [str(each.wanted) for each in difference.lengths],
        "in the wrong port": [f"{each.wanted}, found {each.found}" for each in difference.moved],
        "swapped": [str(each) for each in difference.swapped],
        "extra cables": [str(c) for c in difference.extra if not drawn or {c.a[0], c.b[0]} - set(device)],
        "missing cables": [str(c) for c in difference.missing] if not drawn else [],
    }
    for what, names in sorts.items():
        if names:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            yield f"{what}: {'; '.join(list(names)[:_NAMED])}{more}"
