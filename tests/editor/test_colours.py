"""The grammars of colours are made from the one grammar, and colour each token as the parser reads it."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tests.editor.classes import Token, by_parser, by_textmate, good_blocks, of_scope
from tests.support.programs import load_program
from unifiedbus_dsl.version import VERSION

ROOT = Path(__file__).parents[2]
VSCODE = ROOT / "editors" / "vscode"
GRAMMAR = VSCODE / "syntaxes" / "ubus.tmLanguage.json"
SPECS = sorted((ROOT / "specs").rglob("*.ubus"))


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return load_program(VSCODE / "build.py")


def test_grammar_is_made_from_the_one(build: ModuleType) -> None:
    assert GRAMMAR.read_text() == build.grammar_text(), "run `python editors/vscode/build.py --grammar`"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_token_of_each_spec(path: Path) -> None:
    text = path.read_text()
    judged, coloured = list(by_parser(text)), list(by_textmate(GRAMMAR, text))
    assert [pair for pair in zip(judged, coloured, strict=False) if pair[0] != pair[1]][:3] == []
    assert len(judged) == len(coloured)


def test_each_token_of_the_manual() -> None:
    blocks = good_blocks()
    assert len(blocks) > 100
    wrong = []
    for text in blocks:
        judged, coloured = list(by_parser(text)), list(by_textmate(GRAMMAR, text))
        wrong += [pair for pair in zip(judged, coloured, strict=False) if pair[0] != pair[1]][:1]
        wrong += [(text,)] if len(judged) != len(coloured) else []
    assert wrong == []


def by_pygments(text: str) -> Iterator[Token]:
    """The tokens that Pygments colours; its own kinds stand for the classes."""
    lexers = pytest.importorskip(
        "unifiedbus_dsl.editor.pygments_lexer", reason="Pygments is not here", exc_type=ImportError
    )
    kinds = {token: of_scope(scope) for scope, token in lexers.TOKENS.items()}
    kinds[lexers.TOKENS["keyword.control"]] = "keyword"
    for start, token, found in lexers.UbusLexer().get_tokens_unprocessed(text):
        if token in kinds:
            yield start + len(found) - len(found.lstrip()), found.strip(), kinds[token]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_pygments_colours_each_token_of_each_spec(path: Path) -> None:
    text = path.read_text()
    assert list(by_pygments(text)) == list(by_textmate(GRAMMAR, text))


def test_pygments_leaves_no_gap() -> None:
    lexers = pytest.importorskip(
        "unifiedbus_dsl.editor.pygments_lexer", reason="Pygments is not here", exc_type=ImportError
    )
    for text in [*good_blocks()[:50], 'ubus 1\n"half', "\x00\u00b5 1 GB/s bidir # \n##x", ""]:
        found = list(lexers.UbusLexer().get_tokens_unprocessed(text))
        assert "".join(part for _, _, part in found) == text
        assert all(text.startswith(part, start) for start, _, part in found)


def test_pygments_finds_the_lexer() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pygments.lexers"]
    module, _, name = said["ubus"].partition(":")
    assert module == "unifiedbus_dsl.editor.pygments_lexer"
    assert (ROOT / f"{module.replace('.', '/')}.py").read_text().count(f"class {name}(") == 1


def test_package(build: ModuleType, tmp_path: Path) -> None:
    """It has what its manifest names, at its version, and is the same each time."""
    build.build(tmp_path / "a.vsix")
    build.build(tmp_path / "b.vsix")
    assert (tmp_path / "a.vsix").read_bytes() == (tmp_path / "b.vsix").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.vsix") as package:
        names = set(package.namelist())
        said = json.loads(package.read("extension/package.json"))
        assert said["version"] == VERSION
        for file in (said["main"], *(each["path"] for each in said["contributes"]["grammars"])):
            assert f"extension/{file.removeprefix('./')}" in names
        space = "{http://schemas.microsoft.com/developer/vsx-schema/2011}"
        manifest = ElementTree.fromstring(package.read("extension.vsixmanifest"))
        identity = manifest.find(f"{space}Metadata/{space}Identity")
        assert identity is not None
        assert (identity.get("Version"), identity.get("Id")) == (VERSION, said["name"])
        assert all(asset.get("Path") in names for asset in manifest.iter(f"{space}Asset"))
        script = package.read("extension/extension.js").decode()
        for needed in re.findall(r'require\("\./([^"]+)"\)', script):
            assert f"extension/{needed}.js" in names
