"""What holds for every run of the tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let the commands that tests start be interrupted, where a shell in the background has told this run not to be."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
