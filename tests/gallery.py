"""The pictures of the docs, made from the shipped specs: `python -m tests.gallery` writes them anew, and with a word
behind it those alone whose names have that in them.

`docs/pictures/` holds an overview of each shipped system, and a few others; `docs/gallery.md` shows them all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attrs import evolve, frozen

from tests.support.asked import ROOT, SPECS, VENDORS, compiled
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.gantt import gantt
from unifiedbus_dsl.figures.headline import with_headline
from unifiedbus_dsl.figures.heat import Map, heat_map
from unifiedbus_dsl.figures.ladder import ladder
from unifiedbus_dsl.figures.parts import parts_chart
from unifiedbus_dsl.figures.plots import Plot, by_size, histogram
from unifiedbus_dsl.figures.scaling import scaling
from unifiedbus_dsl.figures.solved_views import compare, draw_view, load_question, plain_view
from unifiedbus_dsl.figures.trace import trace
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render.marks import Picture
from unifiedbus_dsl.render.pictures import without_links
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.svg import drawn
from unifiedbus_dsl.render.view import Layout
from unifiedbus_dsl.solver.network_context import NetworkContext

PICTURES = ROOT / "docs" / "pictures"
PAGE = ROOT / "docs" / "gallery.md"
FAST = frozenset(("huawei-atlas-950-superpod-superpod.svg", "textbook-ring-ring.svg"))
"""Pictures that are compared at each run of the tests."""


@frozen(eq=False)
class Item:
    """A picture of the gallery: its file, its spec, what stands below it, and how it is made."""

    file: str
    spec: str
    system: str
    words: str
    make: Callable[[], str]
    picture: Callable[[], Picture] | None = None
    """The same as values; None for a plot."""
    layout: Layout | None = None
    """What of the machine is drawn; None for maps, plots, and before and after."""
    panels: tuple[str, ...] = ()
    """What the ids of the marks of each drawing in it begin with, if there are several."""


def items() -> Iterator[Item]:
    """All pictures, in order of the page."""
    for vendor in VENDORS:
        for path in sorted((SPECS / vendor).glob("*.ubus")):
            spec = f"{vendor}/{path.stem}"
            for system in _systems(path):
                yield _item(spec, system, None, "overview", "")
            yield from (item for item in extras() if item.spec == spec)


def extras() -> Iterator[Item]:
    """What is shown beside the overviews."""
    pod = "huawei/atlas-950-superpod"
    yield _item(pod, "superpod", "ComputeCabinet", "detail", "every device of a compute cabinet")
    yield _item(pod, "superpod", None, "floor", "the floor plan")
    yield _map(pod, "superpod", "latency")
    step = "pretrain"
    yield _chart(pod, "superpod", "gantt", "a training step", lambda plan: gantt(compiled(pod), plan, step, Sink()))
    words = "time of that step against the number of NPUs"
    yield _chart(pod, "superpod", "scaling", words, lambda plan: scaling(compiled(pod), plan, step, Sink()))
    words = "parts of the times of its workloads"
    yield _chart(pod, "superpod", "parts", words, lambda plan: parts_chart(compiled(pod), Sink()))
    yield _map("huawei/ub-mesh", "pod", "latency")
    mesh = "huawei/ub-mesh"
    yield _chart(mesh, "pod", "ladder", "the ladder of bandwidth", lambda plan: ladder(compiled(mesh), plan, Sink()))
    pair = "rack[0, 0].npu[0, 0] -> rack[1, 2].npu[3, 4]"
    yield _chart(mesh, "pod", "trace", "the trace of a path", lambda plan: trace(compiled(mesh), plan, pair, Sink()))
    yield _before_and_after("nvidia/dgx", "h100", "SwitchDown", "exchange")
    yield _before_and_after("nvidia/gb200-nvl72", "rack", "SwitchTrayDown", "experts")
    for spec, system in (
        ("dragonfly", "dragonfly"),
        ("torus", "torus2d"),
        ("fat-tree", "tree"),
        ("slim-fly", "slimfly"),
        ("jellyfish", "jellyfish"),
    ):
        yield _item(f"textbook/{spec}", system, None, "detail", "every device")
    yield _plot("textbook/dragonfly", "dragonfly", "hops", "hops between two hosts")
    yield _sweep("textbook/torus", "torus2d", "allreduce(all npu)", "bus bandwidth of an all-reduce by its size")


def _named(spec: str, system: str, end: str, words: str, make: Callable[[], str]) -> Item:
    return Item(f"{spec.replace('/', '-')}-{system}-{end}.svg", spec, system, words, make)


def _map(spec: str, system: str, what: Map) -> Item:
    def make() -> Picture:
        return heat_map(NetworkContext(compiled(spec).fabric(system)), what)

    return evolve(_named(spec, system, what, f"{what} between racks", lambda: _file(make())), picture=make)


def _chart(spec: str, system: str, what: str, words: str, draw: Callable[[Plan], Picture | None]) -> Item:
    def make() -> Picture:
        found = draw(compiled(spec).pick(system))
        assert found
        return found

    return evolve(_named(spec, system, what, words, lambda: _file(make())), picture=make)


def _before_and_after(spec: str, system: str, scenario: str, traffic: str) -> Item:
    def make() -> Picture:
        sink = Sink()
        view = with_headline(compiled(spec), plain_view(compiled(spec).pick(system), None, "detail"))
        found = compare(compiled(spec), view, scenario, load_question(traffic, "ecmp"), sink)
        assert found, list(sink)
        return without_links(found)

    words = f"loads under `{traffic}` before and after `{scenario}`"
    item = _named(spec, system, scenario, words, lambda: _file(make()))
    return evolve(item, picture=make, panels=("base-", "scenario-"))


def _plot(spec: str, system: str, plot: Plot, words: str) -> Item:
    def make() -> str:
        return histogram(NetworkContext(compiled(spec).fabric(system)), plot, "svg").decode()

    return _named(spec, system, plot, words, make)


def _sweep(spec: str, system: str, question: str, words: str) -> Item:
    def make() -> str:
        report = ask(compiled(spec), system, f"sweep({question})")
        return by_size(report.answers[0].detail["sweep"], f"{system}: {question}", "svg").decode()

    return _named(spec, system, "sweep", words, make)


def _file(shown: Picture) -> str:
    return drawn(shown, "svg").decode()


def _systems(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split()[1].rstrip(":") for line in lines if line.startswith("system ")]


def _item(spec: str, system: str, key: str | None, layout: Layout, words: str) -> Item:
    end = "" if layout == "overview" else f"-{layout}"
    name = f"{spec.replace('/', '-')}-{system}{end}.svg"

    def make() -> Picture:
        return picture(spec, system, key, layout)

    return Item(name, spec, system, words, lambda: _file(make()), make, layout)


def picture(spec: str, system: str, key: str | None, layout: Layout) -> Picture:
    """The picture as values."""
    sink = Sink()
    found = draw_view(with_headline(compiled(spec), plain_view(compiled(spec).pick(system), key, layout)), sink)
    assert found, list(sink)
    return without_links(found)


def page(entries: list[Item]) -> str:
    """`gallery.md`."""
    lines = [
        "# Gallery",
        "",
        "Every machine that comes along, drawn by `ubusc render`. Made by `python -m tests.gallery`.",
        "",
    ]
    vendor = ""
    spec = ""
    for item in entries:
        if item.spec.partition("/")[0] != vendor:
            vendor = item.spec.partition("/")[0]
            lines += [f"## {VENDORS[vendor]}", ""]
        if item.spec != spec:
            spec = item.spec
            lines += [f"### {spec.partition('/')[2]}", "", f"[`specs/{spec}.ubus`](../specs/{spec}.ubus)", ""]
        lines += [
            f"**{item.system}**: {item.words or _figures(item)}",
            "",
            f"![{item.system}](pictures/{item.file})",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _figures(item: Item) -> str:
    plan = compiled(item.spec).pick(item.system)
    figures = PlanSummary(plan).figures[plan.root]
    return ", ".join([*figures.contents, f"{figures.cables:,} cables"])


def main(words: Sequence[str]) -> None:
    """Write the pictures, or those with one of the words in their names, and the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    entries = list(items())
    for old in {path.name for path in PICTURES.glob("*.svg")} - {item.file for item in entries}:
        (PICTURES / old).unlink()
    for item in entries:
        if not words or any(word in item.file for word in words):
            (PICTURES / item.file).write_text(item.make(), encoding="utf-8")
    PAGE.write_text(page(entries), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
