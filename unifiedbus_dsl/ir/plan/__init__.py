"""The plan: the machine at the size of its text.

One node for each distinct type with its arguments. Arrays stay arrays, each connect stays a rule over index axes, a
pattern is lowered to such rules. Everything that is the same for all instances of a type is found here, once.

Numbering, which the fabric follows:
- The ports of a device type are numbered port array by port array in order of name, elements in row-major order.
- The devices of an assembly are numbered child by child in order of name, elements in row-major order, each element a
  contiguous range with the devices of its type in their own order.
- The cables of an assembly are numbered: first those inside its children (in device order), then rule by rule, those of
  a rule in row-major order of its axes (how `where` changes this: see `unifiedbus_dsl.plan.index`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from attrs import field, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.plan.field_values import Value as Value
from unifiedbus_dsl.vocabulary.limits import MOST_CONNECTORS

if TYPE_CHECKING:
    from unifiedbus_dsl.ir.plan.numbering import Numbering

# ---- index expressions ------------------------------------------------------------------------------------------


@frozen
class Const:
    value: int


@frozen
class Var:
    """The value of an axis."""

    name: str


@frozen(cache_hash=True)
class Op:
    """`op` is one of `+ - * div mod` (integers; `div` and `mod` floor) or `== != < <= > >= and or` (truth values)."""

    op: str
    left: IndexExpr
    right: IndexExpr


@frozen(cache_hash=True)
class Not:
    operand: IndexExpr


@frozen
class Listed:
    """A table as the text has it, for messages: its name, its sizes, and where each number stands if it is known."""

    name: str
    shape: tuple[int, ...]
    spans: tuple[Span, ...] = field(default=(), repr=False)


@frozen(cache_hash=True)
class Lookup:
    """`table[at]`: what no arithmetic describes (tables of the text, random graphs, cable lists)."""

    table: tuple[int, ...] = field(repr=False)
    at: IndexExpr
    listed: Listed | None = field(default=None, eq=False, repr=False)


IndexExpr: TypeAlias = Const | Var | Op | Not | Lookup


@frozen
class Axis:
    """An index name with its range `low, low + step, … <= high`."""

    name: str
    low: int
    high: int
    step: int = 1

    @property
    def size(self) -> int:
        return max(0, (self.high - self.low) // self.step + 1)


@frozen
class PortRef:
    """`child[at].port[port_at]`: a port of a direct child, one index expression for each dimension."""

    child: str
    at: tuple[IndexExpr, ...]
    port: str
    port_at: tuple[IndexExpr, ...]


# ---- types ------------------------------------------------------------------------------------------------------


@frozen
class Protocol:
    name: str
    lane_rate: Fraction
    """byte/s of one lane, each direction."""
    latency: Fraction
    """s."""
    efficiency: Fraction
    fields: Mapping[str, Value] = field(factory=dict)
    span: Span | None = field(default=None, eq=False, repr=False)
    assumed: tuple[str, ...] = ()
    """Of `rate` and `latency` what nobody knows, so that the value here only stands for it."""


@frozen
class Link:
    name: str
    protocol: str
    fields: Mapping[str, Value] = field(factory=dict)
    """`medium`, `reach`, `delay`, `latency`, `cost`, `power`, `afr`, … as the schema names them."""
    span: Span | None = field(default=None, eq=False, repr=False)

    @property
    def connectors(self) -> int:
        """How many of these cables the module in one cage takes: 1 where the plug of a cable fills it."""
        value = self.fields.get("connectors")
        return min(max(1, int(value.value)), MOST_CONNECTORS) if isinstance(value, Quantity) else 1


@frozen
class Port:
    """A port array of a device."""

    name: str
    shape: tuple[int, ...]
    protocol: str
    lanes: int
    open: bool = False
    span: Span | None = field(default=None, eq=False, repr=False)

    @property
    def count(self) -> int:
        return prod(self.shape)

    @property
    def text_name(self) -> str:
        """What the text calls it."""
        return self.name


@frozen
class DeviceType:
    """An `npu`, `cpu`, `switch`, `nic` or `device` with its arguments filled in.

    `ports` are in order of name. `transit` has one tuple of port numbers for each `transit` line; a switch forwards
    among all its ports and has none. `between` has the two sides of each line `A -- B`: a port of either forwards to
    those of the other alone. `cages` are runs (first port, ports of a cage, cages) of cages that hold several ports,
    in order; any other port has a cage of its own.
    """

    key: str
    kind: str
    ports: tuple[Port, ...]
    transit: tuple[tuple[int, ...], ...] = ()
    fields: Mapping[str, Value] = field(factory=dict)
    doc: str | None = field(default=None, eq=False)
    span: Span | None = field(default=None, eq=False, repr=False)
    between: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    cages: tuple[tuple[int, int, int], ...] = ()

    @property
    def radix(self) -> int:
        """How many ports it has."""
        return sum(port.count for port in self.ports)

    @property
    def has_cages(self) -> bool:
        """Whether any of its ports share a cage."""
        return bool(self.cages)

    @cached_property
    def by_name(self) -> Mapping[str, Port]:
        """Its port arrays by name."""
        return {port.name: port for port in self.ports}


@frozen
class Labels:
    """One or more dimensions of an array as its text counts them: `sizes`, without the elements `absent`, which are
    row-major numbers and ascend."""

    sizes: tuple[int, ...]
    absent: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many elements are there."""
        return prod(self.sizes) - len(self.absent)


@frozen
class Child:
    """An array of instances of one type inside an assembly; shape () is a single one.

    Where elements are absent, `shape` counts those that are there: each of its dimensions stands for those of one of
    `labels`, in which an element keeps the number that the text gives it. An array of the text whose elements differ in
    type is several children, each with a run of them: `array` is what the text calls it.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    spare: bool = False
    doc: str | None = field(default=None, eq=False)
    span: Span | None = field(default=None, eq=False, repr=False)
    labels: tuple[Labels, ...] = ()
    array: str = ""

    @property
    def count(self) -> int:
        return prod(self.shape)

    @property
    def text_name(self) -> str:
        """What the text calls it."""
        return self.array or self.name


@frozen
class Export:
    """`port up = npu.up`: port `name` of shape `[axis.size for axis in axes]` is `ref` over the axes.

    Where it is of parts of which some are absent, `labels` are those of its dimensions. One that is of parts of
    several types is several exports: `array` is what the text calls it. `cage` consecutive ports, row-major, share a
    cage.
    """

    name: str
    axes: tuple[Axis, ...]
    ref: PortRef
    span: Span | None = field(default=None, eq=False, repr=False)
    labels: tuple[Labels, ...] = ()
    array: str = ""
    cage: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    @property
    def text_name(self) -> str:
        """What the text calls it."""
        return self.array or self.name


@frozen
class Rule:
    """One connect: a cable from `left` to `right` for each point of the axes where `where` holds.

    `lanes` is the width of the cable, `length` in metres is None where the floor plan gives it. `pattern` names the
    pattern it was lowered from and `origin` is the number of the connect statement in canonical order, the same for
    all rules lowered from one pattern. Where ports share a cage, several points may be one physical cable: `merged` of
    the points, in each instance, belong to one that an earlier point of the assembly begins (`ir.plan.physical`).
    """

    left: PortRef
    right: PortRef
    axes: tuple[Axis, ...]
    where: IndexExpr | None
    link: str
    lanes: int
    length: Fraction | None
    pattern: str | None = None
    origin: int = 0
    span: Span | None = field(default=None, eq=False, repr=False)
    left_span: Span | None = field(default=None, eq=False, repr=False)
    right_span: Span | None = field(default=None, eq=False, repr=False)
    """The text that decides which port of a side is meant: where a collision is to be shown."""
    link_span: Span | None = field(default=None, eq=False, repr=False)
    merged: int = 0


@frozen
class Opening:
    """Ports of direct children that may stay free: `ref` over the axes where `where` holds."""

    axes: tuple[Axis, ...]
    ref: PortRef
    span: Span | None = field(default=None, eq=False, repr=False)
    where: IndexExpr | None = None


@frozen
class Placement:
    """Where the elements of a child array stand, in the frame of the assembly: row-major element e of `child` has its
    origin at `positions[e]` (x, y) in metres."""

    child: str
    positions: tuple[tuple[Fraction, Fraction], ...] = field(repr=False)
    method: str = "grid"
    span: Span | None = field(default=None, eq=False, repr=False)


@frozen
class AssemblyType:
    """A `board`, `node`, `rack`, `superpod`, `supercluster` or `module` with its arguments filled in.

    `children` and `exports` are in order of name; `rules` in canonical order.
    """

    key: str
    kind: str
    children: tuple[Child, ...]
    exports: tuple[Export, ...] = ()
    rules: tuple[Rule, ...] = ()
    placements: tuple[Placement, ...] = ()
    openings: tuple[Opening, ...] = ()
    fields: Mapping[str, Value] = field(factory=dict)
    spoilt: frozenset[tuple[str, str]] = field(default=frozenset(), eq=False, repr=False)
    """(child, port) that a statement in error was about; `*` stands for any. Nothing is said of these ports."""
    doc: str | None = field(default=None, eq=False)
    span: Span | None = field(default=None, eq=False, repr=False)

    @property
    def has_elevation(self) -> bool:
        """Whether its places are those of parts in a rack of known height, and none on a floor."""
        return self.kind == "rack" and "height" in self.fields

    @property
    def floor_places(self) -> tuple[Placement, ...]:
        """Where its children stand on the floor."""
        return () if self.has_elevation else self.placements

    @property
    def elevation_places(self) -> tuple[Placement, ...]:
        """Where its children are in the rack that it is: y is the height above its lowest unit."""
        return self.placements if self.has_elevation else ()

    @cached_property
    def by_name(self) -> Mapping[str, Child]:
        """Its children by name."""
        return {child.name: child for child in self.children}

    @cached_property
    def exports_by_name(self) -> Mapping[str, Export]:
        """Its exported ports by name."""
        return {export.name: export for export in self.exports}

    @cached_property
    def arrays(self) -> Mapping[str, tuple[Child, ...]]:
        """Its children by what the text calls them."""
        return _by_text_name(self.children)

    @cached_property
    def exported_arrays(self) -> Mapping[str, tuple[Export, ...]]:
        """Its exported ports by what the text calls them."""
        return _by_text_name(self.exports)

    @property
    def has_cages(self) -> bool:
        """Whether any of its exported ports share a cage that it says itself."""
        return any(export.cage > 1 for export in self.exports)


_Named = TypeVar("_Named", Child, Export)


def _by_text_name(several: tuple[_Named, ...]) -> Mapping[str, tuple[_Named, ...]]:
    result: dict[str, list[_Named]] = {}
    for each in several:
        result.setdefault(each.text_name, []).append(each)
    return {name: tuple(those) for name, those in result.items()}


PlanType: TypeAlias = DeviceType | AssemblyType


@frozen(slots=False)
class Site:
    """What the parts of a machine are called where it stands, to the letter.

    `devices` and `ids` (GUIDs, chassis ids; empty where there is none) are in order of device id, or empty; `ports` has
    the names of the ports of a device type in order of number, `parts` those of assemblies by their path.
    """

    devices: tuple[str, ...] = field(default=(), repr=False)
    ids: tuple[str, ...] = field(default=(), repr=False)
    ports: Mapping[str, tuple[str, ...]] = field(factory=dict, repr=False)
    parts: Mapping[str, str] = field(factory=dict, repr=False)
    designed: bool = False
    """Whether these are names for a machine of the language, and not what was found in a network."""

    @cached_property
    def by_name(self) -> Mapping[str, int]:
        """The device of each name; the first of a name that stands twice."""
        return {name: device for device, name in reversed(list(enumerate(self.devices)))}


@frozen(slots=False)
class Plan:
    """One system: its root type and every type below it. Mappings are in order of key.

    `site` is there where the machine was found, or is called by a site's own names.
    """

    system: str
    root: str
    protocols: Mapping[str, Protocol]
    links: Mapping[str, Link]
    devices: Mapping[str, DeviceType]
    assemblies: Mapping[str, AssemblyType]
    site: Site | None = None
    doc: str | None = field(default=None, eq=False)

    @property
    def found(self) -> bool:
        """Whether the machine was found in a network and not designed."""
        return self.site is not None and not self.site.designed

    def type(self, key: str) -> PlanType:
        return self.devices[key] if key in self.devices else self.assemblies[key]

    def _repr_svg_(self) -> str | None:
        """Return the overview, which notebooks show; None where there is nothing to draw, or to draw with.

        Drawn by what `render.notebook` has put into `draw_for_notebook`: a plan knows no pictures.
        """
        return draw_for_notebook[-1](self) if draw_for_notebook else None

    @cached_property
    def max_radix(self) -> int:
        """The largest number of ports of a device."""
        return max((of.radix for of in self.devices.values()), default=1)

    @cached_property
    def has_cages(self) -> bool:
        """Whether any ports of the machine share a cage."""
        types: tuple[PlanType, ...] = (*self.devices.values(), *self.assemblies.values())
        return any(of.has_cages for of in types)

    @cached_property
    def device_count(self) -> Mapping[str, int]:
        """How many devices one instance of each type holds (1 for a device), spares included."""
        counts = dict.fromkeys(self.devices, 1)
        for key in self.bottom_up:
            counts[key] = sum(child.count * counts[child.type] for child in self.assemblies[key].children)
        return counts

    @cached_property
    def instances(self) -> Mapping[str, int]:
        """How many instances of each type the system has, spares included."""
        return self._instances(lambda child: child.count)

    @cached_property
    def in_service(self) -> Mapping[str, int]:
        """How many instances of each type there are, spares and what is inside them left out."""
        return self._instances(lambda child: 0 if child.spare else child.count)

    def _instances(self, count: Callable[[Child], int]) -> Mapping[str, int]:
        counts = dict.fromkeys([*self.devices, *self.assemblies], 0)
        counts[self.root] = 1
        for key in reversed(self.bottom_up):
            for child in self.assemblies[key].children:
                counts[child.type] += counts[key] * count(child)
        return counts

    @cached_property
    def numbering(self) -> Numbering:
        """Offsets of children, ports and cables within each type."""
        from unifiedbus_dsl.ir.plan.numbering import Numbering

        return Numbering(self)

    @cached_property
    def bottom_up(self) -> tuple[str, ...]:
        """Keys of the assemblies, each after all that it contains."""
        done: dict[str, None] = {}

        def visit(key: str) -> None:
            if key in done or key in self.devices:
                return
            for child in self.assemblies[key].children:
                visit(child.type)
            done[key] = None

        visit(self.root)
        return tuple(done)


draw_for_notebook: list[Callable[[Plan], str | None]] = []
"""What draws a plan in a notebook, once the room that can draw is imported (the compiler imports it)."""
