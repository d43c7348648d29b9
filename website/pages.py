"""The pages of the site: which file of the tree is which page, and how links between them go.

The site shows what is in the tree and nothing else: the pages under `docs/`, the README, the manual under
`tests/lang`, the pages of the diagnostics catalogue, what `ubusc explain` tells of measures, the help of each command,
the notebooks, and as code each further file that a page links to. Links are written as they hold in the tree, and are
turned here.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
"""Pages outside `docs/` and the manual that are shown whether or not a page links to them."""
LANGUAGES = {".ubus": "ubus", ".py": "python", ".json": "json", ".toml": "toml", ".js": "javascript", ".yml": "yaml"}
FENCED = re.compile(r"^(?P<fence>`{3,}).*?^(?P=fence)`*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\]\(\s*(?P<target>[^()\s]+)\s*(?:\"[^\"]*\")?\)")
HEADING = re.compile(r"^(#{1,6}) +(.+?)(?: +#+)?$", re.MULTILINE)
TABLE_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


# ---- what a page of Markdown says -------------------------------------------------------------------------------


def without_code(text: str) -> str:
    """Return Markdown with its code as blanks, each character in its place."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    return CODE.sub(blank, FENCED.sub(blank, text))


def links(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield begin, end and target of each link and picture that leads to a file or a heading."""
    for found in LINK.finditer(without_code(text)):
        if not ELSEWHERE.match(found["target"]):
            yield *found.span("target"), found["target"]


def slug(heading: str, separator: str = "-") -> str:
    """Return the anchor of a heading, as GitHub makes it of the words."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page; those of equal headings are numbered."""
    found: dict[str, int] = {}
    for heading in HEADING.finditer(FENCED.sub("", text)):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading[2])
        name = slug(re.sub(r"[`*]", "", words))
        found[name] = found.get(name, 0) + 1
    return {name if not n else f"{name}-{n}" for name, count in found.items() for n in range(count)}


# ---- where a file is on the site --------------------------------------------------------------------------------


def page_of(path: str) -> str:
    """Return the page, or the picture, that stands for a file or folder of the tree, both by path."""
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        inner = path.removeprefix("docs/")
        if inner.endswith(".ipynb"):
            return inner.removesuffix(".ipynb") + ".md"
        return f"{inner.rstrip('/')}/README.md" if (ROOT / path).is_dir() else inner
    if path.startswith("tests/lang/") and path.endswith(".md"):
        return path.replace("tests/lang/", "language/", 1)
    if path in ROOTS:
        return path.lower()
    if (ROOT / path).is_dir():
        return f"source/{path}/index.md"
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"


def target_of(here: str, target: str) -> tuple[str, str]:
    """Return the file that a link of a file leads to, and the anchor in it."""
    path, _, anchor = target.partition("#")
    return (posixpath.normpath(posixpath.join(posixpath.dirname(here), path)) if path else here), anchor


def turned(text: str, here: str) -> str:
    """Return a page with the links of the tree as links of the site, and its tables as MkDocs reads them: a stroke in
    code ends no cell, so that one with a backslash would show it."""
    parts, at = [], 0
    for begin, end, target in links(text):
        path, anchor = target_of(here, target)
        if path != here and (ROOT / path).exists():
            page = posixpath.relpath(page_of(path), posixpath.dirname(page_of(here)) or ".")
            parts += [text[at:begin], page + (f"#{anchor}" if anchor else "")]
            at = end
    return TABLE_ROW.sub(
        lambda row: CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), "".join([*parts, text[at:]])
    )


# ---- pages that are made ----------------------------------------------------------------------------------------


def made_pages() -> dict[str, str]:
    """Return the text of each page of the site that is no file of `docs/`, by its path there."""
    found = {**error_pages(), "measures.md": measures_page(), "commands.md": commands_page()}
    waiting = [
        *ROOTS,
        *_paths("docs/**/*.md"),
        *_paths("docs/**/*.ipynb"),
        *_paths("tests/lang/*.md"),
    ]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        text = markdown_of(path)
        if not (path.startswith("docs/") and path.endswith(".md")):
            found[page_of(path)] = turned(text, path)
        for _, _, target in links(text):
            further, _ = target_of(path, target)
            if further not in seen and not further.startswith("docs/") and (ROOT / further).exists():
                seen.add(further)
                waiting.append(further)
    return found


def _paths(pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))


def markdown_of(path: str) -> str:
    """Return a file of the tree as Markdown: a notebook with its outputs, code as a block, a folder as a list."""
    file = ROOT / path
    if file.is_dir():
        names = sorted(each.name for each in file.iterdir() if not each.name.startswith((".", "__")))
        return f"# {path}\n\n" + "".join(f"- [{name}]({posixpath.basename(path)}/{name})\n" for name in names)
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return text
    if file.suffix == ".ipynb":
        return notebook_page(json.loads(text))
    return f"# {path}\n\n{fenced(text, LANGUAGES.get(file.suffix, 'text'))}"


def fenced(text: str, language: str) -> str:
    """Return a block of code, in a fence longer than any in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def notebook_page(notebook: Mapping[str, Any]) -> str:
    """Return a notebook as a page, with what is stored of its cells."""
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else fenced(text, "python"))
        parts += [_output(each) for each in cell.get("outputs", ())]
    return "\n\n".join(parts) + "\n"


def _output(output: Mapping[str, Any]) -> str:
    """Return what a cell gave: HTML as it is, on one line, for a blank one would end it."""
    data = output.get("data", {})
    for kind in ("image/svg+xml", "text/html"):
        if kind in data:
            shown = re.sub(r"<\?xml.*?\?>\s*", "", "".join(data[kind]))
            return f'<div class="output">{shown.strip().replace(chr(10), "&#10;" if "<pre>" in shown else " ")}</div>'
    return fenced("".join(data.get("text/plain", output.get("text", ()))), "text")


def error_pages() -> dict[str, str]:
    """Return the pages of the codes, which are what `ubusc explain` prints, and the list of them."""
    from unifiedbus_dsl.diagnostics import catalogue

    lines, family = ["# Errors and warnings\n\n`ubusc explain CODE` prints the same pages.\n"], ""
    for page in catalogue.pages():
        if page.family != family:
            family = page.family
            lines.append(f"\n## {page.code[:4]}xx: {family}\n\n")
        lines.append(f"- [{page.code}]({page.code}.md): {page.title}\n")
    return {"errors/index.md": "".join(lines), **{f"errors/{page.code}.md": page.text for page in catalogue.pages()}}


def measures_page() -> str:
    """Return what `ubusc explain` prints of each measure, traffic pattern, routing and algorithm."""
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers them
    from unifiedbus_dsl.measures.reference import REGISTRIES, page

    parts = ["# Measures, traffic, routings, algorithms\n\n`ubusc explain NAME` prints the same texts.\n"]
    for registry in REGISTRIES:
        parts.append(f"\n## {registry.noun.capitalize()}s\n")
        parts += [f"\n### {name}\n\n{fenced(page(each, registry.noun), 'text')}" for name, each in registry.items()]
    return "".join(parts)


def commands_page() -> str:
    """Return the help of each command."""
    import click

    from unifiedbus_dsl.cli.app import group
    from unifiedbus_dsl.cli.commands import COMMANDS

    parts = ["# Commands\n\n`ubusc COMMAND --help` prints the same texts, `ubusc man COMMAND` a manual page.\n"]
    with click.Context(group, info_name="ubusc", max_content_width=100, terminal_width=100) as whole:
        parts.append(f"\n## ubusc\n\n{fenced(group.get_help(whole), 'text')}")
        for name in COMMANDS:
            command = group.get_command(whole, name)
            assert command is not None
            with click.Context(command, parent=whole, info_name=name) as context:
                parts.append(f"\n## ubusc {name}\n\n{fenced(command.get_help(context), 'text')}")
    return "".join(parts)


# ---- the tree of pages ------------------------------------------------------------------------------------------


def filled(nav: list[Any], pages: set[str]) -> list[Any]:
    """Return a navigation with each `folder/*` as the pages in it that are named nowhere, in order."""
    return _filled(nav, sorted(pages - set(pages_in(nav))))


def _filled(nav: list[Any], others: list[str]) -> list[Any]:
    found: list[Any] = []
    for item in nav:
        if isinstance(item, dict):
            found += [
                {title: _filled(below, others) if isinstance(below, list) else below} for title, below in item.items()
            ]
        elif item == "*" or item.endswith("/*"):
            found += [each for each in others if posixpath.dirname(each) == item[:-1].rstrip("/")]
        else:
            found.append(item)
    return found


def pages_in(nav: list[Any]) -> Iterator[str]:
    """Yield the pages that a navigation names."""
    for item in nav:
        if isinstance(item, dict):
            for below in item.values():
                yield from pages_in(below) if isinstance(below, list) else [below]
        else:
            yield item
