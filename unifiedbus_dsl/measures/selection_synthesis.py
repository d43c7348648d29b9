"""Sets of devices as selections of the language: `pod[0..31]` for the end points of 32 SuperPoDs."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Ints, concatenate_ranges
from unifiedbus_dsl.graph.symmetry import segment_sums, splitmix64
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Child, DeviceType
from unifiedbus_dsl.ir.plan.labels import ABSENT, text_shape, to_labels, to_places

MOST_PARTS = 3
"""Selections that a reader takes in; what needs more has no name."""


@frozen(eq=False)
class _Part:
    """One selection: its `path`; the instances that it names begin at `start` and have `size` devices each. Of these
    all end points are meant, or those of a `kind`."""

    path: str
    start: Ints
    size: int
    kind: str

    @property
    def text(self) -> str:
        return f"all {self.kind} in {self.path}" if self.kind else self.path


def describe_devices(fabric: Fabric, devices: Ints, skipped: Bools) -> tuple[str, ...]:
    """Selections that together are these devices, which ascend; none where it takes more than `MOST_PARTS`.

    `skipped` [D] are the devices that a selection of an assembly leaves out: spare ones and lost ones.
    """
    root = fabric.plan.root
    if root in fabric.plan.devices or not len(devices):
        return ()
    parts = _SelectionWriter(fabric, skipped).parts(root, 0, devices)
    if not 0 < len(parts) <= MOST_PARTS:
        return ()
    kinds = np.array([device.kind for device in fabric.plan.devices.values()])[fabric.device_type]
    meant = []
    for part in parts:
        inside = concatenate_ranges(part.start, part.start + part.size)
        counts = kinds[inside] == part.kind if part.kind else kinds[inside] != "switch"
        meant.append(inside if part.size == 1 else inside[counts & ~skipped[inside]])
    # parts were read off one instance for all that look like it: what they name is compared with what was asked
    return tuple(part.text for part in parts) if np.array_equal(np.sort(np.concatenate(meant)), devices) else ()


@frozen(eq=False)
class _SelectionWriter:
    fabric: Fabric
    skipped: Bools

    def parts(self, key: str, base: int, offsets: Ints) -> list[_Part]:
        """Selections inside an instance of an assembly that begins at device `base`; `offsets` ascend. Instances of an
        array that hold the same are taken together; what cannot be named makes too many parts."""
        plan = self.fabric.plan
        starts = np.asarray(plan.numbering.child_starts[key], dtype=np.int64)
        which = np.searchsorted(starts, offsets, side="right") - 1
        parts = list[_Part]()
        for number in np.unique(which).tolist():
            child, first = plan.assemblies[key].children[number], int(starts[number])
            size = plan.device_count[child.type]
            element, inner = np.divmod(offsets[which == number] - first, size)
            held, begin, count = np.unique(element, return_index=True, return_counts=True)
            _, one, same = np.unique(segment_sums(splitmix64(inner), count), return_index=True, return_inverse=True)
            for place in np.sort(one).tolist():
                elements = held[same == same[place]]
                step = _subscripts(child, elements)
                if step is None or len(one) + len(parts) > MOST_PARTS:
                    return [_Part("", elements, 0, "")] * (MOST_PARTS + 1)
                these = inner[begin[place] : begin[place] + count[place]]
                start = first + elements * size
                for tail in self._tails(child.type, base + int(start[0]), these):
                    path = f"{step}.{tail.path}" if tail.path else step
                    parts.append(_Part(path, (start[:, None] + tail.start).ravel(), tail.size, tail.kind))
        return parts

    def _tails(self, key: str, base: int, offsets: Ints) -> list[_Part]:
        """Return what follows the path of an instance: nothing where the instance as a whole is meant."""
        kind = self.fabric.plan.type(key)
        nothing = np.zeros(1, dtype=np.int64)
        if isinstance(kind, DeviceType):
            return [_Part("", nothing, 1, "")]
        size = self.fabric.plan.device_count[key]
        inside = slice(base, base + size)
        kinds = np.array([device.kind for device in self.fabric.plan.devices.values()])[self.fabric.device_type[inside]]
        left = ~self.skipped[inside]
        if np.array_equal(np.flatnonzero((kinds != "switch") & left), offsets):
            return [_Part("", nothing, size, "")]
        of = np.unique(kinds[offsets])
        if len(of) == 1 and np.array_equal(np.flatnonzero((kinds == of[0]) & left), offsets):
            return [_Part("", nothing, size, str(of[0]))]
        return self.parts(key, base, offsets)


def _subscripts(child: Child, elements: Ints) -> str | None:
    """`npu[0..3, *]` for elements of an array by number, None where they are no box of ranges."""
    if not child.shape:
        return child.text_name
    labels, shape = to_labels(child, elements), text_shape(child)
    places = [np.unique(axis) for axis in np.unravel_index(labels, shape)]
    there = [np.unique(axis) for axis in np.unravel_index(to_labels(child, np.arange(child.count)), shape)]
    if child.array:  # there are others that `*` would name too
        there = [np.zeros(0, dtype=np.int64)] * len(there)
    texts = [_range(axis, whole) for axis, whole in zip(places, there, strict=True)]
    if None in texts or not _meant(child, places, texts, labels):
        return None
    while texts and texts[-1] == "*":
        texts.pop()
    return f"{child.text_name}[{', '.join(map(str, texts))}]" if texts else child.text_name


def _meant(child: Child, places: list[Ints], texts: list[str | None], labels: Ints) -> bool:
    """Return whether subscripts name these elements, and no absent one but by `*`."""
    box = np.ravel_multi_index(np.ix_(*places), text_shape(child)).ravel()
    there = box[to_places(child, box) != ABSENT]
    return np.array_equal(np.sort(labels), there) and (len(there) == len(box) or "*" in texts)


def _range(places: Ints, there: Ints) -> str | None:
    """`*`, `3`, `0..7` or `0..6 step 2`, None where the distances differ."""
    low, high = int(places[0]), int(places[-1])
    if len(places) == len(there):
        return "*"
    if len(places) == 1:
        return str(low)
    steps = np.unique(np.diff(places))
    if len(steps) > 1:
        return None
    return f"{low}..{high}" + (f" step {steps[0]}" if steps[0] > 1 else "")
