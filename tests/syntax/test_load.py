"""Files that can and can't be read, and what is said about them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.syntax.reading import read
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.syntax.load import load
from unifiedbus_dsl.syntax.parse import parse


def refused(path: Path | str, max_bytes: int = 1000) -> Diagnostic:
    sink = Sink()
    assert load(path, sink, max_bytes=max_bytes) is None
    (error,) = sink
    assert error.primary is None
    return error


def test_a_file_is_read_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.ubus"
    path.write_text("ubus 1\nlet a = 1 # \u00e9\n", encoding="utf-8")
    sink = Sink()
    source = load(str(path), sink)
    assert source is not None
    assert (source.name, source.path) == (str(path), path)
    assert parse(source, sink).statements
    assert not len(sink)


def test_a_byte_order_mark_is_dropped_and_line_ends_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.ubus"
    path.write_bytes(b"\xef\xbb\xbfubus 1\r\n\r\nlet a = 1\r\n")
    source = load(path, Sink())
    assert source is not None
    assert source.text == "ubus 1\r\n\r\nlet a = 1\r\n"
    sink = Sink()
    assert parse(source, sink) == read("ubus 1\nlet a = 1\n")
    assert not len(sink)


def test_a_missing_file_is_told_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "superpod.ubus").write_text("ubus 1\n")
    error = refused(tmp_path / "superpdo.ubus")
    assert error.code == "UB0112"
    assert "there is no file" in error.message
    assert "superpod.ubus" in error.help[0]
    assert refused(tmp_path / "nowhere" / "a.ubus").code == "UB0112"
    assert refused("").code == "UB0112"
    assert refused("a\0b").code == "UB0112"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.code == "UB0112"
    assert error.message.endswith("it is a folder")
    assert refused(tmp_path / "a.ubus" / "b").code == "UB0112"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").message.endswith("it is not a file")


def test_a_file_behind_a_file_or_a_circle_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert refused(tmp_path / "a" / "b").code == "UB0112"
    (tmp_path / "l").symlink_to(tmp_path / "m")
    (tmp_path / "m").symlink_to(tmp_path / "l")
    assert refused(tmp_path / "l").code == "UB0112"
    assert refused("x" * 5000).code == "UB0112"


def test_a_file_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ubus"
    path.write_text("ubus 1\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # whoever runs the tests may be allowed to read everything
    error = refused(path)
    assert error.code == "UB0112"
    assert error.message.endswith(": permission denied")


def test_a_large_file_is_told_with_its_size_and_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.ubus"
    path.write_bytes(b"#" * 1001)
    error = refused(path)
    assert error.code == "UB0110"
    assert "1,001 bytes" in error.message
    assert "1,000" in error.message
    path.write_bytes(b"#" * 1000)
    assert load(path, Sink(), max_bytes=1000) is not None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"ubus 1\nlet \xe9 = 1\n", "byte 0xe9 in line 2"),
        (b"ubus 1\n\0\n", "a zero byte in line 2"),
        ("ubus 1\n".encode("utf-16"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a zero byte in line 3"),
        (b"\xff", "byte 0xff in line 1"),
    ],
)
def test_what_is_not_utf8_is_told(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.ubus"
    path.write_bytes(data)
    error = refused(path)
    assert error.code == "UB0113"
    assert said in error.message


def test_a_path_is_shown_without_control_characters(tmp_path: Path) -> None:
    assert "\x1b" not in refused(tmp_path / "a\x1b[31m").message
