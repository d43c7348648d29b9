"""Which cables an export is of: those with an end in a part, of a medium, of a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import evolve, frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unifiedbus_dsl.export import ExportInput
    from unifiedbus_dsl.export.base import Format
    from unifiedbus_dsl.ir.fabric import Fabric


@frozen
class Filter:
    """Paths of parts, media and links; an empty one keeps all."""

    parts: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts or self.media or self.links)


def filtered(subject: ExportInput, form: Format, keep: Filter) -> ExportInput:
    """Return what is to be exported without the cables that a filter does not keep.

    Raises:
        click.UsageError: the format is of whole machines, a part, medium or link is none, or no cable is left.
    """
    import numpy as np

    from unifiedbus_dsl.export import FORMATS
    from unifiedbus_dsl.export.base import OutageMask
    from unifiedbus_dsl.ir.fabric.physical import whole_cables

    if not form.supports_outages or form.input_level != "fabric":
        able = ", ".join(
            name for name, each in FORMATS.items() if each.supports_outages and each.input_level == "fabric"
        )
        raise click.UsageError(f"{form.name} is of whole machines: --in, --medium and --link are for {able}")
    fabric = subject.fabric
    kept = np.ones(fabric.cable_count, dtype=bool)
    if keep.parts:
        kept &= _in_parts(fabric, keep.parts)
    kept &= _of_links(fabric, keep)
    whole = np.zeros(len(kept), dtype=bool)
    whole[whole_cables(fabric, np.flatnonzero(kept))] = True
    gone, kept = subject.gone, whole
    if gone is not None:
        kept &= ~gone.cables
    if not kept.any():
        raise click.UsageError("no cable is left: " + ", ".join(_said(keep)))
    devices = gone.devices if gone is not None else np.zeros(fabric.device_count, dtype=bool)
    name = gone.scenario if gone is not None else ""
    return evolve(subject, gone=OutageMask(name, devices, ~kept, gone.degraded if gone is not None else 0))


def _said(keep: Filter) -> list[str]:
    sides = (("in", keep.parts), ("medium", keep.media), ("link", keep.links))
    return [f"--{option} {value}" for option, values in sides for value in values]


def _in_parts(fabric: Fabric, parts: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return the cables with an end in one of the parts, by path or by the name of the site."""
    import numpy as np

    inside = np.zeros(fabric.device_count, dtype=bool)
    for part in parts:
        inside[_devices(fabric, part)] = True
    return np.asarray(inside[fabric.a_device] | inside[fabric.b_device])


def _devices(fabric: Fabric, part: str) -> NDArray[np.int64]:
    import numpy as np

    site = fabric.plan.site
    if site is not None and part in site.by_name:
        return np.asarray([site.by_name[part]])
    path = next((own for own, name in site.parts.items() if name == part), part) if site is not None else part
    try:
        return fabric.slice(path).devices
    except ValueError as error:
        raise click.UsageError(f"--in: {error}") from error


def _of_links(fabric: Fabric, keep: Filter) -> NDArray[np.bool_]:
    import numpy as np

    from unifiedbus_dsl.cli.arguments import one_of
    from unifiedbus_dsl.vocabulary.attributes import MEDIA

    links = list(fabric.plan.links.values())
    for medium in keep.media:
        one_of("medium", medium, list(MEDIA))
    for link in keep.links:
        one_of("link", link, [each.name for each in links])
    kept = [
        (not keep.media or each.fields.get("medium") in keep.media) and (not keep.links or each.name in keep.links)
        for each in links
    ]
    return np.asarray(np.asarray(kept, dtype=bool)[fabric.kinds.link][fabric.kind])
