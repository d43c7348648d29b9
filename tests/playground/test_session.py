"""What a page is told, without the page: events in order, places as scripts count them, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unifiedbus_dsl.cli import playground

GOOD = "ubus 1\nuse Chip from std.parts\nmodule M { chip[2] : Chip(ports = 1) }\nsystem lab : M\n"
ROCKET = "\N{ROCKET}"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(text: str, *asked: str, folder: str = "") -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    session = playground.Session(lambda event: events.append(dict(event)))
    for what in asked:
        session.serve(json.dumps({"what": what, "name": "a.ubus", "folder": folder, "text": text}))
    return events


def test_places_are_counted_in_code_units_of_utf_16() -> None:
    text = f"ubus 1\n# {ROCKET}{ROCKET}\nlet n = nowhere\n"
    checked, *more = told(text, "text")
    assert more == []
    (mark,) = [each for each in checked["marks"] if each["severity"] == "error"]
    units = text.encode("utf-16-le")
    assert units[2 * mark["start"] : 2 * mark["end"]].decode("utf-16-le") == "nowhere"
    assert (checked["wrong"], checked["systems"]) == (True, [])
    assert "a.ubus:3:9" in checked["findings"]


def test_what_an_imported_file_has_wrong_is_told_but_not_marked(tmp_path: Path) -> None:
    (tmp_path / "other.ubus").write_text("ubus 1\nlet n = 1 +\n")
    checked = told('ubus 1\nuse n from "other.ubus"\nlet m = n\n', "text")[0]
    assert "other.ubus:2:" in checked["findings"]
    (mark,) = checked["marks"]
    assert mark["code"] == "UB0201", "of the text itself: it knows no `n`"


def test_answers_of_no_text_and_of_a_wrong_one_are_none() -> None:
    assert told(GOOD, "answers") == []
    assert [event["kind"] for event in told("ubus 1\nlet\n", "text", "answers")] == ["checked"]


@pytest.mark.parametrize(
    ("error", "kind", "said"), [(MemoryError(), "refused", "memory"), (ValueError("x"), "failed", "ValueError: x")]
)
def test_what_goes_wrong_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str, said: str) -> None:
    def draw(*_: object) -> None:
        raise error

    monkeypatch.setattr(playground, "draw", draw)
    last = told(GOOD, "text")[-1]
    assert last["kind"] == kind
    assert said in last["text"]
