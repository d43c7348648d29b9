"""Signals that ask a program to end: they end the work as Ctrl-C does, with what is half-written removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
_received: list[int] = []


class Terminated(KeyboardInterrupt):
    """A signal asked the program to end."""


@contextmanager
def end_as_interrupted() -> Iterator[None]:
    """Take `SIGTERM` and `SIGHUP` as Ctrl-C. The same signal a second time ends the process at once."""
    _received.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    ours = [number for number, old in before.items() if old is signal.SIG_DFL]  # `nohup` ignores one of them
    try:
        for number in ours:
            signal.signal(number, _end)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    _received.append(number)
    raise Terminated


def interrupted_status() -> int:
    """Return the exit status of work that was interrupted: 128 and the number of the signal."""
    return 128 + _received[0] if _received else INTERRUPTED


def interrupted_word() -> str:
    """Return what happened to work that was interrupted."""
    return "terminated" if _received else "interrupted"
