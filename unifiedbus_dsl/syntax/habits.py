"""What other tools and languages write, and how the same is said here.

Asked only of statements that can't be read. A word of another trade begins the statement, or the text around the token
that has no place has the shape of another language. A fix is offered only where what was meant can't be anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from attrs import frozen

from unifiedbus_dsl.vocabulary.attributes import KINDS_OF_ASSEMBLY, KINDS_OF_DEVICE
from unifiedbus_dsl.vocabulary.signatures import MEASURES

MAX_TEXT = 400
"""Characters of a statement that are looked at."""


@frozen
class Hint:
    """What is meant: a help line, and where that is sure, the text that belongs in place of `start` to `end`, which
    are offsets in the statement."""

    help: str
    start: int = 0
    end: int = 0
    text: str | None = None
    weak: bool = False
    """Whether a word that is nearly one of ours says more."""


# ---- words that begin a statement ------------------------------------------------------------------------------------

_KINDS = "a machine is made of `board`, `node`, `rack`, `superpod`, `supercluster` and `module`"
_DEVICES = "devices are `npu`, `cpu`, `switch`, `nic` and `device`"


class _Word(NamedTuple):
    """The word of the language for a foreign one, or several; `sure` where it can be put there."""

    ours: tuple[str, ...]
    sure: bool = False


def _words(text: str, *ours: str, sure: bool = False) -> dict[str, _Word]:
    return dict.fromkeys(text.split(), _Word(ours, sure))


_FIRST: Mapping[str, _Word] = {
    **_words("gpu accelerator tpu xpu gcd trainer asic neuron ipu wse gaudi dcu mlu", "npu", sure=True),
    **_words("processor socket", "cpu", sure=True),
    **_words("dpu hca adapter", "nic", "port"),
    **_words("host", "cpu", "node"),
    **_words("router leaf spine tor", "switch", sure=True),
    **_words("server machine_type sled tray blade drawer", "node", "board"),
    **_words("cabinet frame", "rack", sure=True),
    **_words("pod", "superpod"),
    **_words("cluster datacenter hall site", "superpod", "supercluster"),
    **_words("class struct component type object part entity record", "module", "board", "rack", "superpod"),
    **_words("cable wire edge", "link", "connect", sure=True),
    **_words("interface pin socket_port ports interfaces channel inout input output gate", "port", sure=True),
    **_words("endpoint jack", "port", sure=True),
    **_words("topology machine network instance deployment fabric main top root design", "system"),
    **_words("pattern flow flows collective", "traffic"),
    **_words("job training inference serving pretrain", "workload"),
    **_words("figure diagram picture plot drawing", "view"),
    **_words("llm transformer decoder neural", "model", sure=True),
    **_words("query report question ask measure analysis", "analyze", sure=True),
    **_words("failure_case whatif outage", "scenario"),
    **_words("import include require using from load", "use", sure=True),
    **_words("assert require check ensure verify test assume", "expect", sure=True),
    **_words("var const def int float local auto val final static double locals variable localparam", "let", sure=True),
    **_words("number set define param constant", "let", sure=True),
    **_words("forward bridge route relay", "transit", sure=True),
    **_words("position locate put arrange layout", "place", sure=True),
    **_words("free unused ignore unconnected", "open", sure=True),
    **_words("link cable wire join attach bind plug edge assign", "connect", sure=True),
    **_words("verbinde verbinden connecter relier conectar conecta collega collegare", "connect", sure=True),
    **_words("kill failure remove break disable drop lose crash down shutdown fault off", "fail", sure=True),
    **_words("slow derate limit throttle weaken", "degrade", sure=True),
    **_words("group cluster close aggregate", "collapse"),
    **_words("colour paint style", "color", sure=True),
    **_words("sweep range tune try explore_over knob", "vary", sure=True),
    **_words("constraint subject_to constrain expect bound", "require", sure=True),
    **_words("minimise min least cheapest", "minimize", sure=True),
    **_words("maximise max most best", "maximize", sure=True),
    **_words("objective goal optimize optimise target", "minimize", "maximize"),
    **_words("rename alias hostname", "name", sure=True),
    **_words("optimization optimisation search dse", "explore", sure=True),
}  # fmt: skip
_TERMINALS: Mapping[str, str] = dict.fromkeys(
    ("npu", "cpu", "switch", "nic", "node", "board", "rack", "superpod", "supercluster", "module"), "KIND"
)
_OF_SEVERAL: Mapping[tuple[str, ...], str] = {
    ("cpu", "node"): "a processor is a `cpu`, and a machine of several parts a `node` or a `board`",
    ("node", "board"): "a machine of several devices is a `node` or a `board`",
    (
        "superpod",
        "supercluster",
    ): "what racks are put together to is a `superpod`, and several of these a `supercluster`",
    ("module", "board", "rack", "superpod"): f"a type begins with its kind: {_KINDS}; {_DEVICES}",
    ("nic", "port"): "an adapter is a `nic`, and a place for a cable a `port`",
}
_MODIFIERS = frozenset(
    ("const", "static", "final", "def", "var", "let", "public", "auto", "new", "default", "export", "define", "declare")
)
"""Words that other languages put before the one that says what is defined."""
_BEFORE_KEYWORD = re.compile(r"([A-Za-z_]\w*)[ \t]+([a-z]+)[ \t]+[A-Za-z_]\w*")
_TYPE_FIRST = re.compile(r"[A-Z]\w*[ \t]+[a-z]\w*[ \t]*$|type(?:def)?[ \t]+\w+[ \t]*=")
_FOLLOWED_BY_NAME = re.compile(r"([A-Za-z_]\w*)[ \t]+[A-Za-z_0-9\"(*]")


def first_word(statement: str, takes: Callable[[str], bool], terminal: Callable[[str], str | None]) -> Hint | None:
    """Return the hint for a statement that begins with a foreign word: `takes` says whether a terminal can begin a
    statement here, `terminal` is that of a keyword."""
    match = _FOLLOWED_BY_NAME.match(statement)
    if match is None or _TYPE_FIRST.match(statement):
        return None
    named = _BEFORE_KEYWORD.match(statement)
    if named is not None and (named[1] in _MODIFIERS) and takes(_TERMINALS.get(named[2]) or terminal(named[2]) or ""):
        return Hint(f"a statement begins with its own word: `{named[2]} …`", 0, named.start(2), "")
    for word, ours in _candidates(match[1]):
        there = [o for o in ours.ours if takes(_TERMINALS.get(o) or terminal(o) or "")]
        if not there:
            continue
        if len(there) > 1 and ours.ours in _OF_SEVERAL:
            return Hint(_OF_SEVERAL[ours.ours])
        said = f"`{word}` is `{there[0]}` here" if len(ours.ours) == 1 else f"here that is `{' or `'.join(there)}`"
        return Hint(said, 0, len(word), there[0]) if ours.sure else Hint(said)
    return None


def _candidates(word: str) -> Iterator[tuple[str, _Word]]:
    """Yield the entries of a word; a few words stand for two, one in the file and one in a block."""
    for key, entry in _FIRST.items():
        if key == word.casefold():
            yield word, entry
    yield from ((word, extra) for extra in _AGAIN.get(word.casefold(), ()))


_AGAIN: Mapping[str, tuple[_Word, ...]] = {
    "cable": (_Word(("link",), True),),
    "wire": (_Word(("link",), True),),
    "edge": (_Word(("link",), True),),
    "channel": (_Word(("link",), True),),
    "require": (_Word(("use",), True),),
    "socket": (_Word(("port",), True),),
    "cluster": (_Word(("superpod", "supercluster")),),
}


# ---- shapes of other languages: `habits.txt` ------------------------------------------------------------------------


class _Habit(NamedTuple):
    """`find` matches around the token; `help` and `text` are filled in with its groups; `text` replaces group `x`."""

    find: re.Pattern[str]
    help: str
    text: str | None
    weak: bool


_ALTERNATIVES = {
    "kind": "|".join((*KINDS_OF_DEVICE, *KINDS_OF_ASSEMBLY)),
    "measure": "|".join(sorted(MEASURES, key=len, reverse=True)),
}
"""What `%kind%` and `%measure%` stand for."""
_NAMES = re.compile("%(kind|measure)%")


@cache
def _habits() -> tuple[_Habit, ...]:
    """Return the shapes in their order: the first that fits is meant. Each is a paragraph of lines `find`, `help` and,
    where there is a fix, `text`, which ends with `|` so that its blanks are seen; `weak` says what goes before."""
    text = Path(__file__).with_name("habits.txt").read_text(encoding="utf-8")
    paragraphs = [dict(_line(line) for line in part.splitlines()) for part in text.split("\n\n") if part[:1] != "#"]
    return tuple(
        _Habit(
            re.compile(_NAMES.sub(lambda found: _ALTERNATIVES[found[1]], p["find"])),
            p["help"],
            p["text"][:-1] if "text" in p else None,
            "weak" in p,
        )
        for p in paragraphs
    )


def _line(line: str) -> tuple[str, str]:
    word, _, rest = line.partition(" ")
    return word, rest


def hint(statement: str, at: int) -> Hint | None:
    """Return the hint for a statement of which the token at an offset has no place, by the shape of the text around
    it."""
    text = statement[:MAX_TEXT]
    for habit in _habits():
        for match in habit.find.finditer(text):
            if match.start() <= at <= match.end():
                return _filled(habit, match)
    return None


def _size_of_range(low: str, sign: str, high: str) -> str:
    """Return how many elements a range has, as text: `0..7` has 8, `0..<n` has `n`."""
    more = 0 if sign.endswith("<") else 1
    if low.isdigit() and high.isdigit():
        return str(max(1, int(high) - int(low) + more))
    return high if low == "0" and not more else f"{high} + 1" if low == "0" else high


def _filled(habit: _Habit, found: re.Match[str]) -> Hint:
    groups = {name: (value or "").strip() for name, value in found.groupdict().items()}
    if "o" in groups and "l" in groups:
        groups["size"] = _size_of_range(groups["l"], groups["o"], groups["h"])
    help = habit.help.format(**groups)
    names = [name for name in ("x", "x2") if name in groups and found[name] is not None]
    if habit.text is None or not names:
        return Hint(help, weak=habit.weak)
    return Hint(help, found.start(names[0]), found.end(names[0]), habit.text.format(**groups), habit.weak)
