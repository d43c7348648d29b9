"""The syntax tree: what the text says, before any name has a meaning.

Every node is frozen and carries the span it was read from; spans and comments take no part in equality, so two texts
that differ only in layout have equal trees. Paths such as `npu[b, *].x` are expressions: `Member(Index(Name, …), …)`.
"""

from __future__ import annotations

from functools import cached_property

from attrs import field, frozen

from unifiedbus_dsl.base.source import Places, Source
from unifiedbus_dsl.syntax.tree.expressions import *  # noqa: F403 - one namespace: `tree.Call`, `tree.Connect`
from unifiedbus_dsl.syntax.tree.expressions import Node, Number
from unifiedbus_dsl.syntax.tree.statements import *  # noqa: F403
from unifiedbus_dsl.syntax.tree.statements import FileStatement


@frozen
class Comment(Node):
    """A `#` comment (not `##` documentation), text as written from the `#` on."""

    text: str


@frozen
class Damage(Node):
    """A stretch of text that could not be read; later stages stay quiet about the words in it."""

    words: frozenset[str]


@frozen(slots=False)
class File(Node):
    """A whole text. `edition` is the number after `ubus`, None where the line is missing."""

    source: Source = field(eq=False)
    edition: Number | None
    statements: tuple[FileStatement, ...]
    comments: tuple[Comment, ...] = field(default=(), eq=False)
    damage: tuple[Damage, ...] = field(default=(), eq=False)

    @cached_property
    def damaged(self) -> Places[Damage]:
        """The damage by where it is."""
        return Places((each.span, each) for each in self.damage)

    @cached_property
    def places(self) -> Places[FileStatement]:
        """The statements by where they are."""
        return Places((each.span, each) for each in self.statements)
