"""Which Graphviz draws, and what is said where none does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.render import machines
from unifiedbus_dsl.render import DrawingError, NoGraphvizError, engine
from unifiedbus_dsl.render.dot import dot_text
from unifiedbus_dsl.render.engine import draw, find_dot
from unifiedbus_dsl.render.overview import overview_picture

GRAPH = 'graph g { a [pos="0,0"]; }'


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UBUSC_DOT", raising=False)


def script(folder: Path, text: str) -> Path:
    path = folder / "my-dot"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_graphviz_pure_is_found() -> None:
    assert find_dot().name in ("graphviz-pure", "dot")


def test_what_the_user_names_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = script(tmp_path, "cat >/dev/null; echo mine")
    assert draw(GRAPH, program=mine) == b"mine\n"
    monkeypatch.setenv("UBUSC_DOT", str(mine))
    assert find_dot() == mine
    assert draw(GRAPH) == b"mine\n"


def test_a_wrong_name_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoGraphvizError, match="no-such-dot"):
        draw(GRAPH, program=tmp_path / "no-such-dot")


def test_without_any_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    engine._installed.cache_clear()
    monkeypatch.setattr(engine.shutil, "which", lambda *_, **__: None)
    try:
        with pytest.raises(NoGraphvizError, match="pip install graphviz-pure"):
            find_dot()
    finally:
        engine._installed.cache_clear()


def test_a_refusal_gives_its_reason(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="out of paper"):
        draw(GRAPH, program=script(tmp_path, "cat >/dev/null; echo out of paper >&2; exit 3"))


def test_the_binary_of_others_is_left_alone() -> None:
    from graphviz.backend import dot_command

    before = dot_command.DOT_BINARY
    draw(GRAPH)
    assert before == dot_command.DOT_BINARY


def test_png_too() -> None:
    assert draw(dot_text(overview_picture(machines.rack())), "png").startswith(b"\x89PNG")


def test_pdf_takes_graphviz_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`graphviz-pure` writes no PDF: it is not asked."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoGraphvizError, match="install Graphviz"):
        draw(GRAPH, "pdf")
    script(tmp_path, "exec /bin/cat").rename(tmp_path / "dot")
    assert find_dot(format="pdf") == tmp_path / "dot"
    assert draw(GRAPH, "pdf").strip() == GRAPH.encode()


def test_no_picture_needs_a_system_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty path, all but PDF is drawn by the `graphviz-pure` beside Python."""
    pytest.importorskip("graphviz_pure")
    engine._installed.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    try:
        assert find_dot().name == "graphviz-pure"
        for format in ("svg", "png"):
            assert draw(dot_text(overview_picture(machines.rack())), format)  # type: ignore[arg-type]
    finally:
        engine._installed.cache_clear()
