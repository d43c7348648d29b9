"""`docs/comparison.md` and its plots: the shipped machines side by side.

`python -m tests.comparison` writes them anew, `python -m tests.comparison huawei/atlas-850 …` only the rows of the
specs named. Counts come from the plans, the rest from the questions of `tests.asked.sheet`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, floor, log10

from attrs import frozen

from tests.support.asked import MACHINES, ONCE, REDUCED, ROOT, SHEET, compiled, end_points, report
from tests.workload import compared
from unifiedbus_dsl.analysis.report.summary import Summary, summary_of
from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Dimension, Quantity, format_number, format_quantity
from unifiedbus_dsl.ir.fabric.deferred import DeferredFabric
from unifiedbus_dsl.ir.fabric.modules import sort_modules
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answers import Answer

PAGE = ROOT / "docs" / "comparison.md"
PLOTS = ROOT / "docs" / "plots"
HEAD = f"""# Machines side by side

Made by `python -m tests.comparison` from the shipped specs; the tests hold it equal. Figures for one NPU unless said
otherwise; rates are for one direction. Much of what is compared is assumed: the head of each spec says what. Latencies
in particular are assumed throughout, and so is all wiring above the cabinets of the Atlas 950 and 960.

What a number is: one number is **exact** (a count, a path, or an optimum with its certificate), two numbers are an
**interval** with both bounds proved. There is no estimate but in the last table. A dash says that there is none of
it. Where few end points are alike, as on Frontier and the TPU 8i, the best all-reduce is only known to lie between
the rate of all-to-all and what an end point can take.

- **All ports**: raw rate of all ports of an NPU. **By tier**: what the cables carry after coding, from those at the
  NPUs outwards, divided by the NPUs.
- **Bisection**: the cut that halves the NPUs, after coding. **All-to-all**: what each injects when all send to all
  over shortest paths (`ecmp`), with all the networks that the machine has; on the Atlas 900 over UB alone, as shortest
  paths would take its RoCE plane, which is slower.
- **All-reduce**: bus bandwidth of the best schedule for {REDUCED} over all NPUs: one that is known reaches the lower
  end, and none is better than the upper.
- **Latency, at most**: between the NPUs that are farthest apart. On the SuperClusters that is to one in a corner of the
  site, where the path is as long in every part as any can be.
- **Optics**: modules, both ends of a cable counted.

"""
COLOURS = {
    "huawei": "#c7000b",
    "nvidia": "#5a8f00",
    "google": "#3367d6",
    "aws": "#b36b00",
    "amd": "#00707a",
    "others": "#5f6368",
}


@frozen
class Machine:
    """One row: what its plan and its answers say, each answer by name of the measure."""

    spec: str
    system: str
    title: str
    plan: Plan
    summary: Summary
    answers: dict[str, Answer]

    @property
    def kind(self) -> str:
        return end_points(self.spec).removeprefix("all ")

    @property
    def types(self) -> list[str]:
        """The types of its end points."""
        return [
            key for key, device in self.plan.devices.items() if device.kind == self.kind and self.plan.instances[key]
        ]

    @property
    def count(self) -> int:
        spares = {part.type: part.spares for part in self.summary.parts}
        return sum(self.plan.instances[key] - spares.get(key, 0) for key in self.types)

    def total(self, name: str) -> Quantity | None:
        return next((each.value for each in self.summary.totals if each.name == name), None)

    def each(self, measure: str) -> tuple[float, float] | None:
        """The ends of an answer for one end point."""
        found = self.answers.get(measure)
        return None if found is None else (found.lower / self.count, found.upper / self.count)

    @property
    def reduced(self) -> tuple[float, float] | None:
        """Bus bandwidth of the best all-reduce: 2 (n - 1) / n of the size over its time."""
        found = self.answers.get("optimal_time")
        share = 2 * (self.count - 1) / self.count * 2**30
        return None if found is None else (share / found.upper, share / found.lower)

    @property
    def optics(self) -> float:
        modules = sum(count - spares for *_, count, spares in sort_modules(DeferredFabric(self.plan, "")))
        return modules / self.count


def machine(spec: str, system: str, title: str, *, whole: bool = False) -> Machine:
    """A machine with its answers; with `whole` those that take minutes too."""
    done = compiled(spec)
    found = [each for each in report(spec, whole=whole).answers if each.block == f"{SHEET}_{system}"]
    assert all(each.kind in ("exact", "interval") for each in found), "the page says that there is no estimate"
    return Machine(
        spec, system, title, done.pick(system), summary_of(done, system), {each.measure: each for each in found}
    )


# ---- the page -----------------------------------------------------------------------------------------------------


def amount(value: float | None, dimension: Dimension, digits: int = 4) -> str:
    if value is None:
        return "-"
    return format_quantity(Quantity(Fraction(value).limit_denominator(10**15), dimension), digits)


def ends(pair: tuple[float, float] | None, dimension: Dimension) -> str:
    """One number where the ends meet, else both."""
    if pair is None:
        return "-"
    low, high = (amount(end, dimension) for end in pair)
    return low if low == high or abs(pair[1] - pair[0]) <= 1e-6 * pair[1] else f"{low} to {high}"


def size_row(each: Machine) -> tuple[str, ...]:
    name = next((n for n in ("fp8", "bf16", "fp4", "fp64") if each.total(n) is not None), "")
    flops = each.total(name) if name else None
    memory = sum((_memory(each, key) for key in each.types), Fraction(0))
    return (
        f"[{each.title}](../specs/{each.spec}.ubus)",
        f"{each.count:,}" + ("" if each.kind == "npu" else " CPUs"),
        f"{format_quantity(flops)} {name}" if flops is not None else "-",
        format_quantity(Quantity(memory, units.SIZE)) if memory else "-",
        amount(_ports(each), units.RATE),
        ", ".join(_tiers(each)) or "-",
    )


def _memory(each: Machine, key: str) -> Fraction:
    value = each.plan.devices[key].fields.get("memory")
    spares = {part.type: part.spares for part in each.summary.parts}
    return value.value * (each.plan.instances[key] - spares.get(key, 0)) if isinstance(value, Quantity) else Fraction(0)


def _ports(each: Machine) -> float:
    rows = [row for row in each.summary.end_points if row.type in each.types]
    return float(sum(row.total_rate for row in rows) / sum(row.count for row in rows))


def _tiers(each: Machine) -> list[str]:
    found = each.answers.get("tiers")
    bands = found.detail["bands"] if found is not None else []
    return [f"{band['tiers']}: {amount(band['bandwidth'] / each.count, units.RATE)}" for band in bands]


def speed_row(each: Machine) -> tuple[str, ...]:
    diameter, latency = each.answers.get("diameter"), each.answers.get("latency")
    throughput = each.answers.get("throughput")
    return (
        each.title,
        ends(each.each("bisection"), units.RATE),
        ends((throughput.lower, throughput.upper) if throughput is not None else None, units.RATE),
        ends(each.reduced, units.RATE),
        f"{int(diameter.value)}" if diameter is not None else "-",
        "-" if latency is None else amount(latency.value, units.TIME),
    )


def cable_row(each: Machine) -> tuple[str, ...]:
    media = ("pcb", "backplane", "copper", "active_copper", "optical")
    counts = {medium: sum(row.cables for row in each.summary.cables if row.medium == medium) for medium in media}
    switches = sum(each.plan.instances[key] for key, device in each.plan.devices.items() if device.kind == "switch")
    return (
        each.title,
        *(f"{counts[medium]:,}" if counts[medium] else "-" for medium in media if medium != "backplane"),
        f"{each.optics:.4g}",
        f"{switches:,}",
    )


TABLES: tuple[tuple[str, tuple[str, ...], Callable[[Machine], tuple[str, ...]]], ...] = (
    ("Size and bandwidth", ("machine", "NPUs", "FLOPS", "memory", "all ports", "by tier"), size_row),
    (
        "Bandwidth and distance",
        ("machine", "bisection", "all-to-all", "all-reduce", "diameter", "latency, at most"),
        speed_row,
    ),
    (
        "Cables and switches",
        ("machine", "traces", "copper", "active copper", "fibre", "optics an NPU", "switches"),
        cable_row,
    ),
)


def tables(machines: Iterable[Machine]) -> dict[str, list[str]]:
    """The lines of each table, by its title."""
    rows = list(machines)
    return {title: [_line(make(each)) for each in rows] for title, _, make in TABLES}


COLUMNS = {"bisection": "bisection", "optimal_time": "all-reduce", "latency": "latency, at most"}
"""Where the answers are that take minutes."""


def quick(spec: str, title: str, line: str) -> str:
    """A line of a table of a spec without the cells that take minutes."""
    heads = next(heads for each, heads, _ in TABLES if each == title)
    left_out = {COLUMNS[measure] for measure in ONCE.get(spec, ())}
    cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
    return _line("…" if head in left_out else cell for head, cell in zip(heads, cells, strict=True))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def page(found: dict[str, list[str]]) -> str:
    """The page around the lines of its tables."""
    text = HEAD
    for title, heads, _ in TABLES:
        lines = [_line(heads), _line("---" for _ in heads), *found[title]]
        text += f"## {title}\n\n" + "\n".join(lines) + "\n\n"
        for name, (words, table, _) in PLOTTED.items():
            if table == title:
                text += f"![{words}](plots/{name}.svg)\n\n"
    return text + compared.section(found[compared.TITLE])


def lines_of(text: str) -> dict[str, list[str]]:
    """The lines of the tables of a page, by title."""
    parts = [part.splitlines() for part in text.split("\n## ")[1:]]
    return {part[0]: [line for line in part if line.startswith("| ")][2:] for part in parts}


# ---- plots, drawn from the tables ---------------------------------------------------------------------------------

Ends = tuple[float, float]
PLOTTED = {
    "bisection": ("Bisection for each NPU, GB/s one way", "Bandwidth and distance", "bisection"),
    "alltoall": ("All-to-all, GB/s injected by each NPU", "Bandwidth and distance", "all-to-all"),
    "allreduce": ("All-reduce at best, GB/s of bus bandwidth", "Bandwidth and distance", "all-reduce"),
    "optics": ("Optical modules for each NPU", "Cables and switches", "optics an NPU"),
}
"""Words, table and column of each plot."""
UNITS = {"": 1.0, "MB/s": 1e-3, "GB/s": 1.0, "TB/s": 1e3, "PB/s": 1e6}


def values(found: dict[str, list[str]], table: str, column: str) -> list[tuple[str, Ends]]:
    """The cells of a column as numbers, GB/s, with the machine's name; those without a number and zeros left out."""
    at = next(heads for title, heads, _ in TABLES if title == table).index(column)
    made = []
    for line in found[table]:
        cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
        ends_ = [_number(part) for part in cells[at].split(" to ") if part not in ("-", "0")]
        if ends_:
            made.append((cells[0], (ends_[0], ends_[-1])))
    return made


def _number(text: str) -> float:
    number, _, unit = text.partition(" ")
    return float(number.replace(",", "")) * UNITS[unit]


LEFT, WIDE, HIGH, TOP = 220, 440, 22, 56


def plot(name: str, found: dict[str, list[str]]) -> str:
    """Bars from the longest to the shortest on a logarithmic scale; the lighter part of a bar is an interval."""
    words, table, column = PLOTTED[name]
    shown = sorted(values(found, table, column), key=lambda item: (-item[1][1], item[0]))
    vendor = {title: spec.partition("/")[0] for spec, _, title in MACHINES}
    low = min(pair[0] for _, pair in shown)
    high = max(pair[1] for _, pair in shown)
    first = _decade(low)
    decades = max(1, _decade(high, up=True) - first)
    height = TOP + HIGH * len(shown) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 140} {height}" role="img" '
        f'font-family="sans-serif" font-size="13">',
        f"<title>{words}</title>",
        f'<rect width="{LEFT + WIDE + 140}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="bold">{words}</text>',
    ]
    for step in range(decades + 1):
        x = LEFT + WIDE * step / decades
        parts.append(f'<path d="M{x:.1f} {TOP - 8}V{height - 16}" stroke="#d0d0d0"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle" fill="#555555">{10.0 ** (first + step):,g}</text>'
        )
    for row, (title, pair) in enumerate(shown):
        y = TOP + HIGH * row
        colour = COLOURS[vendor[title]]
        near, far = (WIDE * (log10(end) - first) / decades for end in pair)
        least, most = (format_number(end, 3) for end in pair)
        number = least if pair[1] - pair[0] <= 1e-6 * pair[1] else f"{least} to {most}"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{title}</text>')
        if far - near > 0.05:
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{far:.1f}" height="{HIGH - 6}" fill="{colour}" fill-opacity="0.35"/>'
            )
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{near:.1f}" height="{HIGH - 6}" fill="{colour}"/>')
        halo = 'paint-order="stroke" stroke="#ffffff" stroke-width="4"'  # the lines of the scale stand back
        parts.append(f'<text x="{LEFT + far + 6:.1f}" y="{y + 14}" {halo}>{number}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _decade(value: float, *, up: bool = False) -> int:
    return ceil(log10(value)) if up else floor(log10(value) - 1e-9)


def build(specs: list[str]) -> dict[str, list[str]]:
    """The lines of each table, all made anew; or only those of the specs named, and the others as they are."""
    known = {spec for spec, _, _ in MACHINES}
    if unknown := sorted(set(specs) - known):
        raise SystemExit(f"not compared: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if not specs:
        return tables(machine(*each, whole=True) for each in MACHINES) | {compared.TITLE: compared.rows()}
    found = lines_of(PAGE.read_text(encoding="utf-8"))
    for at, each in enumerate(MACHINES):
        if each[0] in specs:
            for title, (line,) in tables([machine(*each, whole=True)]).items():
                found[title][at] = line
    return found


def main() -> None:
    """Write the page and the plots."""
    found = build(sys.argv[1:])
    PLOTS.mkdir(parents=True, exist_ok=True)
    for name in PLOTTED:
        (PLOTS / f"{name}.svg").write_text(plot(name, found), encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
