"""The language server over its real protocol, as a process of its own: texts that are being written, odd ones too."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.editor.client import AnswerError, Client, serving

pytest.importorskip("pygls", reason="the language server is an extra, which `.[test]` brings")

SPECS = Path(__file__).parents[2] / "specs"
SUPERPOD = SPECS / "huawei" / "atlas-950-superpod.ubus"
FILES = sorted(SPECS.rglob("*.ubus"))
SLOWEST = 1.0
"""Seconds that no answer may take."""
PLACES = ("hover", "definition", "typeDefinition", "documentHighlight", "completion", "prepareRename")
TEXTS = ("documentSymbol", "foldingRange", "semanticTokens/full")
OPTIONS = {"options": {"tabSize": 2, "insertSpaces": True}}


def whole(lines: int) -> dict[str, Any]:
    return {"range": {"start": {"line": 0, "character": 0}, "end": {"line": lines, "character": 0}}}


def edited(text: str, chosen: random.Random) -> str:
    """A text in the middle of being written: cut off, or with letters lost, doubled or put in."""
    kind = chosen.randrange(5)
    at = chosen.randrange(len(text) + 1)
    if kind == 0:
        return text[:at]
    stop = min(len(text), at + chosen.choice((1, 1, 2, 8, 60, 400)))
    if kind == 1:
        return text[:at] + text[stop:]
    if kind == 2:
        return text[:stop] + text[at:]
    bits = [
        "{",
        "}",
        "(",
        "[",
        "]",
        ".",
        '"',
        "#",
        "\r\n",
        "\n",
        "--",
        "->",
        "x4",
        "npu",
        " of ",
        "ä😋",
        "=",
        "connect ",
        "\0",
        "\u2028",
        "7 GB",
    ]
    put = "".join(chosen.choice(bits) for _ in range(chosen.randrange(1, 4)))
    return text[:at] + put + text[at if kind == 3 else stop :]


def ask(client: Client, uri: str, text: str, chosen: random.Random) -> None:
    """Ask about a text and about some places of it; a refusal to rename is an answer."""
    lines = text.split("\n")
    client.of(chosen.choice(TEXTS), uri)
    if chosen.random() < 0.2:
        client.of("formatting", uri, **OPTIONS)
        client.of("inlayHint", uri, **whole(len(lines)))
        client.of("codeAction", uri, **whole(len(lines)), context={"diagnostics": []})
    for _ in range(2):
        line = chosen.randrange(len(lines) + 1)
        character = chosen.randrange(len(lines[line]) + 2) if line < len(lines) else 3
        method = chosen.choice(PLACES)
        try:
            client.at(method, uri, line, character)
        except AnswerError:
            assert method == "prepareRename"


def write(count: int, seed: int) -> None:
    """Edit the shipped specs at random `count` times, and ask about each text."""
    chosen = random.Random(seed)
    opened: dict[Path, str] = {}
    with serving(SPECS) as client:
        for number in range(count):
            path = chosen.choice(FILES)
            text = edited(path.read_text(), chosen)
            if chosen.random() < 0.3:
                text = edited(text, chosen)
            uri = opened[path] = opened.get(path) or client.open(path)
            client.change(uri, text, number + 2)
            ask(client, uri, text, chosen)
            if chosen.random() < 0.1:
                client.drain()
                client.notify("textDocument/didClose", textDocument={"uri": opened.pop(path)})
        assert not [each for each in client.seconds if each[0] > SLOWEST and each[1] != "initialize"]


def test_unfinished_texts() -> None:
    write(80, 1)


@pytest.mark.scale
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_unfinished_texts(seed: int) -> None:
    write(1_000, seed)


def test_a_session() -> None:
    """One text from opening to closing: what is wrong is told, mended, and gone."""
    text = SUPERPOD.read_text()
    with serving(SPECS) as client:
        uri = client.open(SUPERPOD)
        assert client.diagnostics(uri) == []
        client.change(uri, text.replace("plane[4]  : Plane\n", "plane[4]  : Plan\n"))
        (found,) = client.diagnostics(uri)
        assert (found["code"], found["severity"], found["source"]) == ("UB0222", 1, "ubusc")
        actions = client.of("codeAction", uri, range=found["range"], context={"diagnostics": [found]})
        (edit,) = actions[0]["edit"]["changes"][uri]
        assert (edit["newText"], edit["range"]) == ("Plane", found["range"])
        client.change(uri, text)
        assert client.diagnostics(uri) == []
        assert {item["name"] for item in client.of("documentSymbol", uri)} >= {"Plane", "HRS", "Atlas950", "superpod"}
        picture = client.request("ubusc/picture", uri=uri)
        assert picture["system"] == "superpod"
        assert "<svg" in picture["svg"]
        client.notify("textDocument/didClose", textDocument={"uri": uri})
        assert client.diagnostics(uri) == []


def test_error_in_a_file_that_is_used(tmp_path: Path) -> None:
    parts, main = tmp_path / "parts.ubus", tmp_path / "main.ubus"
    parts.write_text("ubus 1\nprotocol UB { lane = 112 Gbps }\nnpu Chip { port p : UB x4 @open }\n")
    main.write_text('ubus 1\nuse "parts.ubus"\nrack R { npu : Chip }\nsystem r : R\n')
    with serving(tmp_path) as client:
        uri, of_parts = client.open(main), client.open(parts)
        assert client.diagnostics(uri) == []
        client.change(of_parts, parts.read_text().replace("lane = 112 Gbps", "lane = 112"))
        (found,) = client.diagnostics(uri, some=True)
        assert [each["code"] for each in client.diagnostics(of_parts, some=True)] == ["UB0303"]
        assert found["range"]["start"]["line"] == 1
        assert "parts.ubus" in found["message"]
        assert found["relatedInformation"][0]["location"]["uri"] == of_parts


def test_refusals_are_answers() -> None:
    with serving(SPECS) as client:
        uri = client.open(SUPERPOD)
        line = SUPERPOD.read_text().split("\n").index("system superpod : Atlas950")
        with pytest.raises(AnswerError, match="can't be a name"):
            client.at("rename", uri, line, 8, newName="a b")
        changed = client.at("rename", uri, line, 8, newName="pod")["changes"]
        assert sum(len(edits) for edits in changed.values()) > 8


def test_places_beyond_the_basic_plane() -> None:
    """Columns are counted in the client's code units."""
    text = 'ubus 1\nrack R { # 😋😋\n  expect 1 == 1 "😋"; let a = 2; expect a == 2 }\n'
    for encoding, column in (("utf-16", 26), ("utf-8", 28), ("utf-32", 25)):
        with serving(SPECS, capabilities={"general": {"positionEncodings": [encoding]}}) as client:
            uri = client.open(SPECS / "odd.ubus", text)
            (place,) = client.at("definition", uri, 2, text.split("\n")[2].index("a == 2") + column - 25)
            assert place["range"]["start"] == {"line": 2, "character": column}


def test_answers_on_the_superpod() -> None:
    """Within 100 ms: the median of several, as each is counted in steps of ten."""
    with serving(SPECS) as client:
        uri = client.open(SUPERPOD)
        client.diagnostics(uri)
        text = SUPERPOD.read_text()
        line = text[: text.index("connect cabinet[c]")].count("\n")
        for number in range(5):
            client.change(uri, text + "#" * number, number + 2)
            for method in PLACES:
                client.at(method, uri, line, 22)
            for method in TEXTS:
                client.of(method, uri)
            client.of("inlayHint", uri, **whole(90))
        for method in {method for _, method in client.seconds if method.startswith("textDocument/")}:
            taken = sorted(seconds for seconds, name in client.seconds if name == method)
            assert taken[len(taken) // 2] <= 0.1, (method, taken)
