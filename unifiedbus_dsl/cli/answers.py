"""Answers as people read them: a block for each system and `analyze` block, a line for each measure as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from attrs import define

from unifiedbus_dsl.diagnostics.display_width import text_width

if TYPE_CHECKING:
    from unifiedbus_dsl.analysis.run import BlockBegun, Event, Report
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.semantic import ExpectResult

VALUE_WIDTH = 18
"""Columns for a value: what comes later is not known when a line is written, so a longer one pushes the rest on."""
LABEL_WIDTH = 100
"""A label that is longer does not widen the column."""


@define(eq=False)
class AnswerWriter:
    """Writes events as lines by `write`, which is given whole lines; `begun` once anything was written."""

    write: Callable[[str], None]
    begun: bool = False
    _label: int = 0
    _head: tuple[str, ...] = ()
    """Of a block, until its first answer is there."""

    def tell(self, event: Event) -> None:
        """Write what has come of a question."""
        from unifiedbus_dsl.analysis.run import BlockBegun
        from unifiedbus_dsl.measures.answers import Answer

        if isinstance(event, BlockBegun):
            self._begin(event)
            return
        lines = _answer(event, self._label) if isinstance(event, Answer) else _expectation(event)
        self._lines((*self._head, *lines))
        self._head = ()

    def _lines(self, lines: Iterable[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        if text:
            self.write(text)
            self.begun = True

    def _begin(self, event: BlockBegun) -> None:
        self._label = max((min(text_width(label), LABEL_WIDTH) for label in event.labels), default=0)
        gap = ("",) if self.begun else ()
        if event.said is None:
            self._head = (*gap, f"{event.system}: {event.block}")
        else:
            self._lines((*gap, event.block, *(f"  {sentence}" for sentence in event.said)))

    def end(self, report: Report) -> None:
        """Write what is known when all questions are answered."""
        self._lines(_expectations(report, self.begun))
        if self.begun:
            self._lines(_orbits(report))
        if report.left_out:
            names = ", ".join(f"`{name}`" for name in report.left_out)
            self._lines(("", f"left out: {names}; `--system {report.left_out[0]}` asks about it"))


def text_of(report: Report) -> str:
    """Return a whole report as it is written."""
    lines: list[str] = []
    writer = AnswerWriter(lines.append)
    for event in report.events:
        writer.tell(event)
    writer.end(report)
    return "".join(lines)


def _answer(answer: Answer, label: int) -> Iterator[str]:
    space = max(0, label - text_width(answer.label)) + max(0, VALUE_WIDTH - text_width(answer.shown))
    yield f"  {answer.label}  {' ' * space}{answer.shown}  {answer.standing:<8}  {answer.seconds:8.3f} s"
    said = "; ".join(answer.assumptions)
    yield from ([f"      {said}"] if said else [])
    yield from (f"      {line}" for line in answer.lines)
    yield from (f"      {answer.binds} {name}" for name in answer.binding)
    yield from (f"      not verified: {each}" for each in answer.unverified)


def _expectations(report: Report, begun: bool) -> Iterator[str]:
    """Yield the expectations that are in no block."""
    apart = [each for each in report.expectations if not any(each is event for event in report.events)]
    if apart:
        yield from ("",) if begun else ()
        yield "Expectations"
    for result in apart:
        yield from _expectation(result)


def _expectation(result: ExpectResult) -> Iterator[str]:
    word = "differs" if result.differs is not None else "holds" if result.holds else "fails"
    yield f"  {word:<8}{result.text}" + (f"  ({result.source})" if result.source else "")
    yield from (f"          {sentence}" for sentence in result.held_against)


def _orbits(report: Report) -> Iterator[str]:
    for name, (vertices, arcs) in report.orbits.items():
        orbits = f"{vertices:,} orbit{'s' * (vertices != 1)} of vertices and {arcs:,} of directed arcs"
        yield from ("", f"{name}: proved symmetries leave {orbits}{_origins(report, name)}")


def _origins(report: Report, system: str) -> str:
    """Return which way the answers about a system were found, where the plan has given some; else nothing."""
    from unifiedbus_dsl.measures.answers import EXPRESSION

    of = [answer.origin for answer in report.answers if answer.system == system and answer.measure != EXPRESSION]
    planned = of.count("plan")
    if planned == len(of):
        return "; all from the plan, without the fabric" if planned else ""
    return f"; {planned} of {len(of)} measures from the plan, the others from the fabric" if planned else ""
