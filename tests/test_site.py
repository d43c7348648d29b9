"""Each link of the pages leads to a file and a heading, in the tree as on the site; its generator is not needed."""

from __future__ import annotations

import posixpath
from pathlib import Path

import pytest
import yaml

from tests.support.programs import load_program
from unifiedbus_dsl.diagnostics import catalogue

ROOT = Path(__file__).parents[1]
pages = load_program(ROOT / "website" / "pages.py")
FOLDERS = ("docs", "tests", "editors", "unifiedbus_dsl")
WRITTEN = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))


@pytest.fixture(scope="module")
def site() -> dict[str, str]:
    """Every page of the site: those that are made, and those of `docs/` with their links turned."""
    written = {path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md")}
    turned = {name: pages.turned(path.read_text(encoding="utf-8"), f"docs/{name}") for name, path in written.items()}
    made = pages.made_pages()
    assert not set(made) & set(turned)
    return {**turned, **made}


@pytest.mark.parametrize("path", [*WRITTEN, *NOTEBOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_tree(path: Path) -> None:
    here = path.relative_to(ROOT).as_posix()
    for _, _, target in pages.links(pages.markdown_of(here)):
        file, anchor = pages.target_of(here, target)
        assert (ROOT / file).exists(), target
        assert not anchor or anchor in pages.anchors(pages.markdown_of(file)), target


def test_links_of_the_site(site: dict[str, str]) -> None:
    count = 0
    for here, text in site.items():
        for _, _, target in pages.links(text):
            page, anchor = pages.target_of(here, target)
            count += 1
            if page in site:
                assert not anchor or anchor in pages.anchors(site[page]), (here, target)
            else:
                assert (ROOT / "docs" / page).is_file(), (here, target)
                assert not page.endswith((".md", ".ipynb")), (here, target)
    assert count > 300


def test_errors_are_what_explain_prints(site: dict[str, str]) -> None:
    assert {f"errors/{code}.md" for code in catalogue.codes()} == {
        page for page in site if posixpath.basename(page).startswith("UB0")
    }
    assert all(site[f"errors/{page.code}.md"] == page.text for page in catalogue.pages())


@pytest.mark.parametrize(
    ("file", "page"),
    [
        ("README.md", "index.md"),
        ("docs/questions.md", "questions.md"),
        ("docs/formats", "formats/README.md"),
        ("docs/notebooks/design-a-pod.ipynb", "notebooks/design-a-pod.md"),
        ("tests/lang/01-first-machine.md", "language/01-first-machine.md"),
        ("tests/editor/cases/names.md", "source/tests/editor/cases/names.md"),
        ("specs/amd/helios.ubus", "source/specs/amd/helios.ubus.md"),
        ("specs/amd", "source/specs/amd/index.md"),
    ],
)
def test_where_a_file_is(file: str, page: str) -> None:
    assert pages.page_of(file) == page


def test_links_are_turned_and_code_is_left() -> None:
    text = "[a](../specs/amd/helios.ubus) `[b](../README.md)` [c](../README.md#try-it)\n```\n[d](../README.md)\n```\n[e](https://x.y)"
    assert pages.turned(text, "docs/gallery.md") == (
        "[a](source/specs/amd/helios.ubus.md) `[b](../README.md)` [c](index.md#try-it)\n```\n[d](../README.md)\n```\n"
        "[e](https://x.y)"
    )


def test_strokes_in_tables() -> None:
    """GitHub wants a backslash before a stroke in code, MkDocs shows it."""
    assert pages.turned("| `a\\|b` | c\\|d |\n`e\\|f`\n", "docs/gallery.md") == "| `a|b` | c\\|d |\n`e\\|f`\n"


def test_anchors() -> None:
    text = "# A `b`, c-d: [E](f.md)\n## x\n## X\n```\n# no\n```\n"
    assert pages.anchors(text) == {"a-b-c-d-e", "x", "x-1"}


def test_every_page_is_in_the_navigation(site: dict[str, str]) -> None:
    said = yaml.safe_load((ROOT / "website" / "mkdocs.yml").read_text(encoding="utf-8"))
    named = sorted(pages.pages_in(pages.filled(said["nav"], set(site))))
    assert named == sorted(page for page in site if not page.startswith("source/"))


def test_navigation_names_each_page_once() -> None:
    nav = ["index.md", {"A": ["b.md", "*"]}, {"C": "c.md"}, {"D": [{"E": ["d/*"]}]}]
    found = pages.filled(nav, {"index.md", "a.md", "b.md", "c.md", "d/x.md", "d/y.md", "e/z.md"})
    assert found == ["index.md", {"A": ["b.md", "a.md"]}, {"C": "c.md"}, {"D": [{"E": ["d/x.md", "d/y.md"]}]}]
