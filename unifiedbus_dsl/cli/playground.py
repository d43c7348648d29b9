"""What a page in a browser asks of the compiler: a text checked, drawn and answered, told as it comes.

Each event is an object. A text is a file of its name in the current folder, so that what is said of it is what the
command line says there.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic

NO_MEMORY = "this takes more memory than a page has: ask `ubusc` on a computer of your own, or of a smaller machine\n"
Emit = Callable[[Mapping[str, Any]], None]


def _print(event: Mapping[str, Any]) -> None:
    print(json.dumps(event), flush=True)


@define(eq=False)
class Session:
    """A page that asks: the text that it has asked about last, compiled. By default events are lines of JSON on
    standard output."""

    emit: Emit = _print
    _compiled: Compilation | None = None

    def serve(self, request: str) -> None:
        """Answer a request, an object in JSON. `what` is `text`: check and draw the `text` of a file called `name`,
        whose `use` looks in this `folder` of the specs that come along too; or `answers`: answer what the last text
        asks. What the compiler can't do by a mistake of its own is told too."""
        wanted = json.loads(request)
        try:
            if wanted["what"] == "text":
                self._compiled = check(wanted["name"], wanted["text"], wanted["folder"], self.emit)
                draw(self._compiled, self.emit)
            elif self._compiled is not None:
                answer(self._compiled, self.emit)
        except MemoryError:
            self.emit({"kind": "refused", "text": NO_MEMORY})
        except Exception:
            self.emit({"kind": "failed", "text": traceback.format_exc()})


def check(name: str, text: str, folder: str, emit: Emit) -> Compilation:
    """Tell what is wrong with a text, and where, and which machines it has; return it compiled."""
    from unifiedbus_dsl import compiler
    from unifiedbus_dsl.diagnostics.text import render

    path = Path(name)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    search = [each / folder for each in compiler.spec_folders()] if folder else []
    done = compiler.compile(path, search=search)
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
    """Yield what is wrong in the text itself, from offset to offset in UTF-16 code units, as scripts count them."""
    for each in diagnostics:
        if each.primary is None or each.primary.span.source.path != path:
            continue
        span = each.primary.span
        text = span.source.text
        start, end = _units(text[: span.start]), _units(text[: span.end])
        yield {"start": start, "end": end, "severity": str(each.severity), "code": each.code, "message": each.message}


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


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
