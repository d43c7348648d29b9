"""The API reference: public names of the package with their signatures and docstrings, as a page.

`python -m tests.support.api_reference --accept` writes `docs/api.md` anew; a test holds the page to it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType

import attrs

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "unifiedbus_dsl",
        "From text to machine",
        ("compile", "compile_text", "Compilation", "CompilationFailed", "Limits", "Plan", "Fabric", "Diagnostic"),
    ),
    ("unifiedbus_dsl.analysis.api", "Questions to a fabric", ()),
    ("unifiedbus_dsl.measures.results", "What they give", ()),
    ("unifiedbus_dsl.measures.answers", "Answers", ("Answer",)),
    ("unifiedbus_dsl.solver.bounds", "Numbers with bounds", ("BoundedValue",)),
    ("unifiedbus_dsl.analysis.run", "What a file asks", ("analyze", "ask", "Report")),
    ("unifiedbus_dsl.analysis.survey.surveys", "Surveys of failures", ("survey", "Surveyed", "Row")),
    ("unifiedbus_dsl.figures.explorer_page", "The page to explore", ("explorer_page", "ExplorerPage")),
    ("unifiedbus_dsl.export", "Files for other tools", ("write", "find", "Format", "CannotExportError")),
    ("unifiedbus_dsl.importer", "Machines as they were found", ("read_fabric", "read", "Found", "Doubts")),
)
"""Module, heading, and its public names: all that it defines where none are listed."""


def names_of(module: str, listed: tuple[str, ...]) -> list[str]:
    """Return the public names of a module that are told of, in order."""
    if listed:
        return list(listed)
    found = import_module(module)
    every = getattr(found, "__all__", None) or [
        name for name, value in vars(found).items() if inspect.isclass(value) and value.__module__ == module
    ]
    return [name for name in every if not inspect.ismodule(getattr(found, name)) and not name.startswith("_")]


def objects() -> Iterator[tuple[str, str, object]]:
    """Yield module, name and value of each public name, in the order of the page."""
    for module, _, listed in SECTIONS:
        for name in names_of(module, listed):
            yield module, name, getattr(import_module(module), name)


def members_of(value: type) -> Iterator[tuple[str, FunctionType]]:
    """Yield the public methods and properties that a class defines itself."""
    for name, member in vars(value).items():
        function = member.fget if isinstance(member, property) else member
        function = getattr(function, "func", function)  # a cached property
        function = getattr(function, "__func__", function)  # a class method
        if not name.startswith("_") and isinstance(function, FunctionType) and function.__doc__:
            yield name, function


def signature_of(function: object) -> str:
    """Return a signature without the modules of its types; a default that is a function by its name alone."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    plain = [
        each.replace(default=Named(each.default.__name__)) if inspect.isfunction(each.default) else each
        for each in signature.parameters.values()
    ]
    plain = [
        each if each.annotation is each.empty else each.replace(annotation=Named(str(each.annotation)))
        for each in plain
    ]
    text = str(signature.replace(parameters=plain, return_annotation=Named(str(signature.return_annotation))))
    return re.sub(r"\b(?:[a-z_]\w*\.)+([A-Za-z]\w*)", r"\1", text)


class Named(str):
    """A name that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def paragraphs(doc: str) -> str:
    """Return a docstring as Markdown: its sections as lists."""
    lines = []
    for line in inspect.cleandoc(doc).splitlines():
        if line in ("Args:", "Raises:", "Attributes:"):
            lines += [{"Args:": "Parameters:", "Raises:": "Raises:", "Attributes:": "Fields:"}[line], ""]
        elif item := re.match(r"    (\w+): (.*)", line):
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif line.startswith("    " * 2):
            lines.append(f"  {line.strip()}")
        else:
            lines.append(line.strip() if line.startswith("    ") and lines and lines[-1].startswith("- ") else line)
    return "\n".join(lines)


def first_paragraph(function: object) -> str:
    """Return the first paragraph of a docstring in one line."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())


def arguments(owner: type, member: str, function: object) -> str:
    """Return the signature of a method without `self`; nothing for a property."""
    if not isinstance(inspect.getattr_static(owner, member), FunctionType | classmethod | staticmethod):
        return ""
    return re.sub(r"^\((?:self|cls)(?:, )?", "(", signature_of(function))


def fields_of(value: type) -> str:
    """Return the fields of a class of values with their types, a line each; empty where there are none."""
    if not attrs.has(value):
        return ""
    public = [each for each in attrs.fields(value) if not each.name.startswith("_") and each.init]
    return "".join(f"{each.name}: {each.type}\n" for each in public)


def entry(name: str, value: object) -> Iterator[str]:
    """Yield the parts of the page on a name."""
    if inspect.isclass(value):
        fields = fields_of(value)
        yield f"### `{name}`\n\n{paragraphs(value.__doc__ or '')}\n" + (f"\n```text\n{fields}```\n" if fields else "")
        for member, function in members_of(value):
            yield f"- `.{member}{arguments(value, member, function)}`: {first_paragraph(function)}\n"
    else:
        yield f"### `{name}`\n\n```text\n{name}{signature_of(value)}\n```\n\n{paragraphs(value.__doc__ or '')}\n"


def page() -> str:
    """Return the whole page."""
    parts = [
        "# API reference\n",
        "Made from the docstrings. [From Python](python.md) shows how they are used. Units are SI throughout: byte/s, "
        "seconds, bytes, metres. In shapes, D are the devices of a fabric, C its cables, E its end points, V and A the "
        "vertices and arcs of its network ([architecture](architecture.md)).\n",
    ]
    for module, heading, listed in SECTIONS:
        parts.append(f"## {heading}\n\nIn `{module}`.\n")
        for name in names_of(module, listed):
            parts += entry(name, getattr(import_module(module), name))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


if __name__ == "__main__":
    if sys.argv[1:] == ["--accept"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
