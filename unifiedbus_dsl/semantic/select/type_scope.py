"""The types below one type as far as selections need them, and what a selection is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import define, field, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.ir.plan import AssemblyType, Link, PlanType, Protocol, Rule
from unifiedbus_dsl.ir.plan.index import count_points
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.syntax import tree


@frozen
class Parts:
    """`count` devices or assemblies of one type."""

    type: PlanType
    count: int


@frozen
class Ports:
    """`count` ports of one port array."""

    protocol: str
    lanes: int
    count: int


@frozen
class Cables:
    """`count` physical cables that begin with one rule, which has so many `links`."""

    link: Link
    rule: Rule
    count: int
    links: int


Item: TypeAlias = Parts | Ports | Cables


@frozen
class Selection:
    """What was selected; `field` is the field that a dotted `all npu.memory` asks for."""

    items: tuple[Item, ...]
    span: Span
    field: tree.Word | None = None
    whole: bool = True
    """Whether it is all there is of its sort in the machine asked about."""
    broken: tree.Binary | None = None
    """A difference that would leave a piece of a part."""


@define(eq=False)
class TypeScope:
    """The types below one type, the subject, as far as selections need them."""

    types: Mapping[str, PlanType]
    protocols: Mapping[str, Protocol]
    links: Mapping[str, Link]
    subject: str
    sort_of: Callable[[Definition], frozenset[str]]
    """The names, among the keys of types, of a definition and of all that extend it (`Model.sort_of`)."""
    failed_fields: Mapping[str, set[str]] = field(factory=dict)
    """By type: fields in error, about which nothing more is said."""
    _census: dict[str, dict[str, int]] = field(factory=dict)

    def census(self, key: str) -> dict[str, int]:
        """Return how many of each type one instance of a type contains, itself included, spares left out."""
        if key not in self._census:
            total = {key: 1}
            kind = self.types.get(key)
            for child in kind.children if isinstance(kind, AssemblyType) else ():
                if not child.spare:
                    for inner, count in self.census(child.type).items():
                        total[inner] = total.get(inner, 0) + child.count * count
            self._census[key] = total
        return self._census[key]

    def contents(self, key: str) -> dict[str, int]:
        """Return the same without the type itself."""
        return {inner: count for inner, count in self.census(key).items() if inner != key}

    def rules(self, roots: Mapping[str, int]) -> list[Cables]:
        """Return the rules inside these assemblies with how many cables each makes."""
        totals: dict[str, int] = {}
        for root, times in roots.items():
            for key, count in self.census(root).items():
                totals[key] = totals.get(key, 0) + times * count
        cables_of = []
        for key, count in totals.items():
            kind = self.types[key]
            for rule in kind.rules if isinstance(kind, AssemblyType) else ():
                links = count_points(rule.axes, rule.where)
                if rule.link in self.links:
                    begun = count * (links - rule.merged)
                    cables_of.append(Cables(self.links[rule.link], rule, begun, count * links))
        return cables_of
