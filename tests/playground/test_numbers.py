"""The playground's Python has 32 bits, and the numbers that it gives are those of a computer of 64."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unifiedbus_dsl import compiler
from unifiedbus_dsl.cli.playground import Session
from website.playground.build import find_node
from website.playground.bytecode import of_64_bits

SPECS = compiler.spec_folders()[0]
ASK = Path(__file__).with_name("ask.mjs")
RunInPage = Callable[[list[str]], list[tuple[int, list[Any]]]]


@pytest.fixture(scope="module")
def in_page(site: Path, tmp_path_factory: pytest.TempPathFactory) -> RunInPage:
    """Runs pieces of Python where the page runs them; of each the status, and what it prints as lines of JSON."""

    def run(pieces: list[str]) -> list[tuple[int, list[Any]]]:
        file = tmp_path_factory.mktemp("asked") / "code"
        file.write_text("".join(json.dumps(piece) + "\n" for piece in pieces))
        said = subprocess.run([find_node(), ASK, site, file], capture_output=True, text=True, check=True).stdout
        found: list[tuple[int, list[Any]]] = []
        lines: list[Any] = []
        for line in map(json.loads, said.splitlines()):
            if isinstance(line, dict) and line["kind"] == "done":
                found.append((line["status"], lines))
                lines = []
            else:
                lines.append(line)
        return found

    return run


EXPRESSIONS = """
np.arange(3) * 2**31
np.arange(2, 9, 3)
np.arange(0.0, 1.0, 0.25)
np.flatnonzero(np.array([0, 1, 1])) * 2**40
np.nonzero(np.eye(2))[0] - 2**35
np.argsort(np.array([3, 1, 2])) + 2**33
np.array([3, 1, 2]).argsort(kind="stable") + 2**33
np.full(3, 2**31 - 1).sum()
np.full(3, 2**31 - 1, dtype=np.int32).sum()
np.full(3, 2**31 - 1, dtype=np.int32).cumsum()
np.cumsum(np.full(3, 2**31 - 1, dtype=np.int32))
np.full(3, 2**32 - 1, dtype=np.uint32).sum()
np.full(5, 2**14, dtype=np.int16).prod()
np.prod(np.array([2**20, 2**20]))
np.add.reduceat(np.full(4, 2**30, dtype=np.int32), np.array([0, 2], dtype=np.int64))
np.multiply.reduce(np.full(3, 2**20, dtype=np.int32))
np.maximum.reduceat(np.array([5, 1, 9], dtype=np.int16), np.array([0, 1]))
np.minimum.accumulate(np.array([5, 1, 9], dtype=np.int32))
np.repeat([1, 2], np.array([2, 1], dtype=np.int64)) * 2**32
np.array([7, 8], dtype=np.int32).repeat(np.array([2, 1], dtype=np.int64))
np.bincount(np.array([1, 1, 3], dtype=np.int64)) * 2**31
np.bincount(np.array([0, 1], dtype=np.int64), weights=np.array([0.5, 2.0]), minlength=np.int64(4))
np.searchsorted([1, 5], [3, 9]) * 2**40
np.array([1, 5]).searchsorted(3)
np.unique(np.array([4, 4, 1], dtype=np.int32), return_inverse=True, return_counts=True)[0]
np.unique(np.array([4, 4, 1], dtype=np.int32), return_inverse=True, return_counts=True)[1] * 2**31
np.unique([[1, 2], [1, 2]], axis=0)
np.unravel_index(np.array([2**33 + 5]), (2**20, 2**20))[0]
np.unravel_index(2**33 + 5, (2**20, 2**20))[1]
np.ravel_multi_index((np.array([2**16]), np.array([3])), (2**20, 2**20))
np.where(np.array([True, False]), 1, 0) * 2**31
np.where(np.array([True, False]), 2**40, 0)
np.where(np.array([True, False]), np.array([1, 2], dtype=np.int32), 0)
np.where(np.array([True, False]))[0] + 2**32
np.stack([[1, 2], [3, 4]]) * 2**31
np.concatenate([[1], np.array([2], dtype=np.int32)])
np.append(0, np.array([1], dtype=np.int64))
np.array([1, 2]) * 2**31
np.array([2**40, 1])
np.array([1, 2], dtype=np.int32)
np.asarray([True, False])
np.argmax(np.array([1, 9])) * 2**31
np.array([1, 9]).argmin() + 2**31
np.lexsort((np.array([2, 1]), np.array([1, 1]))) * 2**31
np.array([1.5, 2.5]).astype(int) * 2**31
np.count_nonzero(np.array([1, 0])) * 2**40
np.tile([1, 2], 2) * 2**31
np.zeros(2, dtype=int) + 2**31
np.column_stack([[1, 2], [3, 4]]) * 2**31
np.ones((2, 3), dtype=np.uint8).sum(axis=0)
np.ones((2, 3), dtype=bool).sum(axis=1) * 2**31
np.select([np.array([True, False])], [5], 7) * 2**31
np.trace(np.full((2, 2), 2**30, dtype=np.int32))
np.diag_indices(2)[0] * 2**31
""".strip().splitlines()


@pytest.mark.slow
def test_arrays_count_in_64_bits(in_page: RunInPage) -> None:
    """Each expression, as a module of the compiler has it, gives the same type and values."""
    said = "import json; print(json.dumps([str({0}.dtype), {0}.tolist()]))"
    pieces = ["import numpy64 as np; import numpy64 as _numpy64"]
    for each in EXPRESSIONS:
        tree = of_64_bits(ast.parse(f"found = {each}\n"))
        pieces.append(f"{ast.unparse(tree)}\n{said.format('found')}")
    _, *found = in_page(pieces)
    for each, (status, lines) in zip(EXPRESSIONS, found, strict=True):
        native = np.asarray(eval(each, {"np": np}))
        assert (status, lines) == (0, [[str(native.dtype), native.tolist()]]), each


def answers(in_page: RunInPage, path: Path) -> tuple[list[Any], list[Any]]:
    """What the page and the command line say of a spec, without the seconds that it took."""
    requests = [
        json.dumps({"what": what, "name": path.name, "folder": path.parent.name, "text": path.read_text("utf-8")})
        for what in ("text", "answers")
    ]
    page = [event for _, lines in in_page([f"session.serve({request!r})" for request in requests]) for event in lines]
    native: list[Any] = []
    session = Session(native.append)
    for request in requests:
        session.serve(request)
    return list(_plain(page)), list(_plain(native))


def _plain(events: list[Any]) -> Iterator[Any]:
    for event in events:
        if event["kind"] == "picture":
            yield event["system"]
        else:
            yield json.loads(re.sub(r" +\d+\.\d{3} s\\n", r"\\n", json.dumps(event)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", ["huawei/atlas-950-superpod", "nvidia/gb200-nvl72", "textbook/slim-fly", "amd/mi300x", "textbook/torus"]
)
def test_answers_are_those_of_the_command_line(
    in_page: RunInPage, spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page, native = answers(in_page, SPECS / f"{spec}.ubus")
    assert page == native
    assert native[0]["kind"] == "checked"
    assert os.listdir(tmp_path) == [f"{spec.rpartition('/')[2]}.ubus"]
