"""What nobody knows of a machine that was found, and what stands in its place."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import Plan

What = Literal["rate", "latency"]


def links_without(plan: Plan, what: What) -> frozenset[str]:
    """Return the links of which a rate or a latency is not known."""
    return frozenset(key for key, link in plan.links.items() if what in plan.protocols[link.protocol].assumed)


def without(plan: Plan, what: What, link: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return whether a rate or a latency is not known of cables, by the number of their link in the plan."""
    unknown = links_without(plan, what)
    if not unknown:
        return np.zeros(len(link), dtype=np.bool_)
    return np.asarray(np.asarray([key in unknown for key in plan.links], dtype=np.bool_)[link], dtype=np.bool_)
