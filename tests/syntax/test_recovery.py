"""One run tells every error of a text, each at its place, and nothing else."""

from __future__ import annotations

import random
import time

import pytest

from tests.syntax import texts
from tests.syntax.reading import found, read, read_with_errors
from unifiedbus_dsl.diagnostics import Diagnostic
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import MAX_DEPTH
from unifiedbus_dsl.syntax.traversal import children

PLANTED = """\
ubus 1

protocol UB { lane = 112 Gbps; latency = = 100 ns }
link Copper : UB { medium = copper; reach = 2 m; delay = 4.5 ns/m }

npu Chip {
  prot x[7]  : UB x4
  port up[4] : UB x4
}
swich Plane { port p[64] : UB x4; latency = 250 ns }

rack Cabinet {
  npu[8, 8 : Chip
  plane[4]  : Plane
  conect npu[b, *].x as fullmesh over Copper(0.4 m) for b
  connect npu[b, s].up[k] -- plane[k].p[8*b + s] ovr Copper(1 m) for b, s, k
  expect count(all npu) == "64
}

system cab : Cabinet
traffic a2a of cab = alltoall(all npu))
analyze speed of cab { bisection(all npu); latency(all npu -> ); throughput(a2a) }
scenario PlaneDown cab { fail plane[0]; expect bisection(all npu) >= 70% of base }
view plan of cab { fold npu keep 2; label link bye bandwidth }
"""


def the_error(text: str) -> Diagnostic:
    (error,) = read_with_errors(text)[1]
    return error


def test_every_planted_error_is_found_at_its_place() -> None:
    assert found(PLANTED) == [
        ("UB0101", 3, "="),
        ("UB0101", 7, "prot"),
        ("UB0101", 10, "swich"),
        ("UB0102", 13, "["),
        ("UB0101", 15, "conect"),
        ("UB0101", 16, "ovr"),
        ("UB0104", 17, '"64'),
        ("UB0103", 21, ")"),
        ("UB0101", 22, ")"),
        ("UB0101", 23, "cab"),
        ("UB0101", 24, "bye"),
    ]


def test_what_is_not_damaged_is_read() -> None:
    file, _ = read_with_errors(PLANTED)
    names = [getattr(node, "name").text for node in file.statements]  # noqa: B009  # not all statements have a name
    assert names == ["UB", "Copper", "Chip", "Cabinet", "cab", "a2a", "speed", "plan"]


def test_the_words_of_damaged_statements_are_kept() -> None:
    file, _ = read_with_errors("ubus 1\nrack A extnds B {\n  x : T\n  y T\n}\nsystem s : A\n")
    assert [sorted(damage.words) for damage in file.damage] == [["A", "B", "extnds", "rack"], ["T", "y"]]
    assert [damage.span.text for damage in file.damage] == ["rack A extnds B {", "y T"]
    assert [type(node).__name__ for node in file.statements] == ["System"]


def test_errors_in_the_block_of_a_damaged_header_are_found() -> None:
    text = "ubus 1\nrak A {\n  x : T\n  y T\n  iff b {\n    z T\n  }\n}\nanalyze of {\n  f(x,,)\n}\nlet a = 1\n"
    assert found(text) == [
        ("UB0101", 2, "rak"),
        ("UB0101", 4, "T"),
        ("UB0101", 5, "iff"),
        ("UB0101", 6, "T"),
        ("UB0101", 9, "of"),
        ("UB0101", 10, ","),
    ]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("conect a -- b", "connect"),
        ("prot a : UB x4", "port"),
        ("connect a -- b ovr X", "over"),
        ("connect a -- b over X fro i", "for"),
        ("connect a[0..7 stp 2] -- b", "step"),
        ("expct a == b", "expect"),
        ("trasit x, y", "transit"),
        ("plase a as grid", "place"),
    ],
)
def test_a_misspelt_word_is_told_with_the_one_that_was_meant(line: str, meant: str) -> None:
    error = the_error(f"ubus 1\nrack R {{\n  {line}\n}}\n")
    assert error.help == (f"did you mean `{meant}`?",)
    assert error.fix is not None
    assert [edit.text for edit in error.fix.edits] == [meant]
    assert error.primary is not None
    mended = f"  {line}".replace(error.primary.span.text, meant, 1)
    assert not found(f"ubus 1\nrack R {{\n{mended}\n}}\n")


def test_what_could_stand_there_is_said() -> None:
    error = the_error("ubus 1\nscenario S cab { fail a }\n")
    assert error.message == "unexpected `cab`"
    assert error.primary is not None
    assert error.primary.text == "expected `of`"


def test_a_word_of_the_language_as_a_name_is_called_so() -> None:
    error = the_error("ubus 1\nnpu N {\n  port for : UB x4\n}\n")
    assert error.help == ("`for` is a word of the language and can't be a name here",)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        # the bracket, not the place where it came to light; and the next line is read again
        ("let a = f(1, 2\nlet b = g(3)\nlet c = 4 5\n", [("UB0102", 2, "("), ("UB0101", 4, "5")]),
        ("rack R {\n place c as g(\n a = 1,\n b = [2 m\n )\n x T\n}\n", [("UB0102", 5, "["), ("UB0101", 7, "T")]),
        ("rack R {\n place c as g(\n a = 1,\n b 5,\n c = 3\n )\n x T\n}\n", [("UB0101", 5, "5"), ("UB0101", 8, "T")]),
        ("let a = b[3)\nlet c = (3]\n", [("UB0102", 2, "["), ("UB0102", 3, "(")]),
        ("rack A {\n  x : T\n\nnpu B { port x : U x4 }\nlet a b\n", [("UB0102", 2, "{"), ("UB0101", 6, "b")]),
        ("rack A {\n  if a {\n  x : T\n", [("UB0102", 2, "{"), ("UB0102", 3, "{")]),
        ("rack A {\n x : T }\n}\nlet a = 1\n", [("UB0103", 4, "}")]),
        ("rack A { x : T[3 }\nlet a = 1 1\n", [("UB0101", 2, "["), ("UB0101", 3, "1")]),
        ("let a = [1, 2\n", [("UB0102", 2, "[")]),
        ("let a = 1)\nlet b = ]2\n", [("UB0103", 2, ")"), ("UB0103", 3, "]")]),
        ("let a = {b = 1\nlet c = 2\n", [("UB0102", 2, "{")]),
    ],
)
def test_brackets(text: str, errors: list[tuple[str, int, str]]) -> None:
    assert found(f"ubus 1\n{text}") == errors


def test_what_a_bracket_too_early_leaves_outside_is_told_once() -> None:
    text = "ubus 1\nrack A {\n  x : T }\n  y : T\n  port p = x.y\n  let a = 1\n  z : T\n}\nlet b c; let d e\n"
    assert found(text) == [("UB0101", 4, "y"), ("UB0103", 8, "}"), ("UB0101", 9, "c"), ("UB0101", 9, "e")]
    assert found("ubus 1\n  let a b; let c d\nlet e f\n") == [
        ("UB0101", 2, "b"),
        ("UB0101", 2, "d"),
        ("UB0101", 3, "f"),
    ]


def test_a_block_that_is_not_closed_is_closed_before_the_next_definition() -> None:
    file, _ = read_with_errors("ubus 1\nrack A {\n  x : T\n\nnpu B { port x : U x4 }\n")
    assert [node.name.text for node in file.statements] == ["A", "B"]  # type: ignore[union-attr]
    assert not file.damage


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("let a =\nlet b = 1\n", ("UB0101", 2, "")),
        ("let a = 1 +\nlet b = 1\n", ("UB0101", 2, "")),
        ("let a = 1 +\n", ("UB0108", 2, "")),
        ("let a = 1 +\n\n  # nothing more\n", ("UB0108", 2, "")),
        ('use "abc\n', ("UB0104", 2, '"abc')),
        ("let a = 3 $ 4\n", ("UB0107", 2, "$")),
        ("let a = 5 \u2013 3\n", ("UB0107", 2, "\u2013")),
        ("let \u00e9 = 1\n", ("UB0107", 2, "\u00e9")),
        ("let a = 1e999999999\n", ("UB0111", 2, "1e999999999")),
        (f"let a = 0.{'1' * 50}\n", ("UB0111", 2, f"0.{'1' * 50}")),
        (f"npu N {{ port x : U x{'9' * 5000} }}\n", ("UB0111", 2, f"x{'9' * 5000}")),
        ("rack A { npu b : T }\n", ("UB0101", 2, "b")),
        ("rack A { npu B { port x : U x4 } }\n", ("UB0101", 2, "B")),
        ("protocol P { a = 1, b = 2 }\n", ("UB0101", 2, ",")),
        ("let a = 1 < 2 < 3\n", ("UB0101", 2, "<")),
        ("} \n", ("UB0103", 2, "}")),
    ],
)
def test_other_errors(text: str, error: tuple[str, int, str]) -> None:
    assert found(f"ubus 1\n{text}") == [error]


def test_large_numbers_within_reason_are_numbers() -> None:
    assert not found("ubus 1\nlet a = 1e30\nlet b = 123456789012345678901234567890\nlet c = 1e-0012\n")


def test_a_sign_from_a_word_processor_is_mended() -> None:
    error = the_error("ubus 1\nrack R {\n  a \uff1a T\n}\n")
    assert error.help == ("write `:`",)
    assert error.fix is not None
    assert error.fix.edits[0].text == ":"


def test_the_missing_edition_can_be_inserted() -> None:
    error = the_error("let a = 1\n")
    assert error.fix is not None
    (edit,) = error.fix.edits
    assert (edit.span.start, edit.span.end, edit.text) == (0, 0, "ubus 1\n\n")


def test_a_misspelt_edition_is_one_error() -> None:
    assert found("ubsu 1\nlet a = 1\n") == [("UB0101", 1, "ubsu")]


MANY = 10_000
DEEP = {
    "(": f"let a = {'(' * MANY}1{')' * MANY}\n",
    "[": f"let a = {'[' * MANY}\n",
    "+": f"let a = {'1+' * MANY}1\n",
    "not": f"let a = {'not ' * MANY}1\n",
    "-": f"let a = {'- ' * MANY}1\n",
    ".": f"let a = {'a.' * MANY}a\n",
    "^": f"let a = {'a^' * MANY}a\n",
    "if": f"rack R {{{'if a {' * MANY}{'}' * MANY}}}\n",
    "else if": f"rack R {{{'if a { } else ' * MANY}{{}}}}\n",
    "then": f"let a = {'if a then ' * MANY}a\n",
}


@pytest.mark.parametrize("name", DEEP)
def test_text_that_is_nested_too_deep_is_told_once_and_soon(name: str) -> None:
    before = time.monotonic()
    file, errors = read_with_errors(f"ubus 1\n{DEEP[name]}let b = 1\n")
    assert time.monotonic() - before < 5
    assert "UB0109" in {error.code for error in errors}
    assert len(errors) <= 3
    assert file.statements[-1].name.text == "b"  # type: ignore[union-attr]


def test_text_may_nest_to_the_limit() -> None:
    depth = MAX_DEPTH - 10
    assert not found(f"ubus 1\nlet a = {'(' * depth}1{')' * depth}\nlet b = {'[' * depth}{']' * depth}\n")


@pytest.mark.parametrize(
    "piece", ["let a = (\n", "rack A {\n", ")", "}", "{", '"', "let a = (3 3)\n", "if a {\n", "[\n"]
)
def test_many_errors_take_time_in_proportion(piece: str) -> None:
    before = time.process_time()
    read_with_errors("ubus 1\n" + piece * 2_000)
    assert time.process_time() - before < 5


@pytest.mark.parametrize("name", [name for name in vars(texts) if name.isupper()])
def test_each_text_cut_anywhere_is_read(name: str) -> None:
    text: str = getattr(texts, name)
    for end in range(0, len(text), 7):
        read_with_errors(text[:end])


@pytest.mark.parametrize("depth", [51, 60, 98, 99, 130, 199, 200, 214, 400])
def test_a_block_too_deep_is_left_out_and_the_rest_is_read(depth: int) -> None:
    inner = "if true {\n" * depth + "b : W\n" + "}\n" * depth
    file, errors = read_with_errors(f"ubus 1\nrack R {{\na : W\n{inner}c : W\n}}\nlet z = 1\n")
    assert [error.message for error in errors] == ["blocks are nested too deep"]
    rack, last = file.statements
    assert isinstance(rack, tree.TypeDef)
    assert [type(each).__name__ for each in rack.body] == ["Instance", "If", "Instance"]
    assert isinstance(last, tree.Let)


def test_blocks_as_deep_as_they_may_be_hold_what_they_should() -> None:
    file = read("ubus 1\nrack R {\n" + "if true { } else {\n" * 49 + "b : W\n" + "}\n" * 49 + "}\n")
    here: tree.Node = file.statements[0]
    levels = 0
    while isinstance(here, tree.TypeDef | tree.If):
        here = here.body[0] if isinstance(here, tree.TypeDef) else here.otherwise[0]
        levels += 1
    assert levels == 50
    assert isinstance(here, tree.Instance)


_DEEP = (
    "if true {\n", "if a { ", "}\n", "}", " } ", "} else {\n", "if a { } else ", "if b { } ", "(", ")", "-", "+1",
    "let x = ", "let y = 1", "\n", ";", "b : W\n", "rack S {\n", "x = [\n", "connect a -- b\n",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_no_depth_of_anything_keeps_the_parser_from_the_end(seed: int) -> None:
    draw = random.Random(seed)
    pieces = [draw.choice(_DEEP) * draw.choice((1, 1, 3, 47, 50, 51, 99, 199, 210)) for _ in range(60)]
    assert depth_of(read_with_errors("ubus 1\nrack R {\n" + "".join(pieces))[0]) <= MAX_DEPTH


def depth_of(node: tree.Node) -> int:
    """How many nodes lie in one another."""
    level: list[tree.Node] = [node]
    deepest = 0
    while level:
        level = [below for each in level for below in children(each)]
        deepest += 1
    return deepest
