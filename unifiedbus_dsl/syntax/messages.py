"""The words for what can be wrong with a text: each function makes one diagnostic of the family UB01xx."""

from __future__ import annotations

import re

from attrs import evolve, frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Diagnostic, Edit, Fix, Label
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.syntax.engine import Engine
from unifiedbus_dsl.syntax.forms import begins_statement, form_of
from unifiedbus_dsl.syntax.habits import MAX_TEXT, Hint, first_word, hint
from unifiedbus_dsl.syntax.lexer import END, LINE_END, Token
from unifiedbus_dsl.vocabulary.signatures import MEASURES

# Signs that keyboards, word processors and mail programs put where the language wants a plain one.
_LOOKALIKES = {
    sign: plain
    for plain, signs in {
        '"': "\u201c\u201d\u201e\u00ab\u00bb\uff02\u2018\u2019'`",
        "-": "\u2010\u2011\u2012\u2212",
        "--": "\u2013\u2014\u2194\u27f7",
        "->": "\u2192",
        "*": "\u00d7\u00b7\uff0a",
        "/": "\u00f7",
        "<=": "\u2264",
        ">=": "\u2265",
        "!=": "\u2260",
        "..": "\u2026",
        " ": "\u00a0\u3000",
        "(": "\uff08",
        ")": "\uff09",
        "[": "\uff3b\u3010",
        "]": "\uff3d\u3011",
        "{": "\uff5b",
        "}": "\uff5d",
        ":": "\uff1a",
        ";": "\uff1b",
        ",": "\uff0c\u3001",
        "=": "\uff1d",
        "@": "\uff20",
        "%": "\uff05",
        "+": "\uff0b",
        "and": "&",
        "not": "!\u00ac",
        "|": "\u222a\u22c3\u2502\uff5c",
        "in": "\u2208",
        "for": "\u2200",
        "==": "\u2248\u2245\u2261\u225f",
        "^": "\u2227\uff3e",
        "<": "\uff1c",
        ">": "\uff1e",
        "USD": "$\u20ac\u00a3\u00a5\uffe5",
    }.items()
    for sign in signs
}

_COMMENT = re.compile(r"#(?!\()")
"""Where a comment begins; `#(` are parameters in other languages."""

_VALUE = frozenset(("NUMBER", "STRING", "TRUE", "FALSE", "LPAR", "LSQB", "MINUS", "NOT", "_RECORD"))
_COMPARATORS = frozenset(("EQUAL", "UNEQUAL", "AT_MOST", "AT_LEAST", "LESS", "MORE"))
OPERATORS = _COMPARATORS | {"PLUS", "MINUS", "TIMES", "DIVIDE", "DIV", "MOD", "OF", "POWER", "AND", "OR", "UNION"}
"""The terminals that stand between two values."""

_NAMED = {"NUMBER": "a number", "STRING": "a text", "WIDTH": "a width such as `x4`", "UNIT": "a unit", END: "the end"}
TOO_DEEP = "UB0109"
BAD_CHARACTER = "UB0107"
_HIDDEN = frozenset(("_LBRACE", "_RECORD"))


@frozen
class Context:
    """What the parser knows where a token has no place: the automaton with its states there, the token before, and the
    states before that."""

    source: Source
    engine: Engine
    states: list[int]
    last: Token | None
    before_last: list[int]
    words: dict[str, str]
    """Keywords with their terminals."""
    texts: dict[str, str]
    """The text of each terminal that has only one."""
    begin: list[int]
    """The states before the statement."""
    statement: int
    """Where the statement begins."""

    def takes(self, terminals: tuple[str, ...]) -> bool:
        """Can a statement begin with these terminals here?"""
        return self.engine.advance(self.begin, terminals) is not None


_OTHER_SIGN = {"=": "==", "==": "="}


def unexpected(context: Context, token: Token) -> Diagnostic:
    """UB0101 or UB0108: a token that has no place here."""
    told = _unexpected(context, token)
    form = None if told.help else _form(context)
    return told if form is None else evolve(told, help=(form,))


def _form(context: Context) -> str | None:
    """Return how the present statement is written, or what may stand here."""
    statement = context.source.text[context.statement : context.statement + MAX_TEXT]
    return form_of(statement, context.takes, context.words.get)


def _unexpected(context: Context, token: Token) -> Diagnostic:
    habit = habit_of(context, token)
    told = None if habit is None else _of_habit(context, token, habit)
    if told is not None and habit is not None and not habit.weak:
        return told
    diagnosis = _misspelt_before(context, token) or _misspelt(context, token) or told
    if diagnosis is not None:
        return diagnosis
    expected = _expected(context)
    if token.type == END:
        end = context.engine.last_end
        return Diagnostic("UB0108", "the text ends too early", Label(Span(context.source, end, end), expected))
    if token.type == LINE_END:
        what = "`;`" if token.text else "the line ends too early"
        message = f"unexpected {what}" if token.text else what
        return Diagnostic("UB0101", message, _at(context, token, expected))
    help_lines: tuple[str, ...] = ()
    if (
        token.text == ","
        and context.engine.advance(context.states, (LINE_END,)) is not None
        and _begins_more(context, token)
    ):
        return Diagnostic("UB0101", "unexpected `,`", _at(context, token, expected), help=(_NO_COMMA,))
    other = _OTHER_SIGN.get(token.text)
    if other in {context.texts.get(terminal) for terminal in context.engine.accepted(context.states)} - {None}:
        label = _at(context, token, "`==` compares, `=` gives a value")
        fix = Fix(f"write `{other}`", (Edit(label.span, str(other)),))
        help = (f"did you mean `{other}`?",)
        return Diagnostic("UB0101", f"unexpected `{token.text}`", label, help=help, fix=fix)
    if token.text in context.words and "a name" in expected:
        help_lines = (f"`{token.text}` is a word of the language and can't be a name here",)
    return Diagnostic("UB0101", f"unexpected `{token.text}`", _at(context, token, expected), help=help_lines)


_NO_COMMA = "a new line or `;` stands between statements"
_WORD = re.compile(r"[ \t]*([A-Za-z_]\w*)")


def _begins_more(context: Context, token: Token) -> bool:
    """Return whether a word that begins a statement here stands behind a token."""
    following = _WORD.match(context.source.text, token.end)
    if following is None:
        return False
    return following[1] in MEASURES or begins_statement(context.words.get(following[1], ""), context.takes)


def habit_of(context: Context, token: Token) -> Hint | None:
    """Return what other languages write where a token has no place."""
    text, start = context.source.text, context.statement
    stop = text.find("\n", token.start)
    line = text[start : (len(text) if stop < 0 else stop)][:MAX_TEXT]

    def takes(terminal: str) -> bool:
        return begins_statement(terminal, context.takes)

    begins = not context.source.text[start : token.start].strip().count(" ")
    word = first_word(line, takes, context.words.get) if begins else None
    return word or hint(_COMMENT.split(line)[0].rstrip() or line, token.start - start)


def _of_habit(context: Context, token: Token, habit: Hint) -> Diagnostic:
    shown = token.text or ("the line ends too early" if token.type == LINE_END else "the end")
    message = f"unexpected `{shown}`" if token.text else shown
    label = _at(context, token, _expected(context))
    return Diagnostic("UB0101", message, label, help=(habit.help,), fix=_fix_of(context, habit))


def _fix_of(context: Context, found: Hint) -> Fix | None:
    """Return the edit of a hint, where it has one."""
    if found.text is None:
        return None
    span = Span(context.source, context.statement + found.start, context.statement + found.end)
    return Fix(
        f"write `{found.text.strip()}`" if found.text.strip() else f"remove `{span.text.strip()}`",
        (Edit(span, found.text),),
    )


def with_habit(context: Context, token: Token, found: Diagnostic) -> Diagnostic:
    """Return a diagnostic about a character, with what is meant where that is a habit."""
    meant = None if token.text.isalnum() else habit_of(context, token)
    if meant is None:
        return found
    return evolve(found, help=(meant.help,), fix=_fix_of(context, meant))


def _at(context: Context, token: Token, text: str) -> Label:
    return Label(Span(context.source, token.start, token.end), text)


def _misspelt(context: Context, token: Token) -> Diagnostic | None:
    """Return what to say where the token itself is nearly a keyword that can stand here; else None."""
    if not token.text[:1].isalpha() or token.text in context.words:
        return None
    accepted = set(context.engine.accepted(context.states))
    meant = did_you_mean(token.text, (word for word, terminal in context.words.items() if terminal in accepted))
    return None if meant is None else _meant(context, token, meant)


def _misspelt_before(context: Context, token: Token) -> Diagnostic | None:
    """Return what to say where the word before was taken for a name, but is nearly a keyword after which this token
    has its place; else None."""
    last, engine = context.last, context.engine
    if last is None or last.type not in ("NAME", "UNIT"):
        return None
    candidates = []
    for word, terminal in context.words.items():
        if engine.advance(context.before_last, (terminal, token.type)) is not None:
            candidates.append(word)
    meant = did_you_mean(last.text, candidates)
    return None if meant is None else _meant(context, last, meant)


def _meant(context: Context, token: Token, meant: str) -> Diagnostic:
    label = _at(context, token, "no such word here")
    fix = Fix(f"write `{meant}`", (Edit(label.span, meant),))
    return Diagnostic("UB0101", f"unexpected word `{token.text}`", label, help=(f"did you mean `{meant}`?",), fix=fix)


def _expected(context: Context) -> str:
    """`expected …`: what could stand here, told in a few words; empty where it is too much to tell."""
    terminals = set(context.engine.accepted(context.states)) - _HIDDEN
    kinds: list[str] = []
    if terminals >= {"NUMBER", "STRING", "TRUE"}:
        kinds.append("a value")
        terminals -= _VALUE | {"NAME", "ALL", "IF"}
    if "NAME" in terminals:
        kinds.append("a name")
    if "NAME" in terminals or "a value" in kinds:
        terminals = {terminal for terminal in terminals if terminal not in context.words.values()} - {"NAME"}
    if len(terminals & OPERATORS) > 3:
        terminals -= OPERATORS
    if LINE_END in terminals:
        terminals -= {LINE_END, END}
        kinds.append("the end of the line")
    for terminal in sorted(terminals, key=lambda name: context.texts.get(name, name)):
        kinds.append(_NAMED.get(terminal) or f"`{context.texts.get(terminal, terminal)}`")
    if not kinds or len(kinds) > 6:
        return "no statement begins like this" if context.last is None else ""
    return "expected " + (f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0])


_HALF_OPEN = re.compile(r"\[[ \t]*([\w+*-]+)[ \t]*,[ \t]*([\w+* \t-]*\w)[ \t]*\)")


def not_closed(source: Source, sign: str, start: int, token: Token | None) -> Diagnostic:
    """UB0102: a bracket that nothing closes; `token` is where that came to light."""
    half = _HALF_OPEN.match(source.text, start)
    help = (f"a range without its end is `{half[1]}..<{half[2]}`",) if half else ()
    label = Label(Span(source, start, start + len(sign)), "opened here")
    labels: tuple[Label, ...] = ()
    if token is not None and token.end > token.start:
        labels = (Label(Span(source, token.start, token.end), "still inside it here"),)
    return Diagnostic("UB0102", f"`{sign}` is never closed", label, labels, help=help)


def not_opened(source: Source, token: Token) -> Diagnostic:
    """UB0103: a closing bracket without an opening one."""
    span = Span(source, token.start, token.end)
    fix = Fix(f"remove the `{token.text}`", (Edit(span, ""),))
    return Diagnostic("UB0103", f"`{token.text}` closes nothing", Label(span, "no bracket is open here"), fix=fix)


def open_string(source: Source, token: Token) -> Diagnostic:
    """UB0104: a text without its closing quote."""
    span = Span(source, token.start, token.end)
    return Diagnostic(
        "UB0104", "a text is not closed", Label(span, 'no `"` before the end of the line'),
        help=('a text stands on one line; `\\n` is a line end in it, `\\"` a quote',),
    )  # fmt: skip


def no_edition(source: Source, at: int) -> Diagnostic:
    """UB0105: the text doesn't begin with its edition."""
    span = Span(source, at, at)
    return Diagnostic(
        "UB0105", "the text doesn't say which edition of the language it is in", Label(span, "expected `ubus 1`"),
        help=("the first line of a text is `ubus 1`",),
        fix=Fix("insert `ubus 1`", (Edit(span, "ubus 1\n\n"),)),
    )  # fmt: skip


def unknown_edition(source: Source, text: str, start: int, editions: tuple[str, ...]) -> Diagnostic:
    """UB0106: an edition that this compiler doesn't know."""
    span = Span(source, start, start + len(text))
    return Diagnostic(
        "UB0106", f"there is no edition {text[:20]} of the language in this compiler", Label(span, "unknown edition"),
        help=(f"it reads edition {', '.join(editions)}",),
        fix=Fix(f"write `{editions[-1]}`", (Edit(span, editions[-1]),)),
    )  # fmt: skip


def bad_character(source: Source, token: Token) -> Diagnostic:
    """UB0107: a character that the language has no use for."""
    span = Span(source, token.start, token.end)
    shown = f"`{token.text}`" if token.text.isprintable() else f"U+{ord(token.text):04X}"
    plain = _LOOKALIKES.get(token.text)
    if not plain:
        names = ("a name is of letters from a to z or A to Z, digits and `_`",) if token.text.isalnum() else ()
        return Diagnostic("UB0107", f"unexpected character {shown}", Label(span), help=names)
    fix = Fix(f"write `{plain}`", (Edit(span, plain),))
    return Diagnostic("UB0107", f"unexpected character {shown}", Label(span), help=(f"write `{plain}`",), fix=fix)


def too_deep(source: Source, token: Token, limit: int) -> Diagnostic:
    """UB0109: brackets or operators lie too deep in one another."""
    label = Label(Span(source, token.start, token.end), f"more than {limit} levels")
    return Diagnostic(TOO_DEEP, "the text is nested too deep", label, help=("give a part of it a name with `let`",))


def too_many_blocks(source: Source, token: Token, limit: int) -> Diagnostic:
    """UB0109: blocks lie too deep in one another."""
    label = Label(Span(source, token.start, token.end), f"more than {limit} blocks in one another")
    return Diagnostic(TOO_DEEP, "blocks are nested too deep", label, help=("join the conditions with `and`",))


def too_long(source: Source, token: Token, limit: int) -> Diagnostic:
    """UB0111: a number with too many digits or too large an exponent."""
    label = Label(Span(source, token.start, token.end), f"more than {limit} digits or a power of ten beyond {limit}")
    return Diagnostic("UB0111", "the number is too large or too long", label)
