"""`ubusc watch`, as a process: its page, what follows a save, who may ask, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, spawn
from unifiedbus_dsl.escape import html

GOOD = """ubus 1
protocol UB { lane = 112 Gbps }
npu Chip { port p : UB x4 @open }
rack R { npu : Chip }
system one : R
system two : R
"""


@contextmanager
def watching(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    process = spawn("watch", "m.ubus", *more, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:\d+/) shows m\.ubus", process.stdout.readline().decode())
        assert found is not None
        yield process, found[1]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def get(address: str, path: str = "", **headers: str) -> tuple[dict[str, str], str]:
    with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers), timeout=60) as answer:
        return dict(answer.headers), answer.read().decode()


def state(address: str, after: int = -1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(address, f"state?after={after}")[1])
    return found


def settled(address: str) -> dict[str, Any]:
    """The first state that was made of the file."""
    found = state(address, 0)
    assert found["number"] > 0
    return found


def test_page_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "m.ubus"
    file.write_text(GOOD)
    with watching(tmp_path) as (_, address):
        first = settled(address)
        assert (first["file"], first["wrong"], first["findings"]) == ("m.ubus", False, "")
        assert [each["system"] for each in first["pictures"]] == ["one", "two"]
        assert all("<svg" in each["svg"] for each in first["pictures"])
        file.write_text(GOOD.replace(": Chip", ": Chop"))
        broken = state(address, first["number"])
        assert broken["wrong"]
        assert "error[UB0222]" in broken["findings"]
        assert broken["pictures"] == first["pictures"], "the last good picture stays"
        file.write_text(GOOD.replace("system two : R\n", ""))
        mended = state(address, broken["number"])
        assert not mended["wrong"]
        assert [each["system"] for each in mended["pictures"]] == ["one"]
        file.unlink()
        assert "there is no file" in state(address, mended["number"])["findings"]


def test_files_that_are_used(tmp_path: Path) -> None:
    (tmp_path / "parts.ubus").write_text("ubus 1\nprotocol UB { lane = 112 Gbps }\nnpu Chip { port p : UB x4 @open }\n")
    (tmp_path / "m.ubus").write_text('ubus 1\nuse "parts.ubus"\nrack R { npu : Chip }\nsystem one : R\n')
    with watching(tmp_path, "--system", "one") as (_, address):
        first = settled(address)
        assert not first["wrong"]
        (tmp_path / "parts.ubus").write_text("ubus 1\n")
        broken = state(address, first["number"])
        assert broken["wrong"]
        (tmp_path / "ubusc.toml").write_text("nonsense = 1\n")
        assert "ubusc.toml" in state(address, broken["number"])["findings"]


def test_unknown_system(tmp_path: Path) -> None:
    (tmp_path / "m.ubus").write_text(GOOD)
    with watching(tmp_path, "--system", "three") as (_, address):
        found = settled(address)
        assert found["wrong"]
        assert "there is no system `three`" in found["findings"]


def test_only_this_computer_may_ask(tmp_path: Path) -> None:
    (tmp_path / "m.ubus").write_text(GOOD)
    with watching(tmp_path) as (_, address):
        headers, page = get(address)
        script = page.split("<script>")[1].split("</script>")[0]
        assert html.source_hash(script) in headers["Content-Security-Policy"]
        assert "http" not in page.replace("http://www.w3.org", "")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(address, "state", Host="elsewhere.example")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(address, "../m.ubus")
        assert json.loads(get(address, "state?after=nonsense")[1])["file"] == "m.ubus"


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    (tmp_path / "m.ubus").write_text(GOOD + "rack </script><script>alert(1)</script> {}\n")
    with watching(tmp_path) as (_, address):
        found = settled(address)
        assert found["wrong"]
        assert "<script>alert" not in get(address)[1]


def test_ends_by_a_signal(tmp_path: Path) -> None:
    (tmp_path / "m.ubus").write_text(GOOD)
    for number, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        with watching(tmp_path) as (process, address):
            settled(address)
            os.kill(process.pid, number)
            assert process.wait(timeout=30) == expected


def test_port_that_is_taken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.ubus").write_text(GOOD)
    with watching(tmp_path) as (_, address):
        done = run("watch", "m.ubus", "--port", address.rsplit(":", 1)[1].strip("/"))
        assert done.status == 1
        assert "can't be had" in done.err


def test_wrong_usage(run: Run) -> None:
    assert run("watch").status == 2
    assert run("watch", "-").status == 2
    assert run("watch", "nothing.ubus").status == 2
    assert run("watch", "x.ubus", "--port", "70000").status == 2
