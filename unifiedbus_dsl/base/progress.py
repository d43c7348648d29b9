"""Say how far long work has come. Silent unless someone listens: the command line does, a library user need not.

with task("expand cabinets", total=128) as step:
    for cabinet in cabinets:
        ...
        step()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

__all__ = ["Listener", "Step", "listen", "task", "track"]

T = TypeVar("T")

Listener: TypeAlias = Callable[[str, int, "int | None"], None]
"""Told the title, the steps done and the total (None: unknown). Called with -1 steps when the task has ended."""

Step: TypeAlias = Callable[..., None]
"""`step()` says that one more step is done, `step(n)` that n are."""

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every task that runs inside."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def task(title: str, total: int | None = None) -> Iterator[Step]:
    """Work with a title, in steps; gives the function to call after each."""
    listener = _listener.get()
    done = 0

    def step(count: int = 1) -> None:
        nonlocal done
        done += count
        if listener is not None:
            listener(title, done, total)

    step(0)
    try:
        yield step
    finally:
        if listener is not None:
            listener(title, -1, total)


def track(items: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """Yield the items one by one, a step each."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with task(title, total) as step:
        for item in items:
            yield item
            step()
