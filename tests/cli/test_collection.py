"""Garbage is looked for less often while a command runs."""

from __future__ import annotations

import gc

import pytest

from unifiedbus_dsl.cli import app
from unifiedbus_dsl.cli.collection import THRESHOLDS, rare_collections


def test_thresholds_are_put_back() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == tuple(max(pair) for pair in zip(before, THRESHOLDS, strict=True))
    assert gc.get_threshold() == before


def test_who_collects_more_seldom_still_does() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(10 * THRESHOLDS[0], 10, 10)
        with rare_collections():
            assert gc.get_threshold()[0] == 10 * THRESHOLDS[0]
    finally:
        gc.set_threshold(*before)


def test_commands_run_so(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, int]] = []

    def run(arguments: list[str]) -> int:
        seen.append(gc.get_threshold())
        return 0

    monkeypatch.setattr(app, "_run", run)
    assert app.main([]) == 0
    assert seen[0][0] >= THRESHOLDS[0]
