"""The allocator is told where there is glibc, and left alone elsewhere."""

from __future__ import annotations

import ctypes
import platform

import pytest

from unifiedbus_dsl.cli.malloc import keep_freed_memory


def test_glibc_is_told() -> None:
    assert keep_freed_memory() is (platform.libc_ver()[0] == "glibc")


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory() is False
