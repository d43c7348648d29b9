"""Tests written in the language: what a text should be told stands in its own comments.

- `# error: [UB0403]` (or `# warning: …`, `# note: …`) on the line where the primary span starts; words behind the
  bracket must occur in the message. What no comment announces must not be found.
- In Markdown, each ```ubus block is a text of its own. One whose first line is `# file: parts.ubus` is a further file
  for the other blocks of its section (the stretch up to the next heading).
- A ```text block behind a ```ubus block is the rendered text of its diagnostics. Run
  `python -m tests.support.literate --accept` to write these anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Diagnostic
from unifiedbus_dsl.diagnostics.text import render

HERE = Path(__file__).parents[1]
MAIN = "main.ubus"
"""The name under which a block is compiled."""

_EXPECTED = re.compile(r"# (error|warning|note): \[(UB\d{4})\]([^#\n]*)")
_FILE = re.compile(r"# file: (\S+)[^\n]*\n")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.*)$", re.MULTILINE)


@frozen(order=True)
class Expected:
    """A finding that a comment announces."""

    file: str
    line: int
    severity: str
    code: str
    words: str = ""


@frozen
class Case:
    """One block to compile. `snapshot` is the rendered text it should give, None where the page shows none."""

    title: str
    text: str
    files: tuple[tuple[str, str], ...]
    snapshot: str | None
    line: int

    @property
    def expected(self) -> list[Expected]:
        """In order of file and line."""
        texts = [(MAIN, self.text), *self.files]
        return sorted(e for name, text in texts for e in expectations(name, text))


def expectations(name: str, text: str) -> Iterator[Expected]:
    """What the comments of a text announce."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in _EXPECTED.finditer(line):
            yield Expected(name, number, match[1], match[2], match[3].strip())


def cases(markdown: str) -> list[Case]:
    """The cases of a page, from top to bottom."""
    return [case for start, end, title in _sections(markdown) for case in _cases(markdown, start, end, title)]


def _sections(markdown: str) -> list[tuple[int, int, str]]:
    fences = [(m.start(), m.end()) for m in _FENCE.finditer(markdown)]
    heads = [m for m in _HEADING.finditer(markdown) if not any(a < m.start() < b for a, b in fences)]
    starts = [(m.start(), m[1]) for m in heads]
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, ""))
    ends = [start for start, _ in starts[1:]] + [len(markdown)]
    return [(start, end, title) for (start, title), end in zip(starts, ends, strict=True)]


def _cases(markdown: str, start: int, end: int, title: str) -> Iterator[Case]:
    blocks = [m for m in _FENCE.finditer(markdown, start, end) if m[1] in ("ubus", "text")]
    named = [(m, _FILE.match(m[2])) for m in blocks if m[1] == "ubus"]
    files = tuple((name[1], m[2]) for m, name in named if name)
    mains = [m for m, name in named if not name]
    for main in mains:
        following = blocks[blocks.index(main) + 1 :]
        snapshot = following[0][2] if following and following[0][1] == "text" else None
        yield Case(title, main[2], files, snapshot, markdown.count("\n", 0, main.start()) + 1)


def found(diagnostics: Iterable[Diagnostic]) -> list[tuple[Expected, str]]:
    """Each diagnostic as the comment that would announce it, with its message."""
    return sorted((_announce(d), d.message) for d in diagnostics)


def _announce(diagnostic: Diagnostic) -> Expected:
    if diagnostic.primary is None:
        return Expected("", 0, str(diagnostic.severity), diagnostic.code)
    span = diagnostic.primary.span
    return Expected(span.source.name, _line(span), str(diagnostic.severity), diagnostic.code)


def _line(span: Span) -> int:
    """The line a span starts on. What is said of the end of a text counts for the last line with words on it."""
    if span.source.text[span.start :].strip():
        return span.line
    return span.source.text.rstrip().count("\n") + 1


def differences(diagnostics: Iterable[Diagnostic], expected: Iterable[Expected]) -> list[str]:
    """What was found and not announced, and the other way round; empty where they agree."""
    left = list(expected)
    problems = []
    for actual, message in found(diagnostics):
        match = next((e for e in left if _agree(e, actual, message)), None)
        if match is None:
            problems.append(f"not announced: {actual.file}:{actual.line}: {actual.severity}[{actual.code}]: {message}")
        else:
            left.remove(match)
    problems += [f"not found: {e.file}:{e.line}: {e.severity}[{e.code}] {e.words}".rstrip() for e in left]
    return problems


def _agree(expected: Expected, actual: Expected, message: str) -> bool:
    same = (expected.file, expected.line, expected.severity, expected.code)
    return same == (actual.file, actual.line, actual.severity, actual.code) and expected.words in message


def diagnose(text: str, files: Iterable[tuple[str, str]] = (), name: str = MAIN) -> tuple[Diagnostic, ...]:
    """Compile a text and give back what is found; one with the comment `# ubusc analyze` is asked its questions too,
    and of one with `# ubusc render` all views are drawn."""
    from unifiedbus_dsl import compiler

    done = compiler.compile_text(text, name, dict(files))
    if "# ubusc render" in text and done.ok:
        return (*done.diagnostics, *_drawn(done))
    if "# ubusc analyze" not in text or not done.ok:
        return tuple(done.diagnostics)
    from unifiedbus_dsl.analysis.run import analyze

    return (*done.diagnostics, *analyze(done).diagnostics)


def _drawn(done: Compilation) -> list[Diagnostic]:
    """What drawing the views of a text finds."""
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.figures.solved_views import draw_view, view_of, views

    sink = Sink()
    for view in views(done).values():
        found = view_of(done, view, sink)
        if found is not None:
            draw_view(found, sink)
    return list(sink)


def check(case: Case) -> list[str]:
    """What is wrong with a case: differences from its comments, and from its snapshot."""
    diagnostics = diagnose(case.text, case.files)
    problems = differences(diagnostics, case.expected)
    shown = render(diagnostics, limit=None)
    if case.snapshot is not None and shown != case.snapshot:
        problems.append(
            f"the rendered text is another (`python -m tests.support.literate --accept` takes it):\n{shown}"
        )
    return problems


def accept(markdown: str) -> str:
    """The page with every snapshot written anew."""
    parts = []
    at = 0
    for case in cases(markdown):
        if case.snapshot is None:
            continue
        block = _snapshot_block(markdown, case)
        parts += [markdown[at : block.start(2)], render(diagnose(case.text, case.files), limit=None)]
        at = block.end(2)
    return "".join([*parts, markdown[at:]])


def _snapshot_block(markdown: str, case: Case) -> re.Match[str]:
    """The ```text block behind the block of a case."""
    fences = [m for m in _FENCE.finditer(markdown) if m[1] in ("ubus", "text")]
    own = next(n for n, m in enumerate(fences) if markdown.count("\n", 0, m.start()) + 1 == case.line)
    return fences[own + 1]


def pages() -> list[Path]:
    return sorted((HERE / "lang").glob("*.md"))


def main(arguments: list[str]) -> int:
    """`--accept [PAGE…]`: write the snapshots of these pages, by default all, anew."""
    if not arguments or arguments[0] != "--accept":
        print(main.__doc__, file=sys.stderr)
        return 2
    for path in [Path(a) for a in arguments[1:]] or pages():
        before = path.read_text(encoding="utf-8")
        after = accept(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
