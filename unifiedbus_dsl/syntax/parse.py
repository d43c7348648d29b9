"""From a text to its syntax tree.

The parser takes a statement at a time. Where one can't be read it says why, puts the statement aside as damage and goes
on with the next, so one run tells every error of a text. Nothing in here raises for what is wrong with a text.
"""

from __future__ import annotations

from functools import cached_property

from attrs import define, frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.work import LINE, TOKEN, about, spend
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.syntax import messages, tree
from unifiedbus_dsl.syntax.automaton import Automaton, load_automaton
from unifiedbus_dsl.syntax.build import Builder
from unifiedbus_dsl.syntax.clauses import (
    CHECKED,
    CLAUSES,
    CLOSERS,
    DEFINITIONS,
    FOLLOWED,
    HEADERS,
    JOINTS,
    LONG,
    NAMED,
    OPENERS,
    STARTERS,
    WANT_MORE,
)
from unifiedbus_dsl.syntax.engine import Engine, Snapshot, TooDeepError
from unifiedbus_dsl.syntax.lexer import BAD_CHARACTER, END, LINE_END, OPEN_STRING, Lexer, Token
from unifiedbus_dsl.syntax.raw import RawText
from unifiedbus_dsl.syntax.traversal import moved

__all__ = ["EDITIONS", "MAX_DEPTH", "MAX_DIGITS", "parse"]

EDITIONS = ("1",)
"""The editions of the language that this compiler reads."""

MAX_DEPTH = 200
"""How deep brackets, and nodes of the tree, may lie in one another; what walks a tree may recurse that far."""

MAX_BLOCKS = 50
"""How deep blocks may lie in one another."""

_LEVELS_OF_BLOCK = 3
"""Nodes that lie in one another where one block does: its list of statements, an `else`, the statement that has it."""

MAX_DIGITS = 40
"""The digits that a number may have, and the largest size of its exponent."""


def parse(source: Source, sink: Sink) -> tree.File:
    """Return the syntax tree of a source; what can't be read goes to the sink, and into `damage` of the file.

    Takes time in proportion to the length of the text, whatever it is.

    Raises:
        OverLimitError: the text has more tokens than work is taken on for, where that is counted.
    """
    return _Parser(source, sink, load_automaton()).run()


def states_at_end(source: Source) -> tuple[Engine, list[int]]:
    """Return the automaton and its states behind the last token of a text that is not finished.

    Raises:
        OverLimitError: as `parse` does.
    """
    return _Parser(source, Sink(), load_automaton()).run_to_end()


def parse_value(span: Span) -> tree.Expr | None:
    """Return the expression that stands inside a string, with its places in the source; None where it is none."""
    head = "ubus 1\nlet _ = "
    sink = Sink()
    file = parse(Source(span.source.name, f"{head}{span.text}\n"), sink)
    if sink.has_errors or file.comments or len(file.statements) != 1 or not isinstance(file.statements[0], tree.Let):
        return None
    return moved(file.statements[0].value, span.source, span.start - len(head))


@frozen
class _Bracket:
    """An opening bracket that waits for its end."""

    sign: str
    start: int


@define
class _Block:
    """A list of statements that is being read: the file itself, or what follows a `{`."""

    bracket: int
    """How many brackets are open around its statements."""
    safe: Snapshot
    """The automaton as it was before the present statement."""
    told_depth: bool = False
    """Has it been said that something in here is nested too deep?"""


class _Parser:
    def __init__(self, source: Source, sink: Sink, automaton: Automaton) -> None:
        self.source = source
        self.sink = sink
        self.tables = automaton.tables
        self.lexer = Lexer(source, self.tables)
        self.builder = Builder(source, self.lexer, parse_value)
        actions = self.builder.actions([rule["action"] for rule in self.tables["rules"]])
        self.engine = Engine(automaton, source, actions, MAX_DEPTH)
        self.brackets: list[_Bracket] = []
        self.blocks = [_Block(0, self.engine.snapshot())]
        self.reserve()
        self.last: Token | None = None
        """The token before in this statement, None at its start."""
        self.mark = self.blocks[0].safe
        """The automaton before the tokens of `taken`."""
        self.taken: list[str] = []
        """What was taken since then, by terminal: from these the states at any token can be had, should one not fit."""
        self.statement = 0
        """Where the present statement begins."""
        self.in_wake = False
        """Did the statement before stand outside of any block, though it belongs into one, as the present one does?"""
        self.damage: dict[int, tree.Damage] = {}

    @cached_property
    def raw(self) -> RawText:
        return RawText(self.source.text)

    @property
    def inner(self) -> list[_Bracket]:
        """The brackets that the present statement has opened."""
        return self.brackets[self.blocks[-1].bracket :]

    @property
    def is_stray(self) -> bool:
        """Does the present statement stand outside of any block, in a line that is indented as in one?

        Where a block was closed too early, all that follows does: the first says it for the others.
        """
        line_start = self.source.text.rfind("\n", 0, self.statement) + 1
        return len(self.blocks) == 1 and self.source.text[line_start : self.statement].isspace()

    # ---- the run --------------------------------------------------------------------------------------------------

    def run(self) -> tree.File:
        self.lexer.skip()
        first = self.lexer.peek()
        if first != "ubus" and did_you_mean(first, ["ubus"]) is None:
            self.sink.add(messages.no_edition(self.source, self.lexer.position))
        while self.engine.result is None:
            self.step(self.next_token())
        edition, statements = self.engine.result
        if edition is not None and edition.text not in EDITIONS:
            self.sink.add(messages.unknown_edition(self.source, edition.text, edition.span.start, EDITIONS))
        comments = [*self.lexer.comments.values(), *self.lexer.loose_docs(self.builder.claimed)]
        return tree.File(
            self.source,
            edition,
            statements,
            tuple(sorted(comments, key=lambda comment: comment.span.start)),
            tuple(self.damage.values()),
            span=Span(self.source, 0, len(self.source.text)),
        )

    def run_to_end(self) -> tuple[Engine, list[int]]:
        self.lexer.skip()
        while (token := self.next_token()).type != END:
            self.step(token)
        return self.engine, self.engine.states

    def next_token(self) -> Token:
        lexer, last, terminals = self.lexer, self.last, self.engine.terminals
        if last is not None and last.type == "NUMBER" and "UNIT" in terminals and (unit := lexer.next_unit()):
            return unit
        token = lexer.next_in_line(terminals)
        if token is not None:
            return token
        if lexer.skip() and last is not None and self.ends_statement():
            return Token(LINE_END, "", self.engine.last_end, self.engine.last_end)
        return lexer.next(terminals)

    def ends_statement(self) -> bool:
        """Does the line end that was just crossed end the statement?"""
        assert self.last is not None
        if self.inner:
            return False
        text = self.lexer.peek()
        if text in CLAUSES and self.engine.accepts(self.terminal(text)):
            # `differs : T` may as well be a part of that name: what follows the word tells.
            return self.engine.accepts(LINE_END) and bool(NAMED.match(self.source.text, self.lexer.position))
        if self.last.type in WANT_MORE or self.last.text in JOINTS:
            return text in STARTERS or text == "}" or self.engine.accepts(LINE_END)
        return True

    def terminal(self, text: str) -> str:
        return self.tables["words"].get(text) or self.tables["signs"][text]

    def step(self, token: Token) -> None:
        """Take a token, or say why it can't be taken and go on behind it."""
        if self.last is None:
            if token.type == LINE_END:  # a second `;`: there is nothing to end
                return
            self.statement = token.start
            self.in_wake = self.in_wake and self.is_stray
        if token.type in CLOSERS:
            if not self.has_opener(token):
                return
            if not self.inner:
                self.engine.reserved -= 1  # the list of the block's statements
        elif token.type == END:
            self.engine.reserved = 0
        problem = self.unfit(token) if token.type in CHECKED else None
        try:
            if problem is None and self.engine.feed(token):
                self.last = token
                self.taken.append(token.type)
                if token.type in FOLLOWED:
                    self.follow(token)
                return
        except TooDeepError:
            problem = messages.too_deep(self.source, token, MAX_DEPTH)
        self.recover(token, problem)

    def unfit(self, token: Token) -> Diagnostic | None:
        """Return what is wrong with a token wherever it stands."""
        if token.type == OPEN_STRING:
            return messages.open_string(self.source, token)
        if token.type == BAD_CHARACTER:
            return messages.bad_character(self.source, token)
        if token.type == "_LBRACE" and len(self.blocks) > MAX_BLOCKS:
            return messages.too_many_blocks(self.source, token, MAX_BLOCKS)
        if token.type in OPENERS:
            is_too_deep = len(self.brackets) >= MAX_DEPTH
            return messages.too_deep(self.source, token, MAX_DEPTH) if is_too_deep else None
        return messages.too_long(self.source, token, MAX_DIGITS) if _is_oversized(token.text) else None

    def follow(self, token: Token) -> None:
        """Keep the brackets, the blocks and the starts of statements in step with a token that was taken."""
        if token.type == "_LBRACE":
            self.open_block(token.start)
        elif token.type in OPENERS:
            self.brackets.append(_Bracket(token.text, token.start))
        elif token.type in CLOSERS:
            if not self.inner:
                self.blocks.pop()
                self.reserve()
                self.set_mark(self.engine.snapshot())
            self.brackets.pop()
        elif token.type == LINE_END:
            self.begin_statement(self.engine.snapshot())
        elif len(self.taken) > LONG:
            self.set_mark(self.engine.snapshot())

    def open_block(self, start: int) -> None:
        self.brackets.append(_Bracket("{", start))
        self.blocks.append(_Block(len(self.brackets), self.mark))
        self.reserve()
        self.begin_statement(self.engine.snapshot())

    def begin_statement(self, safe: Snapshot) -> None:
        self.blocks[-1].safe = safe
        self.set_mark(safe)
        spend(1, LINE)
        self.last = None

    def reserve(self) -> None:
        """Keep levels free for what the open blocks will be, so that their ends are never too deep."""
        self.engine.reserved = _LEVELS_OF_BLOCK * len(self.blocks)

    def set_mark(self, mark: Snapshot) -> None:
        if self.last is not None:
            about(Span(self.source, self.last.start, self.last.end))
        spend(len(self.taken), TOKEN)
        self.mark = mark
        self.taken.clear()

    # ---- brackets that don't fit ----------------------------------------------------------------------------------

    def has_opener(self, token: Token) -> bool:
        """Is the bracket that a closing one wants the last that was opened? If not, that has been dealt with."""
        wanted = CLOSERS[token.type]
        inner = self.inner
        if inner and inner[-1].sign == wanted:
            return True
        if inner and self.is_superfluous(token, wanted):
            self.sink.add(messages.not_opened(self.source, token))
            self.abandon(self.beyond_brackets(token.end))
            return False
        if inner:
            self.report_open(inner[-1], token)
            self.abandon(token.start if token.text == "}" else token.end)
            return False
        if token.text == "}" and len(self.blocks) > 1:
            return True
        self.sink.add(messages.not_opened(self.source, token))
        return False

    def is_superfluous(self, token: Token, wanted: str) -> bool:
        """Does a closing bracket of the statement have none of its sort to close, where the last that was opened has
        one of its own?"""
        if token.text == "}" or any(bracket.sign == wanted for bracket in self.inner):
            return False
        return self.inner[-1].start in self.raw.closers

    def report_open(self, bracket: _Bracket, token: Token | None) -> None:
        self.sink.add(messages.not_closed(self.source, bracket.sign, bracket.start, token))

    # ---- recovery -------------------------------------------------------------------------------------------------

    def recover(self, token: Token, problem: Diagnostic | None) -> None:
        """Report what is wrong at a token (`problem`, where it is known already) and go on behind the damage."""
        loose = [bracket for bracket in self.inner if bracket.start not in self.raw.closers]
        if problem is not None and problem.code == messages.TOO_DEEP:
            if not self.blocks[-1].told_depth:
                self.sink.add(problem)
            self.blocks[-1].told_depth = True
            self.abandon(self.beyond_brackets(token.start), may_enter=False)
            return
        if problem is not None:
            if problem.code == messages.BAD_CHARACTER:
                problem = messages.with_habit(self.context(), token, problem)
            self.sink.add(problem)
        elif self.is_left_open(token):
            self.close_blocks(token)
            return
        elif loose:
            self.report_open(loose[-1], token)
            self.abandon(self.resumption(loose[-1], token))
            return
        else:
            if not self.in_wake:
                self.sink.add(messages.unexpected(self.context(), token))
            if self.lacks_brace(token):
                self.abandon(token.start, opened=True)
                return
            self.in_wake = self.is_stray
        self.abandon(self.beyond_brackets(token.start))

    def context(self) -> messages.Context:
        """Return what is known at the present token."""
        states, before_last = self.engine.states_after(self.mark, self.taken)
        begin, _ = self.engine.states_after(self.blocks[-1].safe, [])
        words = self.tables["words"]
        return messages.Context(
            self.source, self.engine, states, self.last, before_last, words, self.texts, begin, self.statement
        )

    @cached_property
    def texts(self) -> dict[str, str]:
        return {name: text for text, name in (self.tables["signs"] | self.tables["words"]).items() if name != "KIND"}

    def is_left_open(self, token: Token) -> bool:
        """Does the present statement show that the block around it was never closed?

        It does where the text is at its end, or where a definition begins at the very start of a line: blocks indent.
        """
        if len(self.blocks) == 1:
            return False
        if token.type == END:
            return self.last is None
        text = self.source.text
        number = self.raw.at(self.statement)
        pieces = self.raw.pieces[number : number + 2]
        return (
            text[self.statement - 1 : self.statement] == "\n"
            and len(pieces) == 2
            and self.tables["words"].get(pieces[0].text) in DEFINITIONS
            and pieces[1].is_word
        )

    def close_blocks(self, token: Token) -> None:
        """Report every open block as never closed, close them all, and read the present statement once more."""
        while len(self.blocks) > 1:
            self.report_open(self.brackets[-1], token)
            self.close_block()
        at = self.engine.last_end
        if token.type != END and self.engine.feed(Token(LINE_END, "", at, at)):
            self.begin_statement(self.engine.snapshot())
        self.set_mark(self.engine.snapshot())
        self.last = None
        self.lexer.position = self.statement

    def close_block(self) -> None:
        at = self.engine.last_end
        block = self.blocks.pop()
        del self.brackets[block.bracket - 1 :]
        self.engine.restore(block.safe)
        self.reserve()
        self.engine.feed(Token("RBRACE", "", at, at))

    def resumption(self, bracket: _Bracket, token: Token) -> int:
        """Where to go on after a bracket that nothing closes: at the line that no longer fits into it."""
        line_start = self.source.text.rfind("\n", 0, token.start) + 1
        return line_start - 1 if line_start > bracket.start and token.type != END else token.start

    def beyond_brackets(self, start: int) -> int:
        """Return an offset, or the end of the outermost bracket that the statement has opened and that reaches beyond
        it."""
        ends = [self.raw.closers.get(bracket.start, -1) + 1 for bracket in self.inner]
        return max([start, *ends])

    def lacks_brace(self, token: Token) -> bool:
        """Does a header end its line without the `{` of its block, of which the lines below are?"""
        line_end = self.source.text.find("\n", token.start)
        following = self.source.text[max(line_end, token.start) :].lstrip("\n\r")[:1]
        return token.type == LINE_END and not token.text and following in (" ", "\t") and self.engine.accepts("_LBRACE")

    def abandon(self, start: int, *, may_enter: bool = True, opened: bool = False) -> None:
        """Put the present statement aside, from its beginning to the end of the line at `start`, or to its block, which
        has begun without a `{` where it is `opened`."""
        block = self.blocks[-1]
        del self.brackets[block.bracket :]
        self.engine.restore(block.safe)
        self.set_mark(block.safe)
        self.reserve()
        end, header = self.end_of_statement(start, may_enter)
        header = self.header() if opened else header
        self.damage[self.statement] = tree.Damage(
            self.raw.words(self.statement, end), span=Span(self.source, self.statement, max(end, self.statement))
        )
        self.last = None
        self.lexer.position = end
        if header:
            self.enter(header, end if opened else end - 1)

    def end_of_statement(self, start: int, may_enter: bool) -> tuple[int, tuple[str, ...]]:
        """Where a damaged statement ends; and if that is inside the `{` of its block, what stands for its header."""
        pieces = self.raw.pieces
        number = self.raw.at(start)
        while number < len(pieces):
            piece = pieces[number]
            if may_enter and piece.text == "{" and (header := self.header()):
                return piece.start + 1, header
            if piece.text in (";", "}") or (piece.text == "\n" and not self.goes_on(number)):
                return piece.start, ()
            closer = self.raw.closers.get(piece.start)
            number = number + 1 if closer is None else self.raw.at(closer) + 1
        return len(self.source.text), ()

    def goes_on(self, number: int) -> bool:
        """Does a clause word begin the next line that isn't empty?"""
        pieces = self.raw.pieces
        while number < len(pieces) and pieces[number].text == "\n":
            number += 1
        return number < len(pieces) and pieces[number].text in CLAUSES

    def header(self) -> tuple[str, ...]:
        """Return the terminals that open the same sort of block as the damaged statement does; empty where that is
        unclear."""
        first = self.raw.first(self.statement)
        if first is None or not first.is_word:
            return ()
        words = self.tables["words"]
        possible = [word for word, name in words.items() if name in HEADERS and self.accepts_all(HEADERS[name])]
        word = first.text if first.text in possible else did_you_mean(first.text, possible)
        return () if word is None else HEADERS[words[word]]

    def accepts_all(self, terminals: tuple[str, ...]) -> bool:
        return self.engine.advance(self.engine.states, terminals) is not None

    def enter(self, header: tuple[str, ...], start: int) -> None:
        """Go into the block of a damaged statement, behind its `{` at `start`."""
        for terminal in header:
            self.engine.feed(Token(terminal, "", start, start))
        self.open_block(start)


def _is_oversized(number: str) -> bool:
    digits, _, exponent = number.lower().partition("e")
    size = exponent.lstrip("+-0")
    return len(digits) > MAX_DIGITS or len(size) > 3 or int(size or 0) > MAX_DIGITS
