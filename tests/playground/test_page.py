"""The playground in a real browser: its pictures, what it says of a text, its links."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path

import pytest

from tests.playground.conftest import Playground
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis import run
from unifiedbus_dsl.cli.answers import text_of
from unifiedbus_dsl.diagnostics.text import render

pytestmark = pytest.mark.slow

SPECS = compiler.spec_folders()[0]
SUPERPOD = SPECS / "huawei/atlas-950-superpod.ubus"
DRAWN = "document.querySelectorAll('figure svg').length > 0 && !pictures.classList.contains('old')"


def forget(page: Playground) -> None:
    """Let the browser forget all that it has loaded."""
    page.browser.send("Storage.clearDataForOrigin", origin=page.address.rstrip("/"), storageTypes="all")
    page.browser.send("Network.enable")
    page.browser.send("Network.clearBrowserCache")


def test_the_superpod_is_drawn_as_the_command_line_draws_it(page: Playground) -> None:
    page.open()
    page.wait(DRAWN)
    assert page.run("document.getElementById('text').value") == SUPERPOD.read_text(encoding="utf-8")
    svg = compiler.compile(SUPERPOD).plan._repr_svg_()
    assert svg is not None
    words = "[...%s.querySelectorAll('title, text')].map(e => e.textContent)"
    native = f"new DOMParser().parseFromString({json.dumps(svg)}, 'image/svg+xml')"
    assert page.run(words % "document.querySelector('figure svg')") == page.run(words % native)
    assert page.run("state.textContent") == "No errors."
    assert page.run("problems") == []


def test_the_first_picture_comes_soon(page: Playground) -> None:
    """Seconds of a processor, which are the same on a machine that others use too: of all that the browser does until
    the picture of the SuperPoD is there, when nothing is cached, when the page is opened again, and after an edit."""
    page.open()
    page.wait(DRAWN)
    forget(page)
    taken = {}
    for moment in ("cold", "again"):
        begun = page.browser.processor_seconds()
        page.open()
        page.wait(DRAWN)
        taken[moment] = page.browser.taken_since(begun)
        page.wait(
            "document.playground.events.some(([name]) => name === 'checked') && state.textContent === 'No errors.'"
        )
    page.wait("document.playground.events.some(([name]) => name === 'answer')")
    pictures = page.run("document.playground.events.filter(([name]) => name === 'picture').length")
    begun = page.browser.processor_seconds()
    page.run("document.getElementById('text').focus()")
    page.browser.press("End", " ")
    page.wait(f"document.playground.events.filter(([name]) => name === 'picture').length > {pictures}")
    taken["edited"] = page.browser.taken_since(begun)
    assert min(taken.values()) > 0, taken
    assert taken["cold"] < 15, taken
    assert taken["again"] < 2, taken
    assert taken["edited"] < 2, taken


def test_superclusters_are_drawn_and_answered_from_their_plans(page: Playground) -> None:
    """A million NPUs, as on the command line but for the seconds; the page's own marks of words are not on pictures."""
    for example in ("huawei/atlas-950-supercluster", "huawei/atlas-960-supercluster"):
        begun = page.browser.processor_seconds()
        page.open(f"#example={example}")
        page.wait(DRAWN)
        page.wait("document.playground.events.some(([name]) => name === 'answered')")
        assert page.browser.taken_since(begun) < 20
        native = text_of(run.analyze(compiler.compile(SPECS / f"{example}.ubus")))
        said = str(page.run("answers.textContent"))
        assert re.sub(r" +\d+\.\d{3} s\n", "\n", said) == re.sub(r" +\d+\.\d{3} s\n", "\n", native)
        assert "all from the plan" in said
        assert page.run("[state.textContent, findings.textContent, problems]") == ["No errors.", "", []]
        lines = "[...document.querySelectorAll('figure svg text')].map(e => getComputedStyle(e).textDecorationLine)"
        assert set(page.run(lines)) == {"none"}


def test_a_typo_shows_as_in_a_terminal_and_in_the_text(page: Playground, tmp_path: Path) -> None:
    """With an emoji before it, for scripts count it twice."""
    text = "# \N{ROCKET}\n" + SUPERPOD.read_text(encoding="utf-8").replace("place cabinet as", "place cabnet as")
    page.open()
    page.wait(DRAWN)
    page.write(text)
    page.wait("findings.textContent !== ''")
    file = tmp_path / SUPERPOD.name
    file.write_text(text, encoding="utf-8")
    native = render(compiler.compile(file, search=[SUPERPOD.parent]).diagnostics)
    assert page.run("findings.textContent") == native.replace(f"{tmp_path}/", "")
    assert "cabnet" in native
    marked = "[...document.querySelectorAll('#coloured .error')].map(e => [e.textContent, e.title])"
    (word, title), *more = page.run(marked)
    assert (word, more) == ("cabnet", [])
    assert title != ""
    assert title in native
    assert page.run("pictures.classList.contains('old')"), "the last good picture is faded"


def test_answers_come_as_on_the_command_line_and_an_edit_ends_them(page: Playground, tmp_path: Path) -> None:
    path = SPECS / "nvidia/gb200-nvl72.ubus"
    page.open("#example=nvidia/gb200-nvl72")
    page.wait("document.playground.events.some(([name]) => name === 'answered')", 300)
    file = tmp_path / path.name
    file.write_bytes(path.read_bytes())
    native = text_of(run.analyze(compiler.compile(file, search=[path.parent])))
    without_seconds = [re.sub(r" +\d+\.\d{3} s\n", "\n", text) for text in (page.run("answers.textContent"), native)]
    assert without_seconds[0] == without_seconds[1]
    assert "bisection(all npu)" in native
    page.open("#example=huawei/atlas-950-superpod")
    page.wait("document.playground.events.some(([name]) => name === 'answer')", 300)
    pictures = page.run("document.playground.events.filter(([name]) => name === 'picture').length")
    page.write(SUPERPOD.read_text(encoding="utf-8") + "# more\n")
    page.wait(f"document.playground.events.filter(([name]) => name === 'picture').length > {pictures}")
    assert page.run("document.playground.events.filter(([name]) => name === 'started').length") == 2
    assert page.run("problems") == []


def test_a_link_holds_the_text(page: Playground) -> None:
    text = (SPECS / "textbook/ring.ubus").read_text(encoding="utf-8").replace("A ring of n", "A ring of \N{ROCKET} é")
    page.open("#example=textbook/ring")
    page.wait(DRAWN)
    page.write(text)
    page.wait("document.querySelector('figure text')?.textContent.includes('\N{ROCKET}')")
    page.browser.click("share")
    page.wait("location.hash.startsWith('#text=')")
    letters = str(page.run("location.hash")).removeprefix("#text=")
    packed = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    assert json.loads(zlib.decompress(packed, -15)) == ["ring.ubus", "textbook", text]
    page.open(f"#text={letters}")
    page.wait(DRAWN)
    assert page.run("document.getElementById('text').value") == text
    page.open(f"#text={letters[: len(letters) // 2]}")
    page.wait("state.textContent.includes('holds no text') || findings.textContent !== '' || " + DRAWN)
    assert page.run("problems") == []


def test_what_is_not_to_be_had_is_said(page: Playground, site: Path) -> None:
    """A part of the compiler is missing on the server: the page says which, and loads it when it is there again."""
    page.open()
    page.wait(DRAWN)
    forget(page)
    (gone,) = (
        site / each["file"] for each in json.loads((site / "runtime.json").read_text()) if each["part"] == "image"
    )
    away = gone.with_suffix(".away")
    gone.rename(away)
    try:
        page.open()
        page.wait("!again.hidden")
        assert page.run("state.textContent").startswith(f"The compiler can't be loaded. {gone.name}")
        assert "404" in page.run("state.textContent")
    finally:
        away.rename(gone)
    page.browser.click("again")
    page.wait(DRAWN)
