"""Nodes of statements: what stands in a file, in a block of questions or a view, and in a type."""

from __future__ import annotations

from typing import TypeAlias

from attrs import field, frozen

from unifiedbus_dsl.syntax.tree.expressions import Arg, Expr, Node, Number, Range, String, Subscript, Word

# ---- parts of statements ----------------------------------------------------------------------------------------


@frozen
class TypeRef(Node):
    """A type by its dotted name with arguments: `NpuBoard`, `std.clos.FatTree(k = 4)`, or a parameter's name."""

    path: tuple[Word, ...]
    args: tuple[Arg, ...] = ()
    parens: bool = field(default=False, eq=False)

    @property
    def text(self) -> str:
        return ".".join(word.text for word in self.path)


@frozen
class TypeChoice(Node):
    """`if s < 4 then Gpu else Cpu`: the type of a part, which may differ by element."""

    test: Expr
    yes: TypeRef | TypeChoice
    no: TypeRef | TypeChoice


def types_of(node: TypeRef | TypeChoice) -> tuple[TypeRef, ...]:
    """Return the types that a part may be of, in order of the text."""
    return (node,) if isinstance(node, TypeRef) else (*types_of(node.yes), *types_of(node.no))


@frozen
class Param(Node):
    name: Word
    default: Expr | None = None


@frozen
class Annotation(Node):
    """`@open`, `@draw(ring)`."""

    name: Word
    args: tuple[Arg, ...] = ()


@frozen
class Binder(Node):
    """`b`, or `i in 0..7`, after `for`."""

    name: Word
    range: Subscript | None = None


@frozen(kw_only=True)
class Statement(Node):
    """`doc` is the text of the `##` lines above, without the marks, lines joined by newlines."""

    doc: str | None = None


# ---- statements of a file ---------------------------------------------------------------------------------------


@frozen
class UseName(Node):
    name: Word
    alias: Word | None = None


@frozen
class Use(Statement):
    """`use std.clos as clos`, `use "parts.ubus" as parts`, `use LRS, HRS from "switches.ubus"`.

    Exactly one of `path` (a dotted module) and `file` is given. `names` is empty for a whole-module use.
    """

    path: tuple[Word, ...] | None
    file: String | None
    alias: Word | None = None
    names: tuple[UseName, ...] = ()


@frozen
class Let(Statement):
    name: Word
    value: Expr


@frozen
class Field(Statement):
    name: Word
    value: Expr


@frozen
class ProtocolDef(Statement):
    name: Word
    fields: tuple[Field, ...]


@frozen
class LinkDef(Statement):
    """`link Optic : UB extends Base { … }`."""

    name: Word
    protocol: TypeRef | None
    base: TypeRef | None
    fields: tuple[Field, ...]


@frozen
class ModelDef(Statement):
    """`model Mine extends Base { … }`."""

    name: Word
    base: TypeRef | None
    fields: tuple[Field, ...]


@frozen
class TypeDef(Statement):
    """A device or assembly type. `kind` is the keyword: `npu`, `switch`, `rack`, …"""

    kind: Word
    name: Word
    params: tuple[Param, ...]
    base: TypeRef | None
    annotations: tuple[Annotation, ...]
    body: tuple[BodyStatement, ...]


@frozen
class System(Statement):
    name: Word
    type: TypeRef


@frozen
class Naming(Statement):
    """`name trainer[g].mlx5[r] of hall = "tr{g + 1:02} mlx5_{r}" for g, r`: what the site calls the parts of a system.
    `values` are the expressions between the braces, as far as they can be read."""

    path: Expr
    of: Word
    text: String
    values: tuple[Expr, ...]
    binders: tuple[Binder, ...] = ()
    where: Expr | None = None


@frozen
class Traffic(Statement):
    """`traffic dp of superpod = allreduce(all npu, within = rack)`."""

    name: Word
    of: Word
    value: Expr


@frozen
class Workload(Statement):
    """`workload pretrain of superpod = train(Llama405, batch = 2048, sequence = 8192, tensor = 8)`."""

    name: Word
    of: Word
    value: Expr


@frozen
class Measure(Statement):
    """A measure asked for in an `analyze` block: `bisection(all npu)`."""

    value: Expr


@frozen
class Analyze(Statement):
    name: Word
    of: Word
    items: tuple[Measure | Expect | Let, ...]


@frozen
class LinkBetween(Node):
    """`A -- B` as a selector: the cables between the two."""

    left: Expr
    right: Expr


Selector: TypeAlias = Expr | LinkBetween


@frozen
class Fail(Statement):
    """`fail cabinet[17]`, `fail any 64 of all link where medium == optical`; `quota` is the count after `any`."""

    targets: tuple[Selector, ...]
    quota: Expr | None = None
    where: Expr | None = None


@frozen
class Degrade(Statement):
    targets: tuple[Selector, ...]
    to: Expr
    where: Expr | None = None


@frozen
class Set(Statement):
    target: Expr
    value: Expr


@frozen
class Scenario(Statement):
    name: Word
    of: Word
    base: Word | None
    items: tuple[Fail | Degrade | Set | Measure | Expect | Let, ...]


@frozen
class Vary(Statement):
    """`vary cabinets in 32..128 step 32`, `vary pod.chip in [A, B]`: a name as after `--set`, and its values."""

    path: tuple[Word, ...]
    values: Subscript

    @property
    def name(self) -> str:
        return ".".join(word.text for word in self.path)


@frozen
class Dotted(Node):
    """A name as after `--set`: `racks`, `lab.racks`, `UB.lane`."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return ".".join(word.text for word in self.words)


@frozen
class Trend(Node):
    """`increasing in cabinets, planes`: how a value is stated to follow what is varied."""

    increasing: bool
    names: tuple[Dotted, ...]


@frozen
class Require(Statement):
    """A condition that every design must meet: `require diameter(all npu) <= 4`."""

    condition: Expr
    trends: tuple[Trend, ...] = ()


@frozen
class Objective(Statement):
    """`minimize cost() increasing in planes`, or `maximize …`."""

    maximize: bool
    value: Expr
    trends: tuple[Trend, ...] = ()


@frozen
class Sample(Statement):
    """`sample 400`: so many designs in place of all."""

    count: Expr


@frozen
class Explore(Statement):
    name: Word
    of: Word
    items: tuple[Vary | Require | Objective | Sample | Measure | Let, ...]


@frozen
class Show(Statement):
    targets: tuple[Selector, ...]
    where: Expr | None = None


@frozen
class Hide(Statement):
    targets: tuple[Selector, ...]
    where: Expr | None = None


@frozen
class Collapse(Statement):
    targets: tuple[Selector, ...]


@frozen
class Fold(Statement):
    target: Expr
    keep: Expr | None = None


@frozen
class Colour(Statement):
    """`color link by medium`, or `color npu "#dbe9f6"`: a string is the colour itself."""

    what: Word
    by: Expr


@frozen
class LabelBy(Statement):
    """`label link by bandwidth`."""

    what: Word
    by: Expr


@frozen
class Layout(Statement):
    name: Word
    args: tuple[Arg, ...] = ()


@frozen
class Title(Statement):
    text: String


@frozen
class Theme(Statement):
    name: Word


ViewItem: TypeAlias = Show | Hide | Collapse | Fold | Colour | LabelBy | Layout | Title | Theme


@frozen
class View(Statement):
    name: Word
    of: Word
    annotations: tuple[Annotation, ...]
    items: tuple[ViewItem, ...]


# ---- statements of a type ---------------------------------------------------------------------------------------


@frozen
class PortDecl(Statement):
    """`port up[4] : UB x4 @open`; `lanes` is the 4 of `x4`."""

    name: Word
    shape: tuple[Expr, ...]
    protocol: TypeRef
    lanes: Number
    annotations: tuple[Annotation, ...] = ()


@frozen
class PortExport(Statement):
    """`port up = npu.up`, `port up = npu.up @cage(2)`."""

    name: Word
    value: Expr
    annotations: tuple[Annotation, ...] = ()


@frozen
class Transit(Statement):
    """`transit x, up[0..1]`: these ports forward among themselves. `transit host -- net`: these forward to `others`,
    and the others to them, and none to its own side."""

    ports: tuple[Expr, ...]
    others: tuple[Expr, ...] = ()


@frozen
class Instance(Statement):
    """`npu[8] : chip`, `spare npu : Chip`, `nic[2] : UBNic if with_nic`, `rack[8 except 6] : Cabinet` (`holes`).

    `cell[23] : Cell(leafs = if c < 19 then 18 else 16) for c`: type, arguments and condition may differ by element.
    """

    name: Word
    shape: tuple[Expr, ...]
    type: TypeRef | TypeChoice
    condition: Expr | None = None
    spare: bool = False
    annotations: tuple[Annotation, ...] = ()
    holes: tuple[Expr | Range, ...] = ()
    binders: tuple[Binder, ...] = ()


@frozen
class Connect(Statement):
    """`connect L -- R over LINK for i, j where i < j`. `over` is None where no link is named."""

    left: Expr
    right: Expr
    over: TypeRef | None = None
    binders: tuple[Binder, ...] = ()
    where: Expr | None = None
    annotations: tuple[Annotation, ...] = ()


@frozen
class ConnectPattern(Statement):
    """`connect A [to B] as pattern(args) over LINK for r`."""

    left: Expr
    right: Expr | None
    pattern: Word
    args: tuple[Arg, ...] = ()
    over: TypeRef | None = None
    binders: tuple[Binder, ...] = ()
    where: Expr | None = None
    annotations: tuple[Annotation, ...] = ()


@frozen
class ConnectCables(Statement):
    """`connect cables("cables.csv") over Optic`."""

    file: String
    over: TypeRef | None = None
    annotations: tuple[Annotation, ...] = ()


@frozen
class Open(Statement):
    """`open hrs.p[96..]`: these ports may stay free here."""

    ports: tuple[Expr, ...]


@frozen
class Place(Statement):
    """`place cabinet as grid(columns = 16, pitch = [0.6 m, 2.4 m])`."""

    target: Expr
    method: Word
    args: tuple[Arg, ...] = ()


@frozen
class If(Statement):
    test: Expr
    then: tuple[BodyStatement, ...]
    otherwise: tuple[BodyStatement, ...] = ()


@frozen
class Expect(Statement):
    """`expect CONDITION ["source"] [differs "reason"]`."""

    condition: Expr
    source: String | None = None
    differs: String | None = None


BodyStatement: TypeAlias = (
    Field | PortDecl | PortExport | Transit | Instance | Connect | ConnectPattern | ConnectCables | Open | Place | If
    | Expect | Let
)  # fmt: skip
FileStatement: TypeAlias = (
    Use | Let | ProtocolDef | LinkDef | ModelDef | TypeDef | System | Naming | Traffic | Workload | Analyze | Scenario
    | Explore | View | Expect
)  # fmt: skip


FieldsDef: TypeAlias = ProtocolDef | LinkDef | ModelDef
OWNERS: dict[type, str] = {ProtocolDef: "protocol", LinkDef: "link", ModelDef: "model"}
"""The keyword of definitions that have fields alone: what owns their fields in the table of attributes."""
