"""A port array of a type as seen from outside: shape, and what a cable must match."""

from __future__ import annotations

from collections.abc import KeysView, Mapping, Sequence
from math import prod

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Export, Labels, PlanType
from unifiedbus_dsl.ir.plan.labels import groups_of, labels_at, labels_without


def sizes_of(groups: Sequence[Labels]) -> tuple[int, ...]:
    """Return the sizes of an array as its text has them."""
    return tuple(size for labels in groups for size in labels.sizes)


@frozen
class PortPiece:
    """A port array of a type as the plan has it, and what a cable must match."""

    name: str
    groups: tuple[Labels, ...]
    protocol: str
    lanes: int
    open: bool

    @property
    def count(self) -> int:
        """How many ports are there."""
        return prod(labels.count for labels in self.groups)


@frozen
class PortView:
    """A port array as seen from outside its type: shape, and what a cable must match."""

    groups: tuple[Labels, ...]
    protocol: str
    lanes: int
    open: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes as a text has them, absent elements counted."""
        return sizes_of(self.groups)

    @property
    def count(self) -> int:
        """How many ports are there."""
        return prod(labels.count for labels in self.groups)


def port_pieces(types: Mapping[str, PlanType], key: str, name: str) -> tuple[PortPiece, ...]:
    """Return the port `name` of a type, followed down to the devices that carry it; none if it has none.

    Several where its elements are of parts that differ in type.
    """
    kind = types[key]
    if isinstance(kind, DeviceType):
        port = kind.by_name.get(name)
        return (PortPiece(name, groups_of(port), port.protocol, port.lanes, port.open),) if port else ()
    return tuple(_piece(types, kind, export) for export in kind.exported_arrays.get(name, ()))


def _piece(types: Mapping[str, PlanType], kind: AssemblyType, export: Export) -> PortPiece:
    inner = types[kind.by_name[export.ref.child].type]
    if isinstance(inner, DeviceType):
        port = inner.by_name[export.ref.port]
        return PortPiece(export.name, groups_of(export), port.protocol, port.lanes, port.open)
    below = _piece(types, inner, inner.exports_by_name[export.ref.port])
    return evolve(below, name=export.name, groups=groups_of(export))


def port_view(types: Mapping[str, PlanType], key: str, name: str) -> PortView | None:
    """Return the port `name` of a type, followed down to the device that carries it; None if it has none."""
    pieces = port_pieces(types, key, name)
    return view_of(pieces) if pieces else None


def view_of(pieces: Sequence[PortPiece]) -> PortView:
    """Return port arrays of as many dimensions as one, of the greatest of their sizes."""
    first = pieces[0]
    groups = first.groups
    if any(piece.groups != groups for piece in pieces):
        groups = _together([piece.groups for piece in pieces])
    return PortView(groups, first.protocol, first.lanes, any(piece.open for piece in pieces))


def _together(several: Sequence[tuple[Labels, ...]]) -> tuple[Labels, ...]:
    """Return the labels of everything that is there in one of several arrays."""
    shapes = [sizes_of(groups) for groups in several]
    gone = np.ones(np.max(shapes, axis=0), dtype=bool)
    for groups, shape in zip(several, shapes, strict=True):
        there = np.zeros(shape, dtype=bool)
        counts = tuple(labels.count for labels in groups)
        at = np.zeros(counts, dtype=np.int64)
        for labels, place in zip(groups, np.ix_(*map(np.arange, counts)), strict=True):
            at = at * prod(labels.sizes) + labels_at(labels, place)
        there.reshape(-1)[at.ravel()] = True
        gone[tuple(slice(size) for size in shape)] &= ~there
    return labels_without(gone)


def port_names(kind: PlanType) -> KeysView[str]:
    """Return the names of the port arrays of a type, to be listed and to be looked up."""
    return kind.by_name.keys() if isinstance(kind, DeviceType) else kind.exported_arrays.keys()
