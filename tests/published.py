"""`docs/machines.md`: every published figure beside what the compiled machine gives.

`python -m tests.published` writes it anew. The rows are the `expect` lines of the specs that name a source, with the
values of both sides as they were evaluated; the reason of a difference is the line's own `differs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from attrs import frozen

from tests.support.asked import ROOT, SPECS, VENDORS, compiled, report, specs
from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.base.units import Quantity, format_number, format_quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.semantic.types.expectations import ExpectResult
from unifiedbus_dsl.semantic.values.values import Interval
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.syntax.traversal import children, dotted_name
from unifiedbus_dsl.vocabulary.signatures import MEASURES

PAGE = ROOT / "docs" / "machines.md"
HEAD = """# Published figures

Every figure that a source publishes about a shipped machine, beside what the compiled machine gives. Made by
`python -m tests.published` from the `expect` lines of the specs; the tests hold it equal. Nothing is tuned: a figure
that the model does not meet stays, with the reason; one that reads nothing of a machine is refused. [Where sources
disagree](errata.md) says which figure was taken, and the head of each spec which sources it has.

**Kind** says where the value comes from: *count* adds up parts, ports, cables or fields, and is exact; *solved* is an
optimum or a path of the network, exact too, with a certificate; *interval* has two proved bounds; *estimate* rests on a
model and its constants. Rates are for one direction, or for both added where it says bidir. A figure that is a bound
(at least, at most) has no difference.

"""
COMPARED = ("==", "<=", ">=", "!=", "<", ">")
BOUNDS = {"<=": "at most ", ">=": "at least ", "<": "less than ", ">": "more than ", "!=": "not ", "==": ""}


@frozen
class Row:
    """A figure: where it stands, what it is and of which type, published and found, as texts."""

    place: tuple[int, str]
    what: str
    of: str
    published: str
    source: str
    gives: str
    kind: str
    difference: str

    def cells(self) -> str:
        cells = (f"`{self.what}`", self.of, self.published, self.source, self.gives, self.kind, self.difference)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rows(spec: str, *, solved: bool) -> list[Row]:
    """The figures of a spec in order of its text, from types of its own file."""
    found: Iterable[ExpectResult] = report(spec).expectations if solved else compiled(spec).expectations
    name = f"{spec.partition('/')[2]}.ubus"
    own = [each for each in found if each.source and each.span.source.name.endswith(name) and each.holds is not None]
    constant = [each.text for each in own if not touches_machine(each.text, constants(spec))]
    if constant:
        raise ValueError(f"{spec} compares constants with constants and touches no machine: {'; '.join(constant)}")
    made: dict[object, Row] = {}
    for row in sorted((_row(each, solved=solved) for each in own), key=lambda row: (row.place, len(row.of), row.of)):
        made.setdefault((row.place, row.published, row.gives), row)  # once for a type and those that extend it
    return list(made.values())


def constants(spec: str) -> dict[str, tree.Expr]:
    """The `let` names of a spec that stand outside every type, with what they are."""
    return lets_of((SPECS / f"{spec}.ubus").read_text(encoding="utf-8").removeprefix("ubus 1"))


def lets_of(text: str) -> dict[str, tree.Expr]:
    """The `let` names of statements, with what they are."""
    return {each.name.text: each.value for each in _statements(text) if isinstance(each, tree.Let)}


def _statements(text: str) -> tuple[tree.Node, ...]:
    return parse(Source("figures", f"ubus 1\n{text}"), Sink()).statements


def touches_machine(text: str, lets: Mapping[str, tree.Expr]) -> bool:
    """Whether a condition reads anything of a machine: a measure, a selection, or a field, port or part by its name.
    What `lets` name is read through."""
    (line,) = (each for each in _statements(f"expect {text}\n") if isinstance(each, tree.Expect))
    return _reads(line.condition, lets)


def _reads(node: tree.Node, lets: Mapping[str, tree.Expr]) -> bool:
    match node:
        case tree.All():
            return True
        case tree.Name():
            return _reads(lets[node.text], lets) if node.text in lets else True
        case tree.Call():
            return ".".join(dotted_name(node.function)) in MEASURES or any(
                _reads(each.value, lets) for each in node.args
            )
    return any(_reads(each, lets) for each in children(node))


def _row(each: ExpectResult, *, solved: bool) -> Row:
    what, compared, wanted = split(each.text)
    both = "bidir" in each.text
    share = "%" in wanted.partition(" within ")[0] and each.wanted is not None
    value, figure = _middle(each.value), _middle(each.wanted)
    off = "" if value is None or figure is None else _off(value, figure)
    interval = isinstance(each.value, Interval) and not each.value.meet
    kind = "estimate" if each.estimate else "interval" if interval else "solved" if solved else "count"
    bound = compared not in ("", "==")
    return Row(
        (each.span.start, what),
        what,
        "" if each.subject == "this file" else f"`{each.subject}`",
        BOUNDS.get(compared, "") + _shown(each.wanted, both=both, share=share) if compared else "so",
        each.source or "",
        _shown(each.value, both=both, share=share) if compared else "so" if each.holds else "not so",
        kind,
        f"{'' if bound or not off else off + ': '}{each.differs}" if each.differs else "" if bound else off,
    )


def split(text: str) -> tuple[str, str, str]:
    """A condition as left side, comparison and right side; one without a comparison as it is."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        for sign in COMPARED if depth == 0 and text[at - 1] == " " else ():
            if text.startswith(sign + " ", at):
                return text[:at].strip(), sign, text[at + len(sign) :].strip()
    return text, "", ""


def _middle(value: object) -> Quantity | None:
    match value:
        case Quantity():
            return value
        case Interval():
            return Quantity((value.lower.value + value.upper.value) / 2, value.lower.dimension)
    return None


def _off(value: Quantity, figure: Quantity) -> str:
    """The relative difference; what is less than a millionth is the rounding of a solver."""
    share = (value.value - figure.value) / figure.value if figure.value else Fraction(0)
    if abs(share) < Fraction(1, 10**6):
        return "0"
    digits = 1 if abs(share) >= Fraction(1, 1000) else 3
    return f"{float(share):+.{digits}%}"


def _shown(value: object, *, both: bool, share: bool) -> str:
    match value:
        case Interval() if not value.meet:
            ends = (_shown(end, both=both, share=share) for end in (value.lower, value.upper))
            return " to ".join(ends)
        case Interval():
            return _shown(_middle(value), both=both, share=share)
        case Quantity() if value.dimension == units.NUMBER:
            if share:
                return f"{format_number(value.value * 100, 4)}%"
            whole = value.value.denominator == 1
            return f"{int(value.value):,}" if whole else format_number(value.value, 5)
        case Quantity():
            doubled = both and value.dimension == units.RATE
            text = format_quantity(Quantity(value.value * (2 if doubled else 1), value.dimension), 5)
            return text + (" bidir" if doubled else "")
        case bool():
            return "yes" if value else "no"
    return str(value)


def section(spec: str) -> str:
    """The table of one spec, empty where no source says anything."""
    found = sorted(rows(spec, solved=False) + rows_solved(spec), key=lambda row: row.place)
    if not found:
        return ""
    lines = [
        f"### {spec.partition('/')[2]}",
        "",
        f"[`specs/{spec}.ubus`](../specs/{spec}.ubus)",
        "",
        "| figure | of | published | source | the machine gives | kind | difference |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(row.cells() for row in found),
    ]
    return "\n".join(lines) + "\n"


def rows_solved(spec: str) -> list[Row]:
    """The figures that the solver is asked for; a spec that asks none of it is not solved."""
    done = compiled(spec)
    return rows(spec, solved=True) if done.systems and asks_figures(spec) else []


def asks_figures(spec: str) -> bool:
    """Whether an expectation of the spec that names a source needs the solver."""
    model = compiled(spec).model
    assert model is not None
    blocks = [
        *model.main.questions.get("analyze block", {}).values(),
        *model.main.questions.get("scenario", {}).values(),
    ]
    items = [item for block in blocks if isinstance(block, tree.Analyze | tree.Scenario) for item in block.items]
    asked = any(isinstance(item, tree.Expect) and item.source is not None for item in items)
    return asked or any(each.needs and each.source for each in compiled(spec).expectations)


def page(sections: dict[str, str]) -> str:
    """The whole page."""
    text = HEAD + _summary(sections)
    for vendor, name in VENDORS.items():
        own = [each for spec, each in sections.items() if spec.startswith(f"{vendor}/") and each]
        if own:
            text += f"## {name}\n\n" + "\n".join(own) + "\n"
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _summary(sections: dict[str, str]) -> str:
    """How many figures there are and how they came out, from the tables themselves."""
    cells = [line.split(" | ") for line in _table_lines(sections.values())]
    kinds = [line[-1].removesuffix(" |") for line in cells]
    bounds = sum(kind.strip() == "|" or not kind.strip() for kind in kinds)
    exact = kinds.count("0")
    differ = sum(": " in kind or bool(re.match(r"[^+\-0|\s]", kind)) for kind in kinds)
    near = len(kinds) - bounds - exact - differ
    return (
        f"{len(kinds)} figures: {exact} met exactly, {near} within the tolerance that the line states (figures are "
        f"rounded in print), {bounds} bounds that hold, {differ} that differ.\n\n"
    )


def _table_lines(sections: Iterable[str]) -> Iterator[str]:
    for text in sections:
        yield from (line for line in text.splitlines() if line.startswith("| `"))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page({spec: section(spec) for spec in specs()}), encoding="utf-8")


if __name__ == "__main__":
    main()
