"""The floor as an OpenUSD scene (`.usda`, in metres, z up): a box for each place, and what runs between them.

A place is the nearest part of a device that stands on the floor plan, as in the cable list. Cables of one medium
between two places are one curve, up to a tray, along it, across, and down; it is wider where there are more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape.usd import string
from unifiedbus_dsl.export.base import ExportInput, Format, left_out, refuse, too_large
from unifiedbus_dsl.export.common.floor import Floor, read_floor
from unifiedbus_dsl.export.common.stream import kind_facts, number, write_text
from unifiedbus_dsl.ir.fabric import Fabric

RACK = 0.6, 1.2, 2.0
"""Width, depth and height of a box in metres: no text states them."""
TRAY = 2.4
"""Height of trays above the floor."""
STRAND = 0.004
"""Width of a curve of one cable; the width grows with the root of their number."""
COLOURS = {
    "optical": (0.0, 0.45, 0.7),
    "copper": (0.84, 0.37, 0.0),
    "active_copper": (0.8, 0.47, 0.65),
    "pcb": (0.0, 0.62, 0.45),
}
OTHER = 0.4, 0.4, 0.4
MOST_PLACES, MOST_CURVES = 100_000, 200_000


@frozen(eq=False)
class Places:
    """Where the middle of things is: `x` and `y` in metres, the first device of each, how many there are, [P]; the
    place of each device, [D], -1 where it has none."""

    x: Floats
    y: Floats
    first: Ints
    devices: Ints
    of: Ints


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    floor = read_floor(subject.plan)
    places = _places(floor)
    if not len(places.first):
        span = subject.plan.type(subject.plan.root).span
        raise refuse(sink, "a scene is of a floor plan, and no part has a place: `place … as grid(…)`", "json", span)
    fabric = subject.fabric
    one, two, medium, count = _bundles(fabric, places)
    if len(places.first) > MOST_PLACES or len(one) > MOST_CURVES:
        message = f"{len(places.first):,} places with {len(one):,} bundles of cables are more than a scene takes"
        raise too_large(sink, message, "export a smaller system")
    nowhere = int((places.of < 0).sum())
    if nowhere:
        left_out(sink, f"{counted(nowhere, 'device')} without a place were left out with their cables", "json")
    write_text(path, _scene(subject.plan.system, floor, places, (one, two, medium, count), kind_media(fabric)))


def kind_media(fabric: Fabric) -> list[str]:
    """Return the media of a machine, in order."""
    return sorted({fact.medium for fact in kind_facts(fabric)})


def _places(floor: Floor) -> Places:
    """Return runs of devices that stand at one spot."""
    known = ~np.isnan(floor.x) & ~np.isnan(floor.y)
    spot = np.stack([np.where(known, floor.x, 0), np.where(known, floor.y, 0), known], axis=1).astype(np.float64)
    spots, first, of = np.unique(spot, axis=0, return_index=True, return_inverse=True)
    stands = spots[:, 2] > 0
    order = np.flatnonzero(stands)[np.argsort(first[stands], kind="stable")]
    renumbered = np.full(len(spots), -1, dtype=np.int64)
    renumbered[order] = np.arange(len(order))
    of = renumbered[of.ravel()]
    devices = np.bincount(of[of >= 0], minlength=len(order))
    x, y = spots[order, 0] + RACK[0] / 2, spots[order, 1] + RACK[1] / 2  # the floor plan has their corners
    return Places(x, y, first[order], devices, of)


def _bundles(fabric: Fabric, places: Places) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the pairs of places with cables between, by medium: two places, number of the medium, how many cables."""
    media = kind_media(fabric)
    medium = np.asarray([media.index(fact.medium) for fact in kind_facts(fabric)], dtype=np.int64)[fabric.kind]
    a, b = places.of[fabric.a_device], places.of[fabric.b_device]
    between = (a >= 0) & (b >= 0) & (a != b)
    many = len(places.first)
    low, high = np.minimum(a, b)[between], np.maximum(a, b)[between]
    code, count = np.unique((medium[between] * many + low) * many + high, return_counts=True)
    return code // many % many, code % many, code // many // many, count


# ---- the scene -------------------------------------------------------------------------------------------------------


def _scene(
    system: str, floor: Floor, places: Places, bundles: tuple[Ints, Ints, Ints, Ints], media: list[str]
) -> Iterator[str]:
    yield '#usda 1.0\n(\n    defaultPrim = "Machine"\n    metersPerUnit = 1\n    upAxis = "Z"\n)\n\n'
    yield f'def Xform "Machine" (\n    displayName = {string(system)}\n)\n{{\n'
    width, depth, height = RACK
    names = floor.places(places.first)
    rows = zip(names, places.x.tolist(), places.y.tolist(), places.devices.tolist(), strict=True)
    for n, (name, x, y, devices) in enumerate(rows):
        at = f"({number(x, 4)}, {number(y, 4)}, {number(height / 2)})"
        yield (
            f'    def Cube "place_{n}" (\n        displayName = {string(name)}\n    )\n    {{\n'
            f"        custom int ubusc:devices = {devices}\n        double size = 1\n"
            f"        double3 xformOp:translate = {at}\n"
            f"        float3 xformOp:scale = ({width}, {depth}, {height})\n"
            '        uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:scale"]\n    }\n'
        )
    one, two, medium, count = bundles
    for k in np.unique(medium).tolist():
        mine = medium == k
        yield from _curves(k, media[k], places, one[mine], two[mine], count[mine])
    yield "}\n"


def _curves(k: int, medium: str, places: Places, one: Ints, two: Ints, count: Ints) -> Iterator[str]:
    points = ", ".join(
        _route(*ends)
        for ends in zip(*(column.tolist() for column in (places.x[one], places.y[one], places.x[two], places.y[two])),
                        strict=True)
    )  # fmt: skip
    colour = ", ".join(map(str, COLOURS.get(medium, OTHER)))
    counts, widths = ", ".join(["5"] * len(one)), ", ".join(number(STRAND * value**0.5, 4) for value in count.tolist())
    yield (
        f'    def BasisCurves "cables_{k}" (\n        displayName = {string(medium or "cables")}\n    )\n    {{\n'
        f'        uniform token type = "linear"\n        int[] curveVertexCounts = [{counts}]\n'
        f"        point3f[] points = [{points}]\n"
        f'        float[] widths = [{widths}] (\n            interpolation = "uniform"\n        )\n'
        f"        color3f[] primvars:displayColor = [({colour})]\n"
        f"        custom int[] ubusc:cables = [{', '.join(map(str, count.tolist()))}]\n    }}\n"
    )


def _route(x: float, y: float, far_x: float, far_y: float) -> str:
    """Return five points: up, along x, along y, down."""
    spots = ((x, y, RACK[2]), (x, y, TRAY), (far_x, y, TRAY), (far_x, far_y, TRAY), (far_x, far_y, RACK[2]))
    return ", ".join(f"({', '.join(number(value, 4) for value in spot)})" for spot in spots)


FORMAT = Format(
    "usd",
    "the floor as an OpenUSD scene: racks, and cables between them",
    "fabric",
    "usda",
    write,
    ("what is inside a rack", "ports", "rates"),
    "cables",
)
