"""Scopes of several parts: `rack[0] | rack[2]`, `all npu - rack[3]`, `all switch in (pod[0] | pod[1])`.

As selections of the language: `-` binds tighter than `|`, brackets are for the rest, spares are out of `all`, and a
part is in itself. A scope is a set of devices: a difference may leave a piece of a part.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from attrs import define, field

from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import spares
from unifiedbus_dsl.ir.plan.index import IntArray

_TOKEN = re.compile(r"\s*([|()-]|(?:[^\s|()\[\]-]|\[[^\]]*\])+)")


def is_set(scope: str) -> bool:
    """Return whether a scope is more than one path."""
    outside = re.sub(r"\[[^\]]*\]", "", scope)
    return bool(re.search(r"[|()-]|^\s*all\s", outside))


def devices_of_set(fabric: Fabric, scope: str, of_path: Callable[[str], IntArray]) -> IntArray:
    """Return the devices of a scope, ascending; `of_path` has those of one path.

    Raises:
        ValueError: it is no scope, or chooses nothing; the sentence says why.
    """
    devices = _Reader(fabric, scope, of_path).read()
    if not len(devices):
        raise ValueError(f"`{scope}` chooses nothing")
    return devices


@define(eq=False)
class _Reader:
    fabric: Fabric
    scope: str
    of_path: Callable[[str], IntArray]
    tokens: list[str] = field(factory=list)

    def read(self) -> IntArray:
        at = 0
        while self.scope[at:].strip():
            found = _TOKEN.match(self.scope, at)
            if found is None:
                raise ValueError(f"`{self.scope}` is no part: a `[` is never closed")
            self.tokens.append(found[1])
            at = found.end()
        devices = self._union()
        if self.tokens:
            raise ValueError(f"`{self.scope}` is no part: `{self.tokens[0]}` has no place there")
        return devices

    def _taken(self, *signs: str) -> bool:
        """Return whether one of these is next, and pass it."""
        if self.tokens and self.tokens[0] in signs:
            self.tokens.pop(0)
            return True
        return False

    def _union(self) -> IntArray:
        devices = self._difference()
        while self._taken("|"):
            devices = np.union1d(devices, self._difference())
        return devices

    def _difference(self) -> IntArray:
        devices = self._single()
        while self._taken("-"):
            devices = np.setdiff1d(devices, self._single())
        return devices

    def _single(self) -> IntArray:
        if self._taken("("):
            devices = self._union()
            if not self._taken(")"):
                raise ValueError(f"`{self.scope}` is no part: a `(` is never closed")
            return devices
        if not self.tokens or self.tokens[0] in ("|", "-", ")"):
            raise ValueError(f"`{self.scope}` is no part: one is missing beside an operator")
        if self._taken("all"):
            return self._all()
        return np.unique(self.of_path(self.tokens.pop(0)))

    def _all(self) -> IntArray:
        if not self.tokens or self.tokens[0] in ("|", "-", "(", ")"):
            raise ValueError(f"`{self.scope}` is no part: `all` is followed by a kind or type, `all npu`")
        name = self.tokens.pop(0)
        plan = self.fabric.plan
        keys = [
            key for key in (*plan.devices, *plan.assemblies) if name in (key.partition("(")[0], plan.type(key).kind)
        ]
        ranges = [self.fabric.blocks(key) for key in keys]
        if not ranges:
            raise ValueError(f"`all {name}` in `{self.scope}` names no kind or type of this machine")
        start, stop = (np.concatenate(column) for column in zip(*ranges, strict=True))
        inside = np.zeros(self.fabric.device_count + 1, dtype=np.int64)
        np.add.at(inside, start, 1)
        np.add.at(inside, stop, -1)
        devices = np.flatnonzero((np.cumsum(inside)[:-1] > 0) & ~spares(plan))
        return np.intersect1d(devices, self._single()) if self._taken("in") else devices
