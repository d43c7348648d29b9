"""What is refused before it costs time or memory. Each limit can be raised."""

from __future__ import annotations

from attrs import frozen

MAX_EXTENDS = 32
"""How many definitions may extend each other in a row."""


@frozen
class Limits:
    """`source_bytes`: of one text. `array`: elements of one array of instances or ports. `devices`: of a system.
    `nesting`: how deep assemblies may contain each other. `work`: steps of checking, about 10 nanoseconds each (see
    `unifiedbus_dsl.base.work`). `errors`: after these the rest of a text is not looked at."""

    source_bytes: int = 4 * 2**20
    array: int = 2**24
    devices: int = 2**31 - 1
    nesting: int = 64
    work: int = 400_000_000
    errors: int = 1_000


MOST_CONNECTORS = 64
"""Cables that the module in a cage takes at most."""
