"""Plots of what the solver found, with Matplotlib (`pip install unifiedbus-dsl[plot]`). Same machine, same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any, Literal, TypeAlias

from unifiedbus_dsl.base.units import format_number
from unifiedbus_dsl.escape.terminal import clean
from unifiedbus_dsl.measures import pair_distances
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.measures.wording import size_text
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances

Plot: TypeAlias = Literal["hops", "latency"]
PLOTS: tuple[Plot, ...] = ("hops", "latency")
Format: TypeAlias = Literal["svg", "png"]


class NoMatplotlibError(RuntimeError):
    """There is nothing to plot with."""


MOST_LETTERS = 80
"""Of a title."""


def histogram(machine: NetworkContext, plot: Plot, format: Format) -> bytes:
    """Return how many ordered pairs of end points are so many hops, or so much time without any load, apart.

    Raises:
        NoMatplotlibError: Matplotlib is not installed.
        NotAdmittedError: times are wanted, and some cables have no length; or no pair has a path.
    """
    if plot == "hops":
        certified, unit, words = pair_distances.hops(machine), 1.0, "cables on a shortest path"
    else:
        certified, unit, words = pair_distances.latency(machine), 1e-9, "time of a small message at no load, ns"
    spread = proved(machine, certified)
    if not len(spread.value):
        raise NotAdmittedError(
            f"there is nothing to plot: no end point of `{machine.fabric.plan.system}` has a path to another"
        )
    return bars(spread, unit, words, machine.fabric.plan.system, format)


def bars(found: distances.Histogram, unit: float, words: str, title: str, format: Format) -> bytes:
    """Return a bar for each value, as tall as its share of the pairs; many values are joined into 40 ranges."""
    values, pairs = found.value / unit, found.pairs
    share = pairs / pairs.sum() * 100
    mean = float((values * pairs).sum() / pairs.sum())

    def draw(axes: Any) -> None:
        if len(values) <= 40:
            gaps = values[1:] - values[:-1]
            width = 0.8 * float(gaps.min()) if len(gaps) else 0.8
            axes.bar(values, share, width=width, color=palette.LINES[0])
        else:
            axes.hist(values, bins=40, weights=share, color=palette.LINES[0])
        if unit == 1.0:
            axes.set_xticks(values)
        axes.set_xlabel(words)
        axes.set_ylabel("% of pairs")

    said = f"{int(pairs.sum()):,} pairs, mean {format_number(mean)}, most {format_number(float(values[-1]))}"
    return plotted(4.2, f"{title}: {said}", format, draw)


def by_size(rows: Sequence[Mapping[str, Any]], title: str, format: Format) -> bytes:
    """Bus bandwidth of each algorithm over the size of the message, from the rows of a `sweep`; a thin grey line where
    a bound says what no schedule can beat.

    Raises:
        NoMatplotlibError: Matplotlib is not installed.
    """
    sizes = [row["size"] for row in rows]
    styles = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))

    def draw(axes: Any) -> None:
        for number, name in enumerate(rows[0]["algorithms"]):
            axes.plot(
                sizes, [row["algorithms"][name]["busbw"] / 1e9 for row in rows], label=name, linewidth=1.8,
                color=palette.LINES[number % len(palette.LINES)], linestyle=styles[number % len(styles)],
            )  # fmt: skip
        if all(row["efficiency"] for row in rows):
            most = [row["busbw"] / row["efficiency"] / 1e9 for row in rows]
            axes.plot(sizes, most, label="no schedule beats", color=palette.QUIET, linewidth=1.0)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes[::4], [size_text(size) for size in sizes[::4]])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("size of the message")
        axes.set_ylabel("bus bandwidth, GB/s")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)

    return plotted(4.6, title, format, draw)


def _on_one_line(title: str) -> str:
    """Return the title as far as there is room for it."""
    text = clean(title)
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS // 2] + "…" + text[-MOST_LETTERS // 2 :]


def plotted(height: float, title: str, format: Format, draw: Callable[[Any], None]) -> bytes:
    """Return a figure of this height in inches, on whose axes `draw` puts what is to be seen."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoMatplotlibError("plots need Matplotlib: `pip install unifiedbus-dsl[plot]`") from error
    with matplotlib.rc_context({"svg.hashsalt": "ubusc", "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(8, height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(_on_one_line(title), loc="left", parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
        out = BytesIO()
        figure.savefig(out, format=format, dpi=144, metadata={"Date": None} if format == "svg" else {"Software": None})
    return out.getvalue()
