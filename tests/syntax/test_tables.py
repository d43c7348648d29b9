"""The parse tables: from the grammar, through the cache, and held equal to Lark's own parser."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import lark
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.strategies import files
from tests.syntax import texts
from tests.syntax.reading import read, read_with_errors
from unifiedbus_dsl.syntax import tables, tree
from unifiedbus_dsl.syntax.build import Builder
from unifiedbus_dsl.syntax.engine import Engine
from unifiedbus_dsl.syntax.format import format
from unifiedbus_dsl.syntax.lexer import Token

GRAMMAR = tables.grammar_path()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tables.load_tables.cache_clear()
    return tables.cache_path(GRAMMAR.read_bytes())


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time the tables are built."""
    made: list[str] = []
    build = tables.build_tables

    def counted(grammar: str) -> tables.Tables:
        made.append("built")
        return build(grammar)

    monkeypatch.setattr(tables, "build_tables", counted)
    return made


def fresh() -> tables.Tables:
    tables.load_tables.cache_clear()
    return tables.load_tables()


def test_the_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    lark.logger.setLevel(logging.DEBUG)
    lark.logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.DEBUG):
            lark.Lark(GRAMMAR.read_text(), parser="lalr", lexer="contextual", debug=True)
    finally:
        lark.logger.removeHandler(caplog.handler)
        lark.logger.setLevel(logging.CRITICAL)
    assert not [record for record in caplog.messages if "conflict" in record.lower()]


def test_every_rule_has_a_builder() -> None:
    rules = fresh()["rules"]
    named = {rule["action"] for rule in rules if not rule["inline"] and not rule["single"]}
    assert not [name for name in named if not hasattr(Builder, f"on_{name}")]


def test_tables_are_built_once(cache: Path, builds: list[str]) -> None:
    first = fresh()
    assert cache.is_file()
    assert fresh() == first
    assert builds == ["built"]
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 500, "cut", "flip"])
def test_a_damaged_cache_is_built_anew(cache: Path, builds: list[str], damage: bytes | str) -> None:
    first = fresh()
    data = bytearray(cache.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "flip":
        data[len(data) // 2] ^= 1
    else:
        assert isinstance(damage, bytes)
        data = bytearray(damage)
    cache.write_bytes(data)
    assert fresh() == first
    assert fresh() == first
    assert builds == ["built", "built"]


def test_a_cache_that_can_not_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, builds: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert fresh()["rules"]
    assert fresh()["rules"]
    assert builds == ["built", "built"]


def test_a_cache_in_a_folder_for_reading_only_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, builds: list[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert fresh()["rules"]
    assert builds == ["built"]


def test_another_grammar_has_another_cache(cache: Path) -> None:
    assert tables.cache_path(b"another") != cache


def test_many_fill_the_cache_at_once(cache: Path) -> None:
    built = fresh()
    threads = [threading.Thread(target=tables._write, args=(cache, built)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tables._read(cache) == built
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_a_relative_cache_folder_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert tables.cache_path(b"").is_absolute()


def test_a_run_with_a_cache_does_not_import_lark(cache: Path) -> None:
    fresh()
    program = (
        "import sys; from unifiedbus_dsl.diagnostics import Sink; from unifiedbus_dsl.base.source import Source\n"
        "from unifiedbus_dsl.syntax.parse import parse\n"
        "assert parse(Source('t', 'ubus 1\\nlet a = 1\\n'), Sink()).statements\n"
        "assert 'lark' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


def test_the_cache_is_private_data_of_the_user(cache: Path) -> None:
    fresh()
    assert not stat.S_IMODE(cache.stat().st_mode) & stat.S_IWOTH


# ---- Lark's own parser, fed with the same tokens, agrees on what is a text of the language --------------------------


@pytest.fixture(scope="module")
def oracle() -> lark.Lark:
    return lark.Lark(GRAMMAR.read_text(), parser="lalr", lexer="contextual", maybe_placeholders=True)


def tokens_of(text: str, monkeypatch: pytest.MonkeyPatch) -> list[Token]:
    taken: list[Token] = []
    feed = Engine.feed

    def recorded(self: Engine, token: Token) -> bool:
        taken.append(token)
        return feed(self, token)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "feed", recorded)
        read_with_errors(text)
    return taken


def leaves(node: Any) -> list[str]:
    """The tokens that a tree of Lark's keeps, in order."""
    if isinstance(node, lark.Tree):
        return [leaf for child in node.children for leaf in leaves(child)]
    return [] if node is None else [str(node)]


def agree(oracle: lark.Lark, tokens: list[Token]) -> lark.Tree[Any]:
    parser = oracle.parse_interactive("")
    for token in tokens[:-1]:
        parser.feed_token(lark.Token(token.type, token.text))
    found: lark.Tree[Any] = parser.feed_eof()  # type: ignore[no-untyped-call]
    return found


@pytest.mark.parametrize("name", [name for name in vars(texts) if name.isupper()])
def test_lark_takes_what_is_taken_here(oracle: lark.Lark, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokens_of(getattr(texts, name), monkeypatch)
    kept = leaves(agree(oracle, tokens))
    assert "ubus" not in kept
    assert [text for text in kept if text.isdigit()] == [token.text for token in tokens if token.text.isdigit()]


@pytest.mark.parametrize("text", ["let a b", "rack R { x T }", "let a = (1", "use", "view v { }"])
def test_lark_refuses_what_is_refused_here(oracle: lark.Lark, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = f"ubus 1\n{text}\n"
    errors = read_with_errors(whole)[1]
    assert errors
    with pytest.raises(lark.exceptions.UnexpectedToken):
        agree(oracle, tokens_of(whole, monkeypatch))


@given(file=files)
@settings(
    deadline=None,
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_lark_takes_what_is_generated(oracle: lark.Lark, monkeypatch: pytest.MonkeyPatch, file: tree.File) -> None:
    text = format(file)
    assert read(text) == file
    agree(oracle, tokens_of(text, monkeypatch))
