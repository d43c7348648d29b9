"""`ubusc help`: the manual as it is read from a terminal."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support import literate
from unifiedbus_dsl.cli import help

ROOT = Path(__file__).parents[2]
PAGES = [path for path in literate.pages() if path.stem[:2].isdigit()]


def test_lists_every_page(run: Run) -> None:
    lines = run("help").out.splitlines()
    assert [line.split()[1] for line in lines] == [path.stem.split("-", 1)[1] for path in PAGES]
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages(run: Run, path: Path) -> None:
    number, _, name = path.stem.partition("-")
    text = path.read_text(encoding="utf-8").rstrip()
    assert run("help", name).out.rstrip() == text
    assert run("help", str(int(number))).out.rstrip() == text


def test_sections(run: Run) -> None:
    found = run("help", "length", "reach").out
    assert found.startswith("[protocols-and-links]\n## Lengths and reach\n")
    assert "## Fields for one cable" not in found
    assert run("help", "Lengths", "and", "REACH").out == found


def test_unknown(run: Run) -> None:
    done = run("help", "paterns")
    assert done.status == 2
    assert "did you mean `patterns`?" in done.err
    assert run("help", "xyzzy").status == 2
    assert "`ubusc help` lists all" in run("help", "xyzzy").err


@pytest.mark.parametrize("word", ["bruck", "step_time", "updown"])
def test_what_is_explained_elsewhere(run: Run, word: str) -> None:
    done = run("help", word)
    assert done.status == 2
    assert f"`ubusc explain {word}` tells what it is" in done.err
    assert run("explain", word).status == 0


@pytest.mark.parametrize("word", ["workload", "name", "exploration"])
def test_explain_of_what_the_manual_has(run: Run, word: str) -> None:
    done = run("explain", word)
    assert done.status == 2
    assert f"`ubusc help {word}`" in done.err
    assert run("help", word).status == 0
    assert "`ubusc explain` lists all" in run("explain", "xyzzy").err


def test_another_form_of_a_word_of_a_heading(run: Run) -> None:
    assert run("help", "explore").out.startswith("# Explorations")
    assert "## Scenarios" in run("help", "scenario").out


def test_a_word_of_no_heading_lists_the_sections_that_speak_of_it(run: Run) -> None:
    """Each is a heading of the page before it, and help has its text, with the word in it."""
    first, *listed = run("help", "routing").out.splitlines()
    assert first == "no heading has `routing`; these sections speak of it:"
    assert len(listed) >= 2
    for line in listed:
        page, _, heading = line.strip().partition(": ")
        text = run("help", heading).out
        assert f"[{page}]" in text or text.startswith(f"# {heading}")
        assert "rout" in text.lower()


def test_manual_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help, "folder", lambda: None)
    assert run("help").status == 1


def test_wheel_has_the_manual() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert said["force-include"]["tests/lang"] == "unifiedbus_dsl/manual"
