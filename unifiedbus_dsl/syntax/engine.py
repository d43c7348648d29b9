"""The LALR(1) automaton: a stack of states with a stack of values, fed one token at a time."""

from __future__ import annotations

from typing import Any, TypeAlias

from unifiedbus_dsl.source import Source, Span
from unifiedbus_dsl.syntax.build import Action
from unifiedbus_dsl.syntax.lexer import Token
from unifiedbus_dsl.syntax.tables import KEEP, NONE, SPLICE, Rule, Tables

_STATES_A_LEVEL = 16
"""More states than lie on the stack for one level of nodes; the longest rule has eleven symbols."""

Snapshot: TypeAlias = tuple[list[int], list[Any], list[int], list[int]]


class TooDeepError(Exception):
    """A node would lie deeper than the limit. The automaton is of no use until it is restored."""


class Engine:
    """Runs the tables on tokens and calls an action for each rule.

    Nothing here recurses: text of any shape costs time and memory in proportion to its length. `max_depth` bounds how
    deep nodes lie in one another, so that what walks the tree later may recurse.
    """

    def __init__(self, tables: Tables, source: Source, actions: list[Action], max_depth: int) -> None:
        self._actions = tables["actions"]
        self._gotos = tables["gotos"]
        self._rules = tables["rules"]
        self._end = tables["end"]
        self._source = source
        self._build = actions
        self._max_depth = max_depth
        self._states = [tables["start"]]
        self._values: list[Any] = []
        self._starts: list[int] = []
        self._depths: list[int] = []
        self.before: list[int] = self._states.copy()
        """The states as they were before the last token that was fed."""
        self.last_end = 0
        """Where the last token that was taken ends."""
        self.result: Any = None

    @property
    def row(self) -> dict[str, int]:
        """What the present state does on each terminal."""
        return self._actions[self._states[-1]]

    @property
    def states(self) -> list[int]:
        """A copy of the stack of states."""
        return self._states.copy()

    def snapshot(self) -> Snapshot:
        return self._states.copy(), self._values.copy(), self._starts.copy(), self._depths.copy()

    def restore(self, snapshot: Snapshot) -> None:
        states, values, starts, depths = snapshot
        self._states, self._values = states.copy(), values.copy()
        self._starts, self._depths = starts.copy(), depths.copy()

    def accepts(self, terminal: str) -> bool:
        """Would a token of this type be taken here, after the reductions it asks for?"""
        return self.advance(self._states, terminal) is not None

    def advance(self, states: list[int], terminal: str) -> list[int] | None:
        """The states after a token of this type, None where it isn't taken. Builds nothing and changes nothing."""
        states = states.copy()
        while True:
            action = self._actions[states[-1]].get(terminal)
            if action is None:
                return None
            if action >= 0:
                states.append(action)
                return states
            rule = self._rules[-1 - action]
            if rule["size"]:
                del states[-rule["size"] :]
            states.append(self._gotos[states[-1]][rule["origin"]])
            if states[-1] == self._end:
                return states

    def accepted(self, states: list[int]) -> list[str]:
        """The terminals that are taken in these states."""
        return [terminal for terminal in self._actions[states[-1]] if self.advance(states, terminal) is not None]

    def feed(self, token: Token) -> bool:
        """Take a token; False where it has no place here (reductions may have been made all the same).

        Raises:
            TooDeepError: a node lies too deep.
        """
        self.before = self._states.copy()
        while True:
            action = self._actions[self._states[-1]].get(token.type)
            if action is None:
                return False
            if action >= 0:
                if len(self._states) > _STATES_A_LEVEL * self._max_depth:
                    raise TooDeepError
                self._states.append(action)
                self._values.append(token)
                self._starts.append(token.start)
                self._depths.append(0)
                self.last_end = token.end
                return True
            number = -1 - action
            rule = self._rules[number]
            if rule["single"] and rule["steps"] == [KEEP]:
                # Two reductions in three only rename: `sum` to `comparison` to `or_`. The value stays as it is.
                self._states[-1] = self._gotos[self._states[-2]][rule["origin"]]
                continue
            self._reduce(number, rule)
            if self._states[-1] == self._end:
                self.result = self._values[-1]
                return True

    def _reduce(self, number: int, rule: Rule) -> None:
        size = rule["size"]
        if size:
            values, start, depth = self._values[-size:], self._starts[-size], max(self._depths[-size:])
            del self._states[-size:], self._values[-size:], self._starts[-size:], self._depths[-size:]
        else:
            values, start, depth = [], self.last_end, 0
        children = _children(rule["steps"], values)
        if rule["inline"]:
            value: Any = children
        elif rule["single"] and len(children) == 1:
            value = children[0]
        else:
            depth += 1
            if depth > self._max_depth:
                raise TooDeepError
            value = self._build[number](Span(self._source, start, max(start, self.last_end)), children)
        self._states.append(self._gotos[self._states[-1]][rule["origin"]])
        self._values.append(value)
        self._starts.append(start)
        self._depths.append(depth)


def _children(steps: list[int], values: list[Any]) -> list[Any]:
    """Drop, keep and splice the values of a rule's symbols as its steps say."""
    if steps and steps[0] == SPLICE:
        children: list[Any] = values[
            0
        ]  # a list grows in place: `items: items item` would else cost the square of its length
        pairs = _placed(steps, values)[1:]
    else:
        children = []
        pairs = _placed(steps, values)
    for step, value in pairs:
        if step in (KEEP, NONE):
            children.append(value)
        elif step == SPLICE:
            children.extend(value)
    return children


def _placed(steps: list[int], values: list[Any]) -> list[tuple[int, Any]]:
    if NONE not in steps:
        return list(zip(steps, values, strict=True))
    rest = iter(values)
    return [(step, None if step == NONE else next(rest)) for step in steps]
