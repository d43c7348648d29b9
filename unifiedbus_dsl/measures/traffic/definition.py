"""A pattern of traffic with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from unifiedbus_dsl.vocabulary.signatures import TRAFFICS, TrafficSignature

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.traffic.pattern_call import PatternCall, Traffic


@frozen(kw_only=True)
class TrafficPattern(TrafficSignature):
    """A pattern of traffic: its signature, and

    make: the traffic that a call states, None after a diagnostic.
    """

    make: Callable[[PatternCall], Traffic | None]


def pattern_named(name: str) -> TrafficPattern | None:
    """Return the pattern of a name; None where there is none."""
    traffic = TRAFFICS.get(name)
    return traffic if isinstance(traffic, TrafficPattern) else None
