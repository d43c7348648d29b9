"""The LALR(1) automaton at work: a stack of rows with a stack of values, fed one token at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.syntax.automaton import Automaton, Reduction, Row
from unifiedbus_dsl.syntax.build import Action
from unifiedbus_dsl.syntax.lexer import Token

_ENTRIES_A_LEVEL = 16
"""More entries than lie on the stack for one level of nodes; the longest rule has eleven symbols."""

_Entry: TypeAlias = tuple[Row, Any, int, int]
"""A row, the value of the symbol that led to it, where that begins, and how deep nodes lie in it."""

Snapshot: TypeAlias = list[_Entry]


class TooDeepError(Exception):
    """A node would lie deeper than the limit. The automaton is of no use until it is restored."""


class Engine:
    """Runs the automaton on tokens and calls an action for each rule.

    Nothing here recurses: text of any shape costs time and memory in proportion to its length. `max_depth` bounds how
    deep nodes lie in one another, so that what walks the tree later may recurse; `reserved` of it are for nodes that
    will lie around those that are built now.
    """

    def __init__(self, automaton: Automaton, source: Source, actions: list[Action], max_depth: int) -> None:
        self._automaton = automaton
        self._source = source
        self._build = actions
        self._max_depth = max_depth
        self.reserved = 0
        self._stack: list[_Entry] = [(automaton.start, None, 0, 0)]
        nowhere, rules = Span(source, 0, 0), automaton.tables["rules"]
        self._empty = {
            number: actions[number](nowhere, [None] * len(rules[number]["steps"])) for number in automaton.empty
        }
        """What rules without symbols make."""
        self.last_end = 0
        """Where the last token that was taken ends."""
        self.result: Any = None

    @property
    def terminals(self) -> dict[str, int]:
        """The terminals that have an action in the present state."""
        return self._stack[-1][0].terminals

    @property
    def states(self) -> list[int]:
        """The states on the stack, the first at the bottom."""
        return [entry[0].state for entry in self._stack]

    def snapshot(self) -> Snapshot:
        return self._stack.copy()

    def restore(self, snapshot: Snapshot) -> None:
        self._stack = snapshot.copy()

    def states_after(self, snapshot: Snapshot, terminals: list[str]) -> tuple[list[int], list[int]]:
        """Return the states after tokens of these types were taken since the snapshot, and those before the last of
        them."""
        states = [entry[0].state for entry in snapshot]
        before = states
        for terminal in terminals:
            before = states.copy()
            self._advance(states, terminal)
        return states, before

    def accepts(self, terminal: str) -> bool:
        """Would a token of this type be taken here, after the reductions it asks for?"""
        return self.advance(self.states, (terminal,)) is not None

    def advance(self, states: list[int], terminals: Iterable[str]) -> list[int] | None:
        """Return the states after tokens of these types, None where one isn't taken. Builds nothing and changes
        nothing."""
        states = states.copy()
        return states if all(self._advance(states, terminal) for terminal in terminals) else None

    def _advance(self, states: list[int], terminal: str) -> bool:
        tables = self._automaton.tables
        while True:
            action = tables["actions"][states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                states.append(action)
                return True
            rule = tables["rules"][-1 - action]
            if rule["size"]:
                del states[-rule["size"] :]
            states.append(tables["gotos"][states[-1]][rule["origin"]])
            if states[-1] == tables["end"]:
                return True

    def accepted(self, states: list[int]) -> list[str]:
        """Return the terminals that are taken in these states."""
        here = self._automaton.tables["actions"][states[-1]]
        return [terminal for terminal in here if self.advance(states, (terminal,)) is not None]

    def feed(self, token: Token) -> bool:
        """Take a token; False where it has no place here (reductions may have been made all the same).

        Raises:
            TooDeepError: a node lies too deep.
        """
        stack, terminal, start = self._stack, token.type, self.last_end
        while True:
            row = stack[-1][0]
            move = row.moves.get(terminal) or self._automaton.move(row, terminal)
            if move is None:
                return False
            renamed, empty, reduction, landing = move
            if renamed is not None:
                stack[-1] = (renamed, *stack[-1][1:])
            for row, number in empty:
                stack.append((row, self._empty[number], start, 1))
            if landing is not None:
                break
            assert reduction is not None
            self._reduce(reduction)
            if reduction.origin == "start":
                self.result = stack[-1][1]
                return True
        if len(stack) > _ENTRIES_A_LEVEL * self._max_depth:
            raise TooDeepError
        row, rules = landing
        start, end = token.start, token.end
        value: Any = token
        for number in rules:
            value = self._build[number](Span(self._source, start, end), (value,))
        stack.append((row, value, start, len(rules)))
        self.last_end = end
        return True

    def _reduce(self, reduction: Reduction) -> None:
        """Put what a rule makes in the place of the values of its symbols."""
        number, origin, size, is_list, hands_on, pick = reduction
        stack, end = self._stack, self.last_end
        if size == 1:
            _, only, start, depth = stack.pop()
            values: tuple[Any, ...] = (only,)
        elif not size:
            values, start, depth = (), end, 0
        else:
            _, values, starts, depths = zip(*stack[-size:], strict=True)
            del stack[-size:]
            start, depth = starts[0], max(depths)
        value: Any = pick(values)
        if hands_on and len(value) == 1:
            value = value[0]
        elif not is_list:
            depth += 1
            if depth > self._max_depth - self.reserved:
                raise TooDeepError
            value = self._build[number](Span(self._source, start, end if end > start else start), value)
        row = stack[-1][0]
        row, rules = row.above.get(origin) or self._automaton.go_to(row, origin)
        for one in rules:
            depth += 1
            value = self._build[one](Span(self._source, start, end), (value,))
        stack.append((row, value, start, depth))
