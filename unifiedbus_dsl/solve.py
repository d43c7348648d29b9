"""Ask a fabric from Python: `from unifiedbus_dsl import solve`. The functions are those of `analysis.api`."""

from __future__ import annotations

from collections.abc import Callable

from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.analysis.api import *  # noqa: F403 - all that it has for others
from unifiedbus_dsl.measures.answers import Answer


def __getattr__(name: str) -> Callable[..., Answer]:
    """Return each measure that has no function of its own, from the registry."""
    return api.__getattr__(name)
