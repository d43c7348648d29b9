"""What the machine below can do. In a browser there is one process with one thread, and no program to run."""

from __future__ import annotations

import sys

_ALONE = sys.platform in ("emscripten", "wasi")

HAS_PROGRAMS = not _ALONE
"""Whether other programs can be run."""
HAS_THREADS = not _ALONE
"""Whether a second thread can be started."""
