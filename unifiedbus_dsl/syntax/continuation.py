"""How an unfinished text may go on: the keywords that can come next, and the least that would end its statement."""

from __future__ import annotations

from collections import deque

from attrs import frozen

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.syntax.engine import Engine
from unifiedbus_dsl.syntax.lexer import END, LINE_END
from unifiedbus_dsl.syntax.messages import OPERATORS
from unifiedbus_dsl.syntax.parse import states_at_end
from unifiedbus_dsl.syntax.tables import load_tables

MOST_STEPS = 4_000
"""Ways to go on that are tried to end a statement; where all are in vain, nothing is added."""

_TEXTS = {"NAME": "x", "NUMBER": "1", "STRING": '""', "WIDTH": "x1", "_LBRACE": "{", "RBRACE": "}", "KIND": "npu"}


@frozen
class Continuation:
    """`keywords` can come next as keywords, not as names; `name` says whether a name can, `unit` whether a unit."""

    keywords: tuple[str, ...]
    name: bool
    unit: bool
    value: bool
    signs: frozenset[str]


def continue_text(text: str) -> Continuation:
    """Return how a text may go on behind its last token.

    Raises:
        OverLimitError: the text has more tokens than work is taken on for, where that is counted.
    """
    engine, states = states_at_end(Source("<text>", text))
    accepted = set(engine.accepted(states))
    words = {word: terminal for word, terminal in load_tables()["words"].items() if terminal in accepted}
    as_name = _follow(engine, states, "NAME") if "NAME" in accepted else frozenset[str]()
    keywords = tuple(word for word, terminal in words.items() if _follow(engine, states, terminal) - as_name)
    signs = frozenset(sign for sign, terminal in load_tables()["signs"].items() if terminal in accepted)
    return Continuation(keywords, "NAME" in accepted, "UNIT" in accepted, "NUMBER" in accepted, signs)


def _follow(engine: Engine, states: list[int], terminal: str) -> frozenset[str]:
    """Return the terminals that can come behind one; none where it can't come itself."""
    then = engine.advance(states, (terminal,))
    return frozenset() if then is None else frozenset(engine.accepted(then))


def end_statement(text: str) -> str:
    """Return the fewest tokens, as text, behind which the statement that a text breaks off in can end.

    Empty where it can end as it is, or where no few tokens end it.

    Raises:
        OverLimitError: the text has more tokens than work is taken on for, where that is counted.
    """
    engine, states = states_at_end(Source("<text>", text))
    fewest_tokens = _least(engine, states)
    return " ".join(_text_of(terminal) for terminal in fewest_tokens)


def _least(engine: Engine, states: list[int]) -> tuple[str, ...]:
    """Return the fewest terminals behind which a statement can end, by breadth-first search over states."""
    waiting: deque[tuple[list[int], tuple[str, ...]]] = deque([(states, ())])
    seen = {tuple(states)}
    for _ in range(MOST_STEPS):
        if not waiting:
            break
        here, path = waiting.popleft()
        accepted = engine.accepted(here)
        if LINE_END in accepted or END in accepted:
            return path
        for terminal in sorted(_worth_trying(accepted)):
            then = engine.advance(here, (terminal,))
            if then is not None and tuple(then) not in seen:
                seen.add(tuple(then))
                waiting.append((then, (*path, terminal)))
    return ()


_OPENING = OPERATORS | {"LPAR", "LSQB", "_RECORD", "COMMA", "DOT", "AT"}


def _worth_trying(accepted: list[str]) -> set[str]:
    """Return the terminals by which a statement ends soonest: a name where one can stand, and what opens nothing."""
    if "NAME" in accepted:
        return {"NAME"}
    return set(accepted) - _OPENING


def _text_of(terminal: str) -> str:
    tables = load_tables()
    signs = {name: sign for sign, name in (tables["signs"] | tables["words"]).items()}
    return _TEXTS.get(terminal) or signs.get(terminal, "x")
