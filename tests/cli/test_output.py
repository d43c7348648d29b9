"""Files beside and renamed; progress."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path

import pytest

from unifiedbus_dsl.base.progress import listen, task, track
from unifiedbus_dsl.cli.output import beside, make_folder, write_bytes
from unifiedbus_dsl.cli.progress_bar import ProgressBar


def test_the_old_file_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")

    def half() -> None:
        with beside(path) as draft:
            draft.write_bytes(b"ne")
            assert draft.suffix == ".txt"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def fill() -> None:
        with beside(path):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="can't write: no space left") as caught:
        fill()
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == []


def test_folders(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a/b").is_dir()
    assert make_folder(tmp_path / "a/b").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="not a folder"):
        make_folder(tmp_path / "file")


def test_progress_reaches_a_listener() -> None:
    told: list[tuple[str, int, int | None]] = []
    with listen(lambda *event: told.append(event)):
        assert list(track([1, 2], "count")) == [1, 2]
        with task("open") as step:
            step(5)
    assert told == [
        ("count", 0, 2),
        ("count", 1, 2),
        ("count", 2, 2),
        ("count", -1, 2),
        ("open", 0, None),
        ("open", 5, None),
        ("open", -1, None),
    ]
    assert list(track(iter([1]), "silent")) == [1]


def test_meter_paints_late_and_wipes() -> None:
    stream = io.StringIO()
    patient = ProgressBar(stream, patience=60)
    patient("expand", 1, 4)
    patient("expand", -1, 4)
    assert stream.getvalue() == ""
    eager = ProgressBar(stream, patience=-1)
    eager("expand", 1, 4)
    eager("expand", -1, 4)
    assert stream.getvalue() == "\rexpand … 1 of 4 (25 %)\r                      \r"


def test_meter_keeps_to_a_line_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What wraps can't be wiped away again."""
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((20, 5)))
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr(out, "fileno", lambda: 2)
    meter = ProgressBar(out, patience=0)
    meter("paths to each end point of the machine", 3, 10)
    meter.wipe()
    assert isinstance(out.buffer, io.BytesIO)
    assert out.buffer.getvalue() == b"\rpaths to each end p\r" + b" " * 19 + b"\r"


def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    got: list[bytes] = []
    reader.start()
    write_bytes(pipe, b"picture")
    reader.join()
    assert got == [b"picture"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]
