"""Libraries: where a `use` finds its text, and the search path of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol as Interface

from attrs import field, frozen

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.load import begins_as_text, is_file, unreadable


class Library(Interface):
    """Where `use` finds texts."""

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        """Return the text that a `use` names; None after a diagnostic. The same file gives the same Source each
        time."""


@frozen
class FileLibrary:
    """Files: beside the importing file, then in the search folders, then among the specs that come along.

    `read` loads a file and reports what is wrong with it.
    """

    folders: tuple[Path, ...]
    read: Callable[[Path, Sink], Source | None]
    _known: dict[Path, Source | None] = field(factory=dict, eq=False)

    def know(self, source: Source) -> None:
        """A file that is read already: one that uses it meets the same text again."""
        if source.path is not None:
            self._known[source.path.resolve()] = source

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        wanted = path_of_use(use)
        beside = (importer.path.parent,) if importer.path else ()
        for folder in (*beside, *self.folders):
            path = folder / wanted
            if is_file(path):
                return self._read(path, use, sink)
        report_missing_file(use, [str(folder) for folder in (*beside, *self.folders)], self._near(wanted, beside), sink)
        return None

    def _read(self, path: Path, use: tree.Use, sink: Sink) -> Source | None:
        """Return the text of a file that is there; None after a diagnostic, which shows nothing of what is no text of
        ours."""
        span = use.file.span if use.file else use.path[0].span.to(use.path[-1].span)  # type: ignore[index]
        reason = unreadable(path, (".ubus",))
        if reason is not None:
            sink.error("UB0204", f"can't use `{path_of_use(use)}`: {reason}", span, "not read")
            return None
        key = path.resolve()
        if key not in self._known:
            source = self.read(path, sink)
            if source is not None and not begins_as_text(source.text):
                message = f"can't use `{path_of_use(use)}`: it does not begin with `ubus 1`"
                sink.error("UB0204", message, span, "no text of this language")
                source = None
            self._known[key] = source
        return self._known[key]

    def _near(self, wanted: str, beside: tuple[Path, ...]) -> list[str]:
        parent = Path(wanted).parent
        near: list[str] = []
        for folder in (*beside, *self.folders):
            with suppress(OSError, ValueError):  # the path of a folder that can't be one
                near += [str(parent / p.name) if parent.name else p.name for p in (folder / parent).glob("*.ubus")]
                near += [f"std/{wanted}"] if (folder / "std" / wanted).is_file() else []
        return near


@frozen
class TextLibrary:
    """Texts given by name, then another library."""

    sources: Mapping[str, Source]
    rest: Library

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        source = self.sources.get(path_of_use(use))
        return source if source is not None else self.rest.find(use, importer, sink)


def path_of_use(use: tree.Use) -> str:
    """Return the relative file name that a `use` asks for: `std.clos` is `std/clos.ubus`."""
    if use.file is not None:
        return use.file.value
    assert use.path is not None
    return "/".join(word.text for word in use.path) + ".ubus"


def report_missing_file(use: tree.Use, folders: list[str], near: list[str], sink: Sink) -> None:
    span = use.file.span if use.file else use.path[0].span.to(use.path[-1].span)  # type: ignore[index]
    wanted = path_of_use(use)
    guess = did_you_mean(wanted, near)
    if guess and use.file is None:
        guess = guess.removesuffix(".ubus").replace("/", ".")
    sink.error(
        "UB0204",
        f"no file `{wanted}` to use",
        span,
        "not found",
        notes=("looked in " + ", ".join(folders or ["no folder"]),),
        help=(f"did you mean `{guess}`?",) if guess else ("`-I FOLDER` adds a folder to look in",),
        # another file is only suggested: its text may be quite another thing
    )
