"""Make the tree-sitter parser: `python editors/tree-sitter-ubus/build.py` writes `src/parser.c` and `src/tokens.h`.

The tables are those that the compiler runs: the LALR(1) automaton of `grammar/ubus.lark`, written in the form of
tree-sitter's ABI 14. So the two can't read a text differently, but for what `src/scanner.c` does by hand, as the
compiler's lexer does: words that are keywords where one can stand, units behind numbers, where a line ends a statement.
A rule that only hands on its one symbol makes no node; one with an alias (`-> binary`) makes a node of that name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from unifiedbus_dsl.base.units import UNITS  # noqa: E402 - from this tree, installed or not
from unifiedbus_dsl.syntax.tables import Rule, Tables, load_tables  # noqa: E402

NAMED = {
    "NAME": "identifier",
    "NUMBER": "number",
    "UNIT": "unit",
    "WIDTH": "width",
    "STRING": "string",
    "KIND": "kind",
    "COMMENT": "comment",
}
"""Terminals that make a node with a name; a word used as a name is an identifier, whichever it is."""
HIDDEN = frozenset(("_NL",))
WORDS = frozenset(("_word_token", "_free_token", "_reserved"))
"""Rules of which a lone terminal is a word that names something."""
UNSEEN = frozenset(("word", "number", "string"))
"""Nodes that are left out: the one terminal in each says it."""
END, COMMENT = "$END", "COMMENT"
Symbol = tuple[str, str]
"""A nonterminal with the node that one of its rules makes; empty for none."""


class Parser:
    """The automaton by numbers: terminals first, then nonterminals once for each node that they make."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.terminals = [*sorted({t for row in tables["actions"] for t in row} - {END}), COMMENT]
        self.symbols: list[Symbol] = sorted({symbol_of(rule) for rule in tables["rules"]})
        self.number = {name: at + 1 for at, name in enumerate(self.terminals)}
        first = len(self.terminals) + 1
        self.of_symbol = {symbol: first + at for at, symbol in enumerate(self.symbols)}
        self.text = {name: text for text, name in (tables["signs"] | tables["words"]).items()}
        self.sets: dict[frozenset[str], int] = {frozenset(): 0, frozenset(self.terminals): 1}
        self.words = words_of_rules(tables)
        self.actions: dict[str, int] = {}
        self.listed: list[str] = ["  [0] = {.entry = {.count = 0, .reusable = false}},"]

    def action(self, code: str) -> int:
        """Return the number of an action, the same for the same one."""
        if code not in self.actions:
            self.actions[code] = len(self.listed)
            at = len(self.listed)
            self.listed += [f"  [{at}] = {{.entry = {{.count = 1, .reusable = true}}}}, {code},"]
            self.listed.append("")
        return self.actions[code]

    def of_action(self, action: int) -> int:
        """Return the number of what the tables of the compiler say: the next state, or a rule to reduce by."""
        if action >= 0:
            return self.action(f"SHIFT({action + 1})")
        rule = self.tables["rules"][-1 - action]
        production = int(-1 - action in self.words)
        return self.action(f"REDUCE({self.of_symbol[symbol_of(rule)]}, {rule['size']}, {production})")

    def rows(self) -> Iterator[str]:
        """Yield the parse table, a state at a time; state 0 is where tree-sitter recovers from an error."""
        recover, extra = self.action("RECOVER()"), self.action("SHIFT_EXTRA()")
        cells = [f"[{number}] = {extra if name == COMMENT else recover}" for name, number in self.number.items()]
        yield f"  [0] = {{[0] = {recover}, {', '.join(cells)}}},"
        variants: dict[str, list[int]] = {}
        for (origin, _), number in self.of_symbol.items():
            variants.setdefault(origin, []).append(number)
        for state, row in enumerate(self.tables["actions"]):
            cells = [f"[{self.number.get(t, 0)}] = {self.of_action(action)}" for t, action in sorted(row.items())]
            cells.append(f"[{self.number[COMMENT]}] = {extra}")
            if state == self.tables["end"]:
                cells.append(f"[0] = {self.action('ACCEPT_INPUT()')}")
            gotos = sorted(self.tables["gotos"][state].items())
            cells += [f"[{number}] = {to + 1}" for origin, to in gotos for number in variants.get(origin, ())]
            yield f"  [{state + 1}] = {{{', '.join(cells)}}},"

    def modes(self) -> Iterator[str]:
        """Yield for each state which terminals the scanner may find there."""
        yield "  [0] = {.lex_state = 0, .external_lex_state = 1},"
        for state, row in enumerate(self.tables["actions"]):
            legal = frozenset(row) - {END} | {COMMENT}
            number = self.sets.setdefault(legal, len(self.sets))
            yield f"  [{state + 1}] = {{.lex_state = 0, .external_lex_state = {number}}},"

    def legal_sets(self) -> Iterator[str]:
        for legal, number in self.sets.items():
            cells = ", ".join(f"[{self.number[name] - 1}] = true" for name in sorted(legal))
            yield f"  [{number}] = {{{cells}}},"

    def names(self) -> list[tuple[str, bool, bool]]:
        """Return each symbol's name, whether it is seen, and whether it has a name of its own."""
        found = [("end", False, True)]
        for name in self.terminals:
            found.append((NAMED.get(name) or self.text.get(name, name), name not in HIDDEN, name in NAMED))
        found += [(node or f"_{origin}", bool(node), True) for origin, node in self.symbols]
        return found


def words_of_rules(tables: Tables) -> frozenset[int]:
    """Return the rules by which a terminal becomes a word: those of `WORDS` that follow on taking one."""
    taken = {action for row in tables["actions"] for action in row.values() if action >= 0}
    rules = {-1 - action for state in taken for action in tables["actions"][state].values() if action < 0}
    return frozenset(rule for rule in rules if tables["rules"][rule]["origin"] in WORDS)


def symbol_of(rule: Rule) -> Symbol:
    """Return the symbol that a rule makes: its origin with its node, none where it hands on or belongs to another."""
    hidden = rule["origin"].startswith("_") or (rule["single"] and rule["size"] == 1) or rule["size"] == 0
    hidden = hidden or rule["action"] in UNSEEN
    return rule["origin"], "" if hidden else rule["action"]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parser_c() -> str:
    """Return the parser."""
    parser = Parser(load_tables())
    rows, modes = list(parser.rows()), list(parser.modes())
    names = parser.names()
    seen: dict[tuple[str, bool, bool], int] = {}
    public = [seen.setdefault(name, at) for at, name in enumerate(names)]
    identifier = parser.number["NAME"]
    states, tokens = len(parser.tables["actions"]) + 1, len(parser.terminals) + 1
    lines = [
        "// Made by build.py from grammar/ubus.lark: change that.",
        '#include "tree_sitter/parser.h"',
        "",
        f"#define STATES {states}",
        f"#define SYMBOLS {len(names)}",
        f"#define TOKENS {tokens}",
        "",
        "static const char *const symbol_names[] = {",
        *(f"  [{at}] = {quoted(name)}," for at, (name, _, _) in enumerate(names)),
        "};",
        "static const TSSymbol symbol_map[] = {",
        *(f"  [{at}] = {first}," for at, first in enumerate(public)),
        "};",
        "static const TSSymbolMetadata symbol_metadata[] = {",
        *(
            f"  [{at}] = {{.visible = {str(visible).lower()}, .named = {str(named).lower()}}},"
            for at, (_, visible, named) in enumerate(names)
        ),
        "};",
        f"static const TSSymbol alias_sequences[2][1] = {{[0] = {{0}}, [1] = {{{identifier}}}}};",
        "static const uint16_t alias_map[] = {0};",
        "static const TSStateId primary_state_ids[STATES] = {",
        *(f"  [{state}] = {state}," for state in range(states)),
        "};",
        "static const TSLexMode lex_modes[STATES] = {",
        *modes,
        "};",
        f"static const bool legal[{len(parser.sets)}][TOKENS - 1] = {{",
        *parser.legal_sets(),
        "};",
        "static const TSSymbol external_symbols[TOKENS - 1] = {",
        *(f"  [{at}] = {at + 1}," for at in range(tokens - 1)),
        "};",
        "static const uint16_t parse_table[STATES][SYMBOLS] = {",
        *rows,
        "};",
        "static const TSParseActionEntry parse_actions[] = {",
        *(line for line in parser.listed if line),
        "};",
        "",
        "// All tokens are found by the scanner; here only the end of the text is.",
        "static bool lex(TSLexer *lexer, TSStateId state) {",
        "  (void)state;",
        "  while (lexer->lookahead == ' ' || (lexer->lookahead >= '\\t' && lexer->lookahead <= '\\r'))",
        "    lexer->advance(lexer, true);",
        "  if (!lexer->eof(lexer)) return false;",
        "  lexer->result_symbol = 0;",
        "  lexer->mark_end(lexer);",
        "  return true;",
        "}",
        "",
        *(
            f"{kind}tree_sitter_ubus_external_scanner_{name}({taken});"
            for kind, name, taken in (
                ("void *", "create", "void"),
                ("void ", "destroy", "void *"),
                ("bool ", "scan", "void *, TSLexer *, const bool *"),
                ("unsigned ", "serialize", "void *, char *"),
                ("void ", "deserialize", "void *, const char *, unsigned"),
            )
        ),
        "",
        "const TSLanguage *tree_sitter_ubus(void) {",
        "  static const TSLanguage language = {",
        "    .version = 14, .symbol_count = SYMBOLS, .token_count = TOKENS, .external_token_count = TOKENS - 1,",
        "    .state_count = STATES, .large_state_count = STATES, .production_id_count = 2,",
        "    .max_alias_sequence_length = 1, .parse_table = &parse_table[0][0], .parse_actions = parse_actions,",
        "    .symbol_names = symbol_names, .symbol_metadata = symbol_metadata, .public_symbol_map = symbol_map,",
        "    .alias_map = alias_map, .alias_sequences = &alias_sequences[0][0], .lex_modes = lex_modes, .lex_fn = lex,",
        "    .external_scanner = {&legal[0][0], external_symbols, tree_sitter_ubus_external_scanner_create,",
        "      tree_sitter_ubus_external_scanner_destroy, tree_sitter_ubus_external_scanner_scan,",
        "      tree_sitter_ubus_external_scanner_serialize, tree_sitter_ubus_external_scanner_deserialize},",
        "    .primary_state_ids = primary_state_ids,",
        "  };",
        "  return &language;",
        "}",
    ]
    return "\n".join(lines) + "\n"


def tokens_h() -> str:
    """Return the terminals by number, and the texts that the scanner tells them by."""
    parser, tables = Parser(load_tables()), load_tables()
    signs = sorted(tables["signs"].items(), key=lambda item: (-len(item[0]), item[0]))
    lines = [
        "// Made by build.py from grammar/ubus.lark: change that.",
        "enum Token {",
        *(f"  T_{name.lstrip('_')}{'_' if name.startswith('_') else ''}," for name in parser.terminals),
        "};",
        "typedef struct { const char *text; enum Token token; } Known;",
        "static const Known keywords[] = {",
        *(f"  {{{quoted(word)}, {token(name)}}}," for word, name in sorted(tables["words"].items())),
        "};",
        "// The longest first.",
        "static const Known signs[] = {",
        *(f"  {{{quoted(sign)}, {token(name)}}}," for sign, name in signs if sign != "{"),
        "};",
        "// What may stand below the stroke of a unit.",
        "static const char *const units[] = {",
        "  " + ", ".join(quoted(unit) for unit in sorted(UNITS) if unit.isascii() and unit != "%"),
        "};",
    ]
    return "\n".join(lines) + "\n"


def token(name: str) -> str:
    return f"T_{name.lstrip('_')}{'_' if name.startswith('_') else ''}"


def highlights() -> str:
    """Return the query for colours: keywords by their texts, and the rest by what they are."""
    words = sorted(load_tables()["words"].items())
    keywords = " ".join(quoted(word) for word, name in words if name != "KIND")
    signs = " ".join(quoted(sign) for sign in sorted(load_tables()["signs"]) if sign not in BRACKETS)
    return f"""; Made by build.py from grammar/ubus.lark: change that.
(comment) @comment
(string) @string
(number) @number
(unit) @type.builtin
(width) @constant
(kind) @keyword
(identifier) @variable
(type . (kind) . (identifier) @type)
(protocol . (identifier) @type)
(link . (identifier) @type)
(system . (identifier) @module)
(type_name (identifier) @type)
(port . (identifier) @property)
(field . (identifier) @property)
(param . (identifier) @variable.parameter)
(named . (identifier) @variable.parameter)
(call . (name (identifier) @function))
(annotation (identifier) @attribute)
[{keywords}] @keyword
[{signs}] @operator
["(" ")" "[" "]" "{{" "}}"] @punctuation.bracket
"""


BRACKETS = frozenset("()[]{}")


FILES = {"src/parser.c": parser_c, "src/tokens.h": tokens_h, "queries/highlights.scm": highlights}

if __name__ == "__main__":
    for name, text in FILES.items():
        (HERE / name).write_text(text())
