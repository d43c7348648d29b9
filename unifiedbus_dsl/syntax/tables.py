"""The parse tables: built from the grammar by Lark, kept in the user's cache, plain data once loaded.

Building takes some tenths of a second and needs Lark; loading takes a few milliseconds and needs neither Lark nor its
imports. So a run whose tables are in the cache pays for nothing but reading them.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

KEEP, DROP, SPLICE, NONE = 0, 1, 2, 3
"""What becomes of a symbol of a rule when its node is built: kept, dropped, its list spliced in; or None put in."""


class Rule(TypedDict):
    """`steps` says how children are made of the `size` symbols; `single` hands an only child on as it is."""

    origin: str
    size: int
    action: str
    single: bool
    inline: bool
    steps: list[int]


class Tables(TypedDict):
    """LALR(1) tables. An action is the next state, or -1 - n to reduce by rule n."""

    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    words: dict[str, str]
    signs: dict[str, str]
    patterns: dict[str, str]
    start: int
    end: int


def grammar_path() -> Path:
    """Where the grammar is: in the package, as in an installed wheel, else beside it, as in an editable install.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "grammar", package.parent / "grammar"):
        path = folder / "ubus.lark"
        if path.is_file():
            return path
    raise FileNotFoundError(f"the grammar ubus.lark is neither in {package} nor beside it")


@cache
def load_tables() -> Tables:
    """Return the tables of the grammar, from the cache where it holds them, else built (and the cache filled)."""
    grammar = grammar_path().read_bytes()
    path = cache_path(grammar)
    tables = _read(path)
    if tables is None:
        tables = build_tables(grammar.decode())
        _write(path, tables)
    return tables


def cache_path(grammar: bytes) -> Path:
    """Return the cache file of this grammar, made by this module with this Lark and this Python."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    home = Path(base) if Path(base).is_absolute() else Path(os.path.expanduser("~")) / ".cache"
    key = hashlib.sha256(grammar)
    key.update(f"{sys.implementation.cache_tag} {sys.version} {marshal.version}".encode())
    key.update(_text_of(__name__))
    key.update(_text_of("lark"))  # the text of its `__init__`, which names the version
    return home / "ubusc" / f"tables-{key.hexdigest()[:32]}.bin"


def _text_of(module: str) -> bytes:
    """Return the text of a module's file: what tells one version of it from another without importing it."""
    spec = importlib.util.find_spec(module)
    try:
        return b"" if spec is None or spec.origin is None else Path(spec.origin).read_bytes()
    except OSError:
        return b""


# A cache file is a digest and the marshalled tables: marshal may crash on damaged data, so that is looked for first.


def _read(path: Path) -> Tables | None:
    try:
        data = path.read_bytes()
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            return None
        tables: Tables = marshal.loads(data[32:])
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return tables


def _write(path: Path, tables: Tables) -> None:
    """Write beside and rename, so that another process sees all of it or nothing. A cache that can't be is no error."""
    data = marshal.dumps(dict(tables))
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(hashlib.sha256(data).digest() + data)
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def build_tables(grammar: str) -> Tables:
    """Return the tables of a grammar text.

    Raises:
        lark.exceptions.GrammarError: the text is no grammar, or not LALR(1).
    """
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    built = Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)
    table = built.parser.parser._parse_table
    numbers = {id(rule): number for number, rule in enumerate(built.rules)}
    start = table.start_states["start"]
    states = _in_order(table.states, start)
    actions: list[dict[str, int]] = [{} for _ in states]
    gotos: list[dict[str, int]] = [{} for _ in states]
    terminals = {terminal.name for terminal in built.terminals} | {"$END"}
    for state, number in states.items():
        for symbol, (action, argument) in sorted(table.states[state].items()):
            row = actions[number] if symbol in terminals else gotos[number]
            row[str(symbol)] = states[argument] if action is Shift else -1 - numbers[id(argument)]
    words, signs, patterns = _terminals(built)
    return Tables(
        actions=actions,
        gotos=gotos,
        rules=_without_wrappers([_rule(rule) for rule in built.rules], built.rules),
        words=words,
        signs=signs,
        patterns=patterns,
        start=states[start],
        end=states[table.end_states["start"]],
    )


def _in_order(rows: Any, start: int) -> dict[int, int]:
    """New numbers for the states, by when they are met from the start: Lark's own differ from one run to the next."""
    numbers = {start: 0}
    for state in (queue := [start]):
        for _, (_, argument) in sorted(rows[state].items(), key=lambda item: str(item[0])):
            if isinstance(argument, int) and argument not in numbers:
                numbers[argument] = len(numbers)
                queue.append(argument)
    return numbers


def _rule(rule: Any) -> Rule:
    steps: list[int] = []
    missing = rule.options.empty_indices if rule.options.empty_indices else ()
    symbols = iter(rule.expansion)
    # `empty_indices` has one True for each placeholder and one False for each symbol, in order.
    for is_missing in missing or [False] * len(rule.expansion):
        steps.append(NONE if is_missing else _step(next(symbols), rule.options.keep_all_tokens))
    inline = rule.origin.name.startswith("_")
    return Rule(
        origin=str(rule.origin.name),
        size=len(rule.expansion),
        action=str(rule.alias or rule.origin.name),
        single=bool(rule.options.expand1) and rule.alias is None,
        inline=inline,
        steps=steps,
    )


def _without_wrappers(rules: list[Rule], sources: list[Any]) -> list[Rule]:
    """Return the rules with those changed whose list is always of one thing: it is handed on, so that nothing is
    spliced."""
    others = {rule["origin"] for rule in rules if not rule["inline"] or rule["steps"].count(KEEP) != 1}
    others |= {rule["origin"] for rule in rules if not {KEEP, DROP}.issuperset(rule["steps"])}
    wrappers = {rule["origin"] for rule in rules} - others
    for rule, source in zip(rules, sources, strict=True):
        symbols = iter(source.expansion)
        names = [None if step == NONE else str(next(symbols).name) for step in rule["steps"]]
        rule["steps"] = [KEEP if name in wrappers else step for step, name in zip(rule["steps"], names, strict=True)]
        if rule["origin"] in wrappers:
            rule["inline"], rule["single"] = False, True
    return rules


def _step(symbol: Any, keep_all: bool) -> int:
    if symbol.is_term:
        return DROP if symbol.filter_out and not keep_all else KEEP
    return SPLICE if symbol.name.startswith("_") else KEEP


def _terminals(built: Any) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Keywords by their text, signs by theirs, and the regular expressions of the other terminals by name."""
    words: dict[str, str] = {}
    signs: dict[str, str] = {}
    patterns: dict[str, str] = {}
    for terminal in built.terminals:
        if terminal.pattern.type == "re":
            patterns[str(terminal.name)] = terminal.pattern.to_regexp()
        elif terminal.pattern.value.isidentifier():
            words[str(terminal.pattern.value)] = str(terminal.name)
        else:
            signs[str(terminal.pattern.value)] = str(terminal.name)
    kinds = patterns.pop("KIND").removeprefix("(?:").removesuffix(")").split("|")
    words.update(dict.fromkeys(kinds, "KIND"))
    return words, signs, patterns
