"""What `ubusc render` is asked for: a picture of one sort in one format, and which options go with which sort.

Every option that is given acts on the picture, or is refused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import frozen

from unifiedbus_dsl.cli.arguments import one_of

if TYPE_CHECKING:
    from unifiedbus_dsl.render.view import Layout

CHART_FORMS = {
    "ladder": "`--chart ladder`",
    "trace": '`--chart "trace(npu[0] -> npu[5])"`',
    "family": "`--chart family`",
    "scatter": '`--chart "scatter(latency(all npu), bisection(all npu))"`',
    "gantt": '`--chart "gantt(pretrain)"`',
    "scaling": '`--chart "scaling(pretrain)"`',
    "parts": "`--chart parts`",
}
CHARTS = tuple(CHART_FORMS)
OF_FILES = ("family", "scatter", "parts")
"""Charts of all systems of a file."""
FORMATS = ("svg", "png", "dot", "html", "pdf")


@frozen
class RenderRequest:
    """What was asked for, as it was given; `form` is one of `FORMATS`, `output` a file or a folder."""

    system: str | None
    view: str | None
    type_key: str | None
    layout: Layout | None
    traffic: str | None
    routing: str | None
    scenario: str | None
    heat: str | None
    plot: str | None
    chart: str | None
    form: str
    output: str | None
    scale: float | None = None


@frozen
class _Sort:
    """A sort of picture: what it is, the options of pictures and the formats that it takes."""

    said: str
    takes: tuple[str, ...]
    formats: tuple[str, ...] = ("svg", "png", "dot", "pdf")


_SORTS = {
    "--plot": _Sort("a plot is of the whole system", (), ("svg", "png")),
    "--map": _Sort("a map is of the whole system, by its racks", (), ("svg", "png", "pdf")),
    "--chart": _Sort("a chart is of whole systems", (), ("svg", "png", "pdf")),
    "--html": _Sort("the page to explore shows every part, view, traffic and scenario", (), ("html",)),
    "--scenario": _Sort(
        "a scenario is drawn on the whole system, folded or device by device",
        ("--view", "--detail", "--traffic", "--routing"),
        ("svg", "png", "pdf"),
    ),
}
"""The pictures that an option of their own asks for. The plain one, of no such option, takes all the others."""


def read_request(
    *,
    detail: bool,
    floor: bool,
    elevation: bool = False,
    form: str | None,
    html: bool,
    output: str | None,
    scale: float | None = None,
    **named: str | None,
) -> RenderRequest:
    """Return what the options together ask for.

    Raises:
        click.UsageError: two of them contradict each other, or one has nothing to act on, or there is no such format.
    """
    chosen = format_of(form, html, output)
    given = {
        "--view": named["view"] is not None,
        "--type": named["type_key"] is not None,
        "--detail": detail,
        "--floor": floor,
        "--elevation": elevation,
        "--traffic": named["traffic"] is not None,
        "--routing": named["routing"] is not None,
        "--scenario": named["scenario"] is not None,
        "--map": named["heat"] is not None,
        "--plot": named["plot"] is not None,
        "--chart": named["chart"] is not None,
        "--html": html,
    }
    _must_agree([option for option, there in given.items() if there], chosen)
    if scale is not None and (chosen != "png" or named["plot"] is not None):
        raise click.UsageError("`--scale` is for a PNG, and no plot: an SVG and a PDF have no size of their own")
    if scale is not None and isnan(scale):
        raise click.UsageError("`--scale` wants a number from 0.1 to 16")
    layout: Layout | None = "detail" if detail else "floor" if floor else "elevation" if elevation else None
    return RenderRequest(layout=layout, form=chosen, output=output, scale=scale, **named)


def _must_agree(given: Sequence[str], form: str) -> None:
    """Refuse what has no meaning together.

    Raises:
        click.UsageError: so it is.
    """
    for option, sort in _SORTS.items():
        if option not in given and not (option == "--html" and form == "html"):
            continue
        for other in given:
            if other not in (option, *sort.takes):
                raise click.UsageError(f"{sort.said}: leave `{other}` out")
        one_of("format", form, sort.formats, f" of a {option.removeprefix('--')}")
        break
    layouts = [option for option in ("--detail", "--floor", "--elevation") if option in given]
    if len(layouts) > 1:
        raise click.UsageError(f"`{layouts[0]}` and `{layouts[1]}` are two pictures: choose one")
    if "--routing" in given and "--traffic" not in given:
        raise click.UsageError("`--routing` says how a traffic is routed: name the traffic by `--traffic`")


def format_of(name: str | None, html: bool, output: str | None) -> str:
    """Return the format: what was named, else what the suffix of the output says, else SVG.

    Raises:
        click.UsageError: an unknown one, or two.
    """
    suffix = ""
    if output is not None and not is_folder(output):
        suffix = Path(output).suffix.removeprefix(".").lower()
    if html and name not in (None, "html"):
        raise click.UsageError(f"`--html` and `--format {name}` are two formats: choose one")
    named = "html" if html else name
    if named is None:
        return one_of("format", suffix, FORMATS) if suffix else "svg"
    one_of("format", named, FORMATS)
    if suffix in FORMATS and suffix != named:
        asked = "--html" if html else f"--format {named}"
        raise click.UsageError(f"`{asked}` and `-o {output}` are two formats: choose one")
    return named


def is_folder(output: str) -> bool:
    """Return whether `-o` names a folder: one that is there, or by the slash at its end."""
    return output.endswith("/") or os.path.isdir(output)  # no to a name that is too long
