"""The corpus of natural mistakes: each a change of a right text, with the line and the words that help should have.

An entry of `corpus.txt` begins with the lines that it takes from its base (`- …`) and puts there (`+ …`). Then:

- `> …` the lines that may be blamed, by default those that were put there (`|` between several);
- `? …` words that the first error must say somewhere, all of them (` ; ` between), each one of several (`|` between);
- `= n` how many errors at the most, by default one; with `= 0` the text is right;
- `! …` what `check --fix` should make of the first line that was put there; `*` where it may mend either of two places.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import field, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.diagnostics import Diagnostic, Severity
from unifiedbus_dsl.diagnostics.fix import apply_fixes
from unifiedbus_dsl.ir.plan.text import plan_text

HERE = Path(__file__).parent
SIGNS = "-+>?=!"
ANYWHERE = "*"


@frozen
class Mistake:
    """One entry; `base` names the right text."""

    base: str
    number: int
    taken: tuple[str, ...]
    put: tuple[str, ...]
    blamed: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    most: int = 1
    fixed: str | None = None

    @property
    def text(self) -> str:
        """The base with the mistake in it."""
        return replaced(base_text(self.base), self.taken, self.put)

    @property
    def shown(self) -> str:
        """The first line that was put there, or that is missing."""
        return self.put[0].strip() if self.put else f"(without) {self.taken[0].strip()}"

    @property
    def name(self) -> str:
        return f"{self.base}, line {self.number} of the corpus: {self.shown}"


@frozen
class Verdict:
    """What is said of a mistake, and what is wanting."""

    mistake: Mistake
    errors: tuple[Diagnostic, ...]
    wanting: tuple[str, ...] = field(default=())

    @property
    def right(self) -> bool:
        return not self.wanting


@cache
def base_text(name: str) -> str:
    return (HERE / "bases" / f"{name}.ubus").read_text(encoding="utf-8")


def replaced(text: str, taken: tuple[str, ...], put: tuple[str, ...]) -> str:
    """The text with some lines, which stand there once and together, replaced."""
    old, new = "\n".join(taken) + "\n", "".join(f"{line}\n" for line in put)
    if f"\n{text}".count(f"\n{old}") != 1:
        raise ValueError(f"not once in the base: {old!r}")
    return f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]


def read(path: Path = HERE / "corpus.txt") -> Iterator[Mistake]:
    """The entries of the corpus."""
    base, lines, start = "", list[str](), 0
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        if line.startswith("@ "):
            base = line[2:].strip()
        elif line[:1] in SIGNS and line:
            start = start or number
            lines.append(line)
        elif not line.strip() and lines:
            yield _entry(base, start, lines)
            lines, start = [], 0


def _entry(base: str, number: int, lines: list[str]) -> Mistake:
    by_sign = {sign: [line[2:] for line in lines if line[0] == sign] for sign in SIGNS}
    put = tuple(line for line in by_sign["+"] if line.strip())
    blamed = tuple(part.strip() for line in by_sign[">"] for part in line.split("|")) or tuple(p.strip() for p in put)
    words = tuple(_alternatives(part) for line in by_sign["?"] for part in _parts(line))
    most = int(by_sign["="][0]) if by_sign["="] else 1
    return Mistake(base, number, tuple(by_sign["-"]), put, blamed, words, most, next(iter(by_sign["!"]), None))


def _parts(line: str) -> list[str]:
    return [line] if line.strip() == ";" else line.split(" ; ")


def _alternatives(part: str) -> tuple[str, ...]:
    return (part.strip(),) if part.strip() == "|" else tuple(each.strip() for each in part.split("|"))


def judge(mistake: Mistake) -> Verdict:
    """What is wanting in what the compiler says of a mistake."""
    done = compile_text(mistake.text)
    errors = tuple(d for d in done.diagnostics if d.severity is Severity.ERROR)
    if not errors and mistake.most:
        errors = tuple(d for d in done.diagnostics if d.severity is Severity.WARNING)
    return Verdict(mistake, errors, tuple(_wanting(mistake, errors)))


def _wanting(mistake: Mistake, errors: tuple[Diagnostic, ...]) -> Iterator[str]:
    if mistake.most == 0:
        yield from (f"is right, and told: {d.code} {d.message}" for d in errors[:1])
        return
    if not errors:
        yield "nothing is said"
        return
    first = errors[0]
    if len(errors) > mistake.most:
        yield f"{len(errors)} errors: {', '.join(d.code for d in errors)}"
    said = blamed_lines(first)
    if not any(line in each for line in said for each in mistake.blamed):
        yield f"blames {' and '.join(sorted(said)) or 'nothing'}"
    words = all_words(first).casefold()
    for alternatives in mistake.words:
        if not any(word.casefold() in words for word in alternatives):
            yield f"does not say {' or '.join(alternatives)}"
    if mistake.fixed not in (None, ANYWHERE):
        yield from _fix_wanting(mistake, errors)


def _fix_wanting(mistake: Mistake, errors: tuple[Diagnostic, ...]) -> Iterator[str]:
    made = fixed_text(errors)
    wanted = replaced(base_text(mistake.base), mistake.taken, (mistake.fixed or "", *mistake.put[1:]))
    if made is None:
        yield "has no fix"
    elif made != wanted and machine_of(made) != machine_of(wanted):
        line = next((b for a, b in zip(wanted.splitlines(), made.splitlines(), strict=False) if a != b), "nothing")
        yield f"is fixed to {line.strip()}"


def blamed_lines(found: Diagnostic) -> set[str]:
    """The lines that the primary span of a diagnostic touches, without the blanks around them."""
    if found.primary is None:
        return set()
    spans = [found.primary.span]
    if spans[0].source.path is not None:  # a file of the library: what stands in the text itself is a label
        spans += [label.span for label in found.labels]
    return {line for span in spans for line in _lines(span)}


def _lines(span: Span) -> set[str]:
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    stop = text.find("\n", max(span.start, span.end - 1))
    return {line.strip() for line in text[start : None if stop < 0 else stop].splitlines() if line.strip()}


def all_words(found: Diagnostic) -> str:
    """Everything that a diagnostic says."""
    labels = [found.primary.text] if found.primary is not None else []
    labels += [label.text for label in found.labels]
    return "\n".join([found.message, *labels, *found.notes, *found.help])


def fixed_text(errors: tuple[Diagnostic, ...]) -> str | None:
    """The text after the fixes that are offered; None where there are none."""
    mended = apply_fixes([d for d in errors if d.fix is not None])
    return mended[0].text if mended else None


def machine_of(text: str) -> tuple[str, ...] | None:
    """The plans of a text as text; None where it has errors."""
    done = compile_text(text)
    return tuple(plan_text(done.plans[name]) for name in done.systems) if done.ok else None
