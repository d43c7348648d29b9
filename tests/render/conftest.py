"""The browser and the pages that several tests share, made when the first asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.render.browser import Browser, browser
from tests.render.hands import SPECS
from unifiedbus_dsl import compiler
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.solved_views import explorer_page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages of two machines: one of a single network in folds, one small with loads and losses."""
    folder = tmp_path_factory.mktemp("pages")
    for name, spec in (("pod", "huawei/atlas-950-superpod"), ("rack", "nvidia/gb200-nvl72")):
        done = compiler.compile(SPECS / f"{spec}.ubus")
        sink = Sink()
        (folder / f"{name}.html").write_text(explorer_page(done, done.systems[0], sink), encoding="utf-8")
        assert not list(sink)
    return folder


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running
