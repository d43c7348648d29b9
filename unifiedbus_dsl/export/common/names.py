"""Names that are legal everywhere: `pod[3].inter[0, 2].npu[7]` as `pod3-inter0-2-npu7`.

Such a name has small letters, digits and hyphens and begins with a letter, so it is a DNS label (RFC 1123), a Slurm
host name, a NetBox device and a Mermaid id alike. It is made of the path alone: nothing else in the machine changes it,
a part that is missing leaves a gap, and an array that grows keeps the names it had (so numbers are not padded).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.export.common.legal import HOST, Rule, legal
from unifiedbus_dsl.export.common.words import plain
from unifiedbus_dsl.ir.fabric.names import Texts, device_names, port_names
from unifiedbus_dsl.ir.plan import Child, DeviceType, Plan
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.labels import text_shape, to_labels

__all__ = ["Slugs", "element", "elements", "labelled", "plain", "stems"]

_TAIL = re.compile(r"[-0-9]*\Z")


def stems(names: Sequence[str]) -> dict[str, str]:
    """Return a stem for each of the sibling names, so that no two can give one name together with their subscripts.

    `plane[1, 2]` and `plane1[2]` would both be `plane1-2`: the second in order of name becomes `plane1-b`.
    """
    taken: dict[str, int] = {}
    stem_of = {}
    for name in sorted(names):
        stem = plain(name)
        root = _TAIL.sub("", stem)
        seen = taken[root] = taken.get(root, 0) + 1
        if seen > 1:
            stem = f"{stem}-{_letters(seen - 1)}"
        stem_of[name] = stem
    return stem_of


def _letters(number: int) -> str:
    """1 as `b`, 25 as `z`, 26 as `ba`."""
    text = ""
    while True:
        number, digit = divmod(number, 26)
        text = chr(ord("a") + digit) + text
        if not number:
            return text


def element(stem: str, shape: Sequence[int], number: int) -> str:
    """`plane7`, `inter0-2`, `lane1-7` (of an array `lane1`), or the stem for shape ()."""
    return str(elements(stem, shape, np.asarray([number]))[0])


def elements(stem: str, shape: Sequence[int], numbers: IntArray) -> Texts:
    """Return names of these row-major elements of an array."""
    if not shape:
        return np.full(numbers.shape, stem, dtype=object)
    glue = "-" if stem[-1].isdigit() else ""
    rows = np.stack(np.unravel_index(numbers, tuple(shape)), axis=-1).tolist()
    texts = np.empty(len(rows), dtype=object)
    texts[:] = [f"{stem}{glue}{'-'.join(map(str, row))}" for row in rows]
    return texts


def labelled(stem: str, child: Child, places: IntArray) -> Texts:
    """Return names of the elements at these places of an array, by their labels."""
    return elements(stem, text_shape(child), to_labels(child, places))


@frozen(eq=False, slots=False)
class Slugs:
    """The legal names of a plan's devices and ports; those of the site, where there are any, as far as `rule` takes
    them."""

    plan: Plan
    rule: Rule = HOST
    _stems: dict[str, Mapping[str, str]] = field(factory=dict, init=False)

    def of(self, key: str) -> Mapping[str, str]:
        """Return the stems of the children of an assembly type, or of the ports of a device type."""
        if key not in self._stems:
            of = self.plan.type(key)
            parts = of.ports if isinstance(of, DeviceType) else of.children
            of_text = stems(list(dict.fromkeys(part.text_name for part in parts)))
            self._stems[key] = {part.name: of_text[part.text_name] for part in parts}
        return self._stems[key]

    def devices(self, devices: ArrayLike) -> Texts:
        """Return the name of each device id; that of the system where it is a single device."""
        ids = np.asarray(devices, dtype=np.int64).ravel()
        if self.plan.site is not None and self.plan.site.devices:
            return self._of_site[ids]
        if self.plan.root in self.plan.devices:
            return np.full(ids.shape, plain(self.plan.system), dtype=object)
        return self._paths(self.plan.root, ids)

    @cached_property
    def _of_site(self) -> Texts:
        names = device_names(self.plan, np.arange(self.plan.device_count[self.plan.root])).tolist()
        return np.asarray([*legal(names, self.rule), ""], dtype=object)[:-1]

    @property
    def renamed(self) -> dict[str, str]:
        """The names of the site that had to change, with what is written for them."""
        if self.plan.site is None or not self.plan.site.devices:
            return {}
        return {old: new for old, new in zip(self.plan.site.devices, self._of_site, strict=True) if old != new}

    def _paths(self, key: str, offsets: IntArray) -> Texts:
        names = np.empty(offsets.shape, dtype=object)
        starts = np.asarray(self.plan.numbering.child_starts[key], dtype=np.int64)
        which = np.searchsorted(starts, offsets, side="right") - 1
        for number in np.unique(which):
            child = self.plan.assemblies[key].children[number]
            chosen = which == number
            at, inner = np.divmod(offsets[chosen] - starts[number], self.plan.device_count[child.type])
            distinct, back = np.unique(at, return_inverse=True)
            own = labelled(self.of(key)[child.name], child, distinct)[back]
            names[chosen] = own if child.type in self.plan.devices else own + "-" + self._paths(child.type, inner)
        return names

    def ports(self, key: str) -> list[str]:
        """Return the name of each port of a device type, in order of port number."""
        if self.plan.site is not None and key in self.plan.site.ports:
            return [str(name) for name in port_names(self.plan, key)]
        stems_ = self.of(key)
        names: list[str] = []
        for port in self.plan.devices[key].ports:
            names += elements(stems_[port.name], port.shape, np.arange(port.count)).tolist()
        return names
