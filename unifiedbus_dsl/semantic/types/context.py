"""What building a type asks of the elaborator that it is part of: an interface, so that devices and assemblies do not
know who calls them."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Child, PlanType
from unifiedbus_dsl.semantic.types.link_types import LinkRegistry
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.limits import Limits


@frozen
class Part:
    """A part as the text has it, and the children that it is in the plan: several where its elements differ in type.

    `whole` has the type of the first of them.
    """

    whole: Child
    pieces: tuple[Child, ...]


class Elaboration(Protocol):
    """Types so far by key, the members of each that failed, and how to come by a part and its type."""

    sink: Sink
    limits: Limits
    types: dict[str, PlanType]
    failed: dict[str, set[str]]
    failed_fields: dict[str, set[str]]
    technology: LinkRegistry

    def part(self, statement: tree.Instance, scope: Scope) -> Part | None:
        """Return a part with its type elaborated; None after a diagnostic."""

    def without_diagnostics(self) -> Elaboration:
        """Return an elaboration of the same model that says nothing."""
