"""The LALR(1) automaton as the engine runs it: rules made ready for use, chains of small steps done at once.

Two reductions in three only rename: `sum` to `comparison` to `or_`. Where such a chain ends depends on the terminal and
on two states, the topmost and the one below it. So what is looked up is a *row*: a state with the one that it lies on.
Where a state has but one reduction whatever comes next, and that of a single symbol, it is made without waiting: a name
becomes a `Word` and a `Name` as it is taken. Rows and what leads from them are worked out when they are first met, once
for all texts that a process reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from unifiedbus_dsl.syntax.tables import DROP, KEEP, NONE, SPLICE, Rule, Tables, load_tables

__all__ = ["Automaton", "Move", "Reduction", "Row", "load_automaton"]

_Pick: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]


class Reduction(NamedTuple):
    """A rule with symbols, ready for use. `pick` makes the children of the values of its symbols."""

    number: int
    origin: str
    size: int
    is_list: bool
    """Are the children themselves the value, to be spliced into those of another rule?"""
    hands_on: bool
    """Is an only child handed on as it is?"""
    pick: _Pick


class Row:
    """A state above another one. `terminals` are those that have an action in it."""

    __slots__ = ("above", "below", "moves", "state", "terminals")

    def __init__(self, state: int, below: int, terminals: dict[str, int]) -> None:
        self.state = state
        self.below = below
        self.terminals = terminals
        self.moves: dict[str, Move] = {}
        self.above: dict[str, Landing] = {}
        """What comes onto this row when a rule of an origin is reduced there."""


class Landing(NamedTuple):
    """What a symbol leads to: the row that comes onto the stack, and the rules of one symbol that made its value."""

    row: Row
    rules: tuple[int, ...]


class Move(NamedTuple):
    """What a terminal does in a row: `renamed` takes its place, if there is one; then come the rows of rules without
    symbols; then there is a reduction, or, without one, the terminal lands above them."""

    renamed: Row | None
    empty: tuple[tuple[Row, int], ...]
    reduction: Reduction | None
    landing: Landing | None


class Automaton:
    """The tables of a grammar, with what has been worked out of them so far."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._reductions = [_reduction(number, rule) for number, rule in enumerate(tables["rules"])]
        self.empty = frozenset(number for number, rule in enumerate(tables["rules"]) if _is_empty(rule))
        """The rules without symbols: what they make doesn't depend on the text."""
        self._rows: dict[tuple[int, int], Row] = {}
        self.start = self._row(-1, tables["start"])

    def move(self, row: Row, terminal: str) -> Move | None:
        """Return what a terminal does in a row, None where it has no place there; kept in the row."""
        renamed: Row | None = None
        empty: list[tuple[Row, int]] = []
        at = row
        while True:
            action = at.terminals.get(terminal)
            if action is None:
                return None
            if action >= 0:
                made = Move(renamed, tuple(empty), None, self._landing(at, action))
                break
            if -1 - action in self.empty:
                at = self._row(at.state, self._goes_to(at.state, action))
                empty.append((at, -1 - action))
            elif self._renames(action):
                at = self._row(at.below, self._goes_to(at.below, action))
                if empty:
                    empty[-1] = (at, empty[-1][1])
                else:
                    renamed = at
            else:
                made = Move(renamed, tuple(empty), self._reductions[-1 - action], None)
                break
        row.moves[terminal] = made
        return made

    def go_to(self, row: Row, origin: str) -> Landing:
        """Return what comes onto this row when a rule of this origin is reduced there; kept in the row."""
        landing = row.above[origin] = self._landing(row, self.tables["gotos"][row.state][origin])
        return landing

    def _landing(self, row: Row, state: int) -> Landing:
        rules: list[int] = []
        while (action := self._only_rule(state)) is not None:
            if not self._renames(action):
                rules.append(-1 - action)
            state = self._goes_to(row.state, action)
        return Landing(self._row(row.state, state), tuple(rules))

    def _only_rule(self, state: int) -> int | None:
        """Return the action of a state if it is, for all terminals, the same reduction of one symbol that makes no
        list."""
        actions = set(self.tables["actions"][state].values())
        action = actions.pop() if len(actions) == 1 else 0
        if action >= 0:
            return None
        rule = self.tables["rules"][-1 - action]
        return action if rule["steps"] == [KEEP] and not rule["inline"] else None

    def _renames(self, action: int) -> bool:
        """Is it a reduction after which a single value is what it was?"""
        rule = self.tables["rules"][-1 - action]
        return rule["single"] and rule["steps"] == [KEEP]

    def _goes_to(self, state: int, action: int) -> int:
        """Return the state above this one after a reduction."""
        return self.tables["gotos"][state][self.tables["rules"][-1 - action]["origin"]]

    def _row(self, below: int, state: int) -> Row:
        key = (below, state)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row(state, below, self.tables["actions"][state])
        return row


def _is_empty(rule: Rule) -> bool:
    return not rule["size"] and not rule["inline"] and not rule["single"] and rule["origin"] != "start"


def _reduction(number: int, rule: Rule) -> Reduction:
    steps = rule["steps"]
    hands_on = rule["single"] and (SPLICE in steps or len(steps) - steps.count(DROP) == 1)
    return Reduction(number, rule["origin"], rule["size"], rule["inline"], hands_on, _picker(steps, rule["inline"]))


def _picker(steps: list[int], is_list: bool) -> _Pick:
    """Return how to make children of the values of a rule's symbols: drop, keep and splice them as its steps say.

    A list may grow in place later, anything else need not be one.
    """
    symbols = iter(range(len(steps)))
    places = [-1 if step == NONE else next(symbols) for step in steps]
    kept = [place for place, step in zip(places, steps, strict=True) if step != DROP]
    pick: _Pick
    if SPLICE in steps:
        marked = [(place, steps[places.index(place)] == SPLICE) for place in kept]
        pick = partial(_grown, kept[0], marked[1:]) if marked[0][1] else partial(_spliced, marked)
    elif is_list:
        pick = partial(_listed, kept)
    elif len(kept) > 1:
        pick = itemgetter(*kept)
    else:
        pick = itemgetter(slice(kept[0], kept[0] + 1 or None)) if kept else _nothing
    return partial(_with_none, pick) if NONE in steps else pick


def _nothing(values: Sequence[Any]) -> Sequence[Any]:
    return ()


def _listed(kept: list[int], values: Sequence[Any]) -> Sequence[Any]:
    return [values[place] for place in kept]


def _grown(first: int, others: list[tuple[int, bool]], values: Sequence[Any]) -> Sequence[Any]:
    """Return the list in the first place with others behind: `items: items item` would else cost the square of its
    length."""
    return _appended(values[first], others, values)


def _spliced(kept: list[tuple[int, bool]], values: Sequence[Any]) -> Sequence[Any]:
    return _appended([], kept, values)


def _appended(children: list[Any], kept: list[tuple[int, bool]], values: Sequence[Any]) -> Sequence[Any]:
    for place, is_list in kept:
        if is_list:
            children += values[place]
        else:
            children.append(values[place])
    return children


def _with_none(pick: _Pick, values: Sequence[Any]) -> Sequence[Any]:
    """Return the children where the last of the values, which none is yet, stands for what was left out."""
    return pick((*values, None))


@cache
def load_automaton() -> Automaton:
    """Return the automaton of the grammar; all texts of a process share it."""
    return Automaton(load_tables())
