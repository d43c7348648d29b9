"""What a page in a browser asks of the compiler: a text checked, drawn and answered, told as it comes.

Each event is a line of JSON on standard output. A text is a file in the folder `WORK`, so that what it says, and what is
said of it, are those of the command line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic

WORK = Path("/work")
Emit = Callable[[Mapping[str, Any]], None]


def check(name: str, text: str, emit: Emit) -> Compilation:
    """Tell what is wrong with a text, and where, and which machines it has; return it compiled."""
    from unifiedbus_dsl import compiler
    from unifiedbus_dsl.diagnostics.text import render

    path = WORK / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    done = compiler.compile(path)
    right = done.despite_questions()
    emit({
        "kind": "checked",
        "findings": render(done.diagnostics, colour=True),
        "wrong": not done.ok,
        "marks": list(_marks(done.diagnostics, path)),
        "systems": [] if right is None else list(right.systems),
    })  # fmt: skip
    return done


def _marks(diagnostics: tuple[Diagnostic, ...], path: Path) -> Iterator[dict[str, Any]]:
    """Yield where in the text itself something is wrong, in UTF-16 code units as scripts count them."""
    from unifiedbus_dsl.editor.positions import Positions

    for each in diagnostics:
        if each.primary is None or each.primary.span.source.path != path:
            continue
        span = each.primary.span
        positions = Positions.of(span.source, "utf-16")
        yield {
            "start": positions.place(span.start),
            "end": positions.place(span.end),
            "severity": str(each.severity),
            "code": each.code,
            "message": each.message,
        }


def draw(done: Compilation, emit: Emit) -> None:
    """Tell the overview of each machine."""
    right = done.despite_questions()
    for name, plan in ({} if right is None else right.plans).items():
        emit({"kind": "picture", "system": name, "svg": plan._repr_svg_()})


def answer(done: Compilation, emit: Emit) -> None:
    """Tell the answers to what a text asks, or the datasheet of its machine, line by line as they come."""
    from unifiedbus_dsl.analysis import run
    from unifiedbus_dsl.cli.answers import AnswerWriter
    from unifiedbus_dsl.diagnostics.text import render

    right = done.despite_questions()
    if right is None or not right.systems:
        return
    writer = AnswerWriter(lambda text: emit({"kind": "answer", "text": text}))
    report = run.analyze(right, tell=writer.tell)
    writer.end(report)
    emit({"kind": "answered", "findings": render(report.diagnostics, colour=True)})


def serve(request: str) -> None:
    """Answer one request, an object in JSON: `name` and `text` of a file, and `answers`, whether questions are
    answered too."""
    wanted = json.loads(request)
    done = check(wanted["name"], wanted["text"], _print)
    draw(done, _print)
    if wanted["answers"]:
        answer(done, _print)


def _print(event: Mapping[str, Any]) -> None:
    print(json.dumps(event), flush=True)
