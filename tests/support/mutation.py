"""What the compiler says of machines that are broken in one small way.

`python -m tests.support.mutation [--each N] [--seed S] [--show WHAT] [SPEC…]` takes the specs, breaks each N times at
random (a character dropped, two names swapped, a number, a unit or an index changed, a line deleted) and counts

- silent breaks: no diagnostic and another machine, by kind of break and sort of statement;
- blamed elsewhere: no diagnostic touches the broken line or its partner;
- cascades: more than three errors for the one break.

A diagnostic touches a line with its primary span or with a label. The partner of the broken line is a line that says a
name which the broken line defines, or which the break took away or put there. An expectation that fails has caught the
break: it says which figure is no longer met, and stands elsewhere by nature.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from attrs import field, frozen

from unifiedbus_dsl.compiler import Compilation, compile, compile_text
from unifiedbus_dsl.diagnostics import Diagnostic, Severity
from unifiedbus_dsl.ir.plan.text import plan_text
from unifiedbus_dsl.vocabulary.attributes import KINDS_OF_ASSEMBLY, KINDS_OF_DEVICE

SPECS = Path(__file__).parents[2] / "specs"
MANY = 3
"""More errors than these for one break are a cascade."""

_TOKEN = re.compile(r"(?P<skip>#[^\n]*|\"[^\"\n]*\")|(?P<word>[A-Za-z_]\w*)|(?P<number>\d[\d_.]*\d|\d)")
_QUANTITY = re.compile(r"(?<=\d )(?:[kMGTP]i?)?(?:B/s|bps|B|b|PFLOPS|FLOPS|m|s|ns/m|ns|us|W|USD)\b|(?<=\d)%")
_UNITS = ("GB/s", "GB", "Gbps", "GBps", "ns", "us", "m", "W", "%", "USD", "ns/m", "TB/s")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """ubus use as from let protocol link extends npu cpu switch nic device board node rack superpod supercluster
        module port transit spare open place if else then connect to over for in where step expect within differs system
        traffic workload along of all div mod and or not true false bidir cables every has any""",
    )
)
_PLAIN = _WORDS - {*KINDS_OF_DEVICE, *KINDS_OF_ASSEMBLY}
"""Words that name nothing: those for kinds are often names of parts as well."""


@frozen
class Break:
    """One small change: its kind, the new text, the line it is on (from 1), and the words that it took or put."""

    kind: str
    text: str
    line: int
    words: frozenset[str]
    what: str


@frozen
class Outcome:
    """What became of a break. `fate` is one of silent, same, expectation, found, elsewhere, cascade, crash."""

    spec: str
    broken: Break
    fate: str
    sort: str
    diagnostics: tuple[Diagnostic, ...] = field(repr=False, default=())


# ---- breaks -----------------------------------------------------------------------------------------------------


def tokens(text: str, sort: str) -> list[re.Match[str]]:
    """Words or numbers of a text outside comments and strings."""
    return [m for m in _TOKEN.finditer(text) if m.lastgroup == sort and m.group() not in _WORDS]


def drop_character(text: str, draw: random.Random) -> Break | None:
    """Any character outside comments, strings and white space."""
    skipped = [m.span() for m in _TOKEN.finditer(text) if m.lastgroup == "skip"]
    places = [k for k, c in enumerate(text) if not c.isspace() and not any(a <= k < b for a, b in skipped)]
    at = draw.choice(places)
    new = text[:at] + text[at + 1 :]
    word = _word_at(text, at)
    words = {word, word[: at - text.rfind(word, 0, at + len(word))]} if word else set()
    return _broken("character", text, new, at, words | {_word_at(new, min(at, len(new) - 1))}, f"drop {text[at]!r}")


def _word_at(text: str, at: int) -> str:
    found = next((m for m in re.finditer(r"\w+", text) if m.start() <= at < m.end()), None)
    return found.group() if found else ""


def swap_names(text: str, draw: random.Random) -> Break | None:
    """Two neighbouring names of one line, or two names of the file, change places."""
    names = tokens(text, "word")
    one = draw.choice(names)
    near = [
        n for n in names if n.group() != one.group() and abs(_line(text, n.start()) - _line(text, one.start())) <= 1
    ]
    if not near:
        return None
    first, second = sorted((one, draw.choice(near)), key=lambda m: m.start())
    a, b = first.group(), second.group()
    new = text[: first.start()] + b + text[first.end() : second.start()] + a + text[second.end() :]
    return _broken("names", text, new, first.start(), {a, b}, f"swap {a} and {b}")


def change_number(text: str, draw: random.Random) -> Break | None:
    """A number outside brackets, made larger, smaller, or ten times as large."""
    return _number(text, draw, "number", lambda before: not _inside_brackets(before))


def change_index(text: str, draw: random.Random) -> Break | None:
    """A number or index name inside brackets or behind `for`."""
    if draw.random() < 0.5:
        return _number(text, draw, "index", _inside_brackets)
    names = [m for m in tokens(text, "word") if _inside_brackets(text[: m.start()]) or _behind_for(text, m.start())]
    names = [m for m in names if len(m.group()) <= 2]
    if not names:
        return None
    one = draw.choice(names)
    line = [m.group() for m in names if _line(text, m.start()) == _line(text, one.start())]
    other = draw.choice([n for n in (*line, "q") if n != one.group()])
    new = text[: one.start()] + other + text[one.end() :]
    return _broken("index", text, new, one.start(), {one.group(), other}, f"{one.group()} becomes {other}")


def change_unit(text: str, draw: random.Random) -> Break | None:
    """A unit becomes another one, or goes."""
    places = [m for m in _QUANTITY.finditer(text) if not _commented(text, m.start())]
    if not places:
        return None
    one = draw.choice(places)
    other = draw.choice([u for u in (*_UNITS, "") if u != one.group()])
    new = text[: one.start()] + other + text[one.end() :]
    return _broken("unit", text, new, one.start(), set(), f"{one.group()} becomes {other or 'nothing'}")


def delete_line(text: str, draw: random.Random) -> Break | None:
    """A line that is no comment and not empty."""
    lines = text.splitlines(keepends=True)
    at = draw.choice([k for k, line in enumerate(lines) if line.split("#")[0].strip() not in ("", "}")])
    new = "".join([*lines[:at], *lines[at + 1 :]])
    words = set(re.findall(r"[A-Za-z_]\w*", lines[at].split("#")[0]))
    return _broken("line", text, new, len("".join(lines[:at])), words, f"delete {lines[at].strip()!r}")


BREAKS: tuple[Callable[[str, random.Random], Break | None], ...] = (
    drop_character,
    swap_names,
    change_number,
    change_unit,
    change_index,
    delete_line,
)


def _number(text: str, draw: random.Random, kind: str, fits: Callable[[str], bool]) -> Break | None:
    places = [m for m in tokens(text, "number") if fits(text[: m.start()]) and _line(text, m.start()) > 1]
    if not places:
        return None
    one = draw.choice(places)
    value = one.group().replace("_", "")
    whole = "." not in value
    other = draw.choice([str(int(value) + 1), str(max(0, int(value) - 1)), value + "0"] if whole else [value + "1"])
    new = text[: one.start()] + other + text[one.end() :]
    return _broken(kind, text, new, one.start(), set(), f"{one.group()} becomes {other}")


def _inside_brackets(before: str) -> bool:
    """Whether a place is in a subscript or the size of an array; the brackets of a list are none."""
    line = before.rpartition("\n")[2]
    opened = line.rpartition("[")[0]
    return line.count("[") > line.count("]") and opened[-1:].isalnum()


def _behind_for(text: str, at: int) -> bool:
    start = text.rfind("\n", 0, at) + 1
    return " for " in text[start:at]


def _commented(text: str, at: int) -> bool:
    return any(m.start() <= at < m.end() for m in _TOKEN.finditer(text) if m.lastgroup == "skip")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _broken(kind: str, text: str, new: str, at: int, words: Iterable[str], what: str) -> Break | None:
    return None if new == text else Break(kind, new, _line(text, at), frozenset(words) - {""} - _PLAIN, what)


# ---- what is said of them ---------------------------------------------------------------------------------------


def machine(done: Compilation) -> str:
    """Everything the plans of a compilation say."""
    return "\n".join(plan_text(plan) for plan in (*done.plans.values(), *done.library))


def judge(spec: Path, broken: Break, before: str) -> Outcome:
    """Compile a broken text and say what became of the break."""
    text = spec.read_text(encoding="utf-8")
    lines = text.splitlines()
    sort = next(iter(re.findall(r"\w+", lines[broken.line - 1])), "")
    if sort not in _WORDS:
        sort = "part or field"
    name = str(spec.relative_to(SPECS))
    try:
        done = compile_text(broken.text, spec.name, search=[spec.parent])
    except Exception as error:  # a crash is what this looks for
        return Outcome(name, broken, f"crash {type(error).__name__}", sort)
    fate = _fate(done, spec, broken, before, lines)
    return Outcome(name, broken, fate, sort, done.diagnostics)


def _fate(done: Compilation, spec: Path, broken: Break, before: str, lines: list[str]) -> str:
    errors = [d for d in done.diagnostics if d.severity is Severity.ERROR]
    if not done.diagnostics:
        return "same" if machine(done) == before else "silent"
    if len(errors) > MANY:
        return "cascade"
    if any(_touches(d, spec, broken, lines) for d in done.diagnostics):
        return "found"
    return "expectation" if any(d.code == "UB0701" for d in errors) else "elsewhere"


def _touches(diagnostic: Diagnostic, spec: Path, broken: Break, lines: list[str]) -> bool:
    spans = [label.span for label in (diagnostic.primary, *diagnostic.labels) if label is not None]
    words = broken.words | set(_defined(lines[broken.line - 1]))
    if diagnostic.code == "UB0102" and broken.kind == "character":
        return True  # brackets are partners
    for span in spans:
        here = span.source.name == spec.name
        if here and span.line in _places(broken, lines):
            return True
        said = set(re.findall(r"\w+", span.source.line(span.line)))
        if said & words:
            return True
    return False


def _places(broken: Break, lines: list[str]) -> set[int]:
    """The broken line; where it was deleted, the lines that have come together (numbered as they are now)."""
    if broken.kind != "line":
        return {broken.line}
    after = next((k for k in range(broken.line, len(lines)) if lines[k].split("#")[0].strip()), len(lines))
    return {broken.line - 1, *range(broken.line, after + 1)}


def _defined(line: str) -> Iterator[str]:
    """The names that a line gives to things."""
    for match in re.finditer(r"(?:^\s*|[;{]\s*)(?:\w+ )?(\w+)(?:\[[^\]]*\])?\s*[:={(]", line):
        if match[1] not in _PLAIN:
            yield match[1]


def outcomes(specs: Iterable[Path], each: int, seed: int) -> Iterator[Outcome]:
    """Break every spec `each` times, in turn in every way."""
    for spec in specs:
        text = spec.read_text(encoding="utf-8")
        before = machine(compile(spec))
        draw = random.Random(f"{seed} {spec.relative_to(SPECS)}")
        seen: set[str] = set()
        for k in range(each):
            broken = BREAKS[k % len(BREAKS)](text, draw)
            if broken is not None and broken.text not in seen:
                seen.add(broken.text)
                yield judge(spec, broken, before)


def report(found: list[Outcome]) -> str:
    """The three figures, and the silent breaks by kind and by the statement that they are in."""
    fates = Counter(outcome.fate.split()[0] for outcome in found)
    told = sum(fates[fate] for fate in ("found", "elsewhere", "cascade", "expectation"))
    changed = len(found) - fates["same"]
    rows = [
        f"{len(found):,} breaks: {fates['same']:,} change nothing, {changed:,} change the machine or the text",
        f"silent: {fates['silent']:,} ({_share(fates['silent'], changed)} of those that change something)",
        f"caught by an expectation: {fates['expectation']:,}",
        f"blamed elsewhere: {fates['elsewhere']:,} ({_share(fates['elsewhere'], told)} of those reported)",
        f"cascades: {fates['cascade']:,} ({_share(fates['cascade'], told)} of those reported)",
        f"crashes: {fates['crash']:,}",
        "silent by kind: " + _counts(o.broken.kind for o in found if o.fate == "silent"),
        "silent by statement: " + _counts(o.sort for o in found if o.fate == "silent"),
    ]
    return "\n".join(rows)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in Counter(words).most_common()) or "none"


def all_specs() -> list[Path]:
    return sorted(SPECS.rglob("*.ubus"))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.mutation", description=__doc__.split("\n\n", maxsplit=1)[0]
    )
    parser.add_argument("--each", type=int, default=300, help="breaks for each spec")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", default="", help="list the breaks of this fate: silent, elsewhere, cascade, crash")
    parser.add_argument("specs", nargs="*", type=Path)
    chosen = parser.parse_args(arguments)
    found = list(outcomes([path.resolve() for path in chosen.specs] or all_specs(), chosen.each, chosen.seed))
    for outcome in found:
        if chosen.show and outcome.fate.startswith(chosen.show):
            print(f"{outcome.spec}:{outcome.broken.line}: {outcome.broken.what}")
            for each in outcome.diagnostics:
                place = each.primary.span if each.primary else ""
                print(f"    {each.code} {place!r}: {each.message}")
    print(report(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
