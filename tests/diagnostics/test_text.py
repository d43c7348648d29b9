"""Diagnostics as text: marks, labels, windows, wide characters, colour, limits."""

from __future__ import annotations

from textwrap import dedent
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from unifiedbus_dsl.diagnostics.display_width import clean, text_width
from unifiedbus_dsl.diagnostics.text import render, render_one, summary_line


def at(source: Source, text: str, label: str = "", nth: int = 0) -> Label:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Label(Span(source, start, start + len(text)), label)


def show(*labels: Label, **more: object) -> str:
    diagnostic = Diagnostic("UB0501", "message", labels[0], tuple(labels[1:]), **more)  # type: ignore[arg-type]
    return render_one(diagnostic)


def expected(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_the_example_of_the_language() -> None:
    line = "  connect board[b].up[n, k] -- plane[k].down[7*b + n] over Copper(1 m) for b, n, k\n"
    source = Source("superpod.ubus", "\n" * 19 + line)
    diagnostic = Diagnostic(
        "UB0501",
        "one port, two cables: plane[0].down[7]",
        at(source, "7*b + n", "equal for (b=0, n=7, k=0) and (b=1, n=0, k=0)"),
        notes=("28 collisions in rack `Cabinet` (128 instances)",),
        help=("`n` has 8 values, so the stride is 8: `8*b + n`",),
    )
    assert render_one(diagnostic) == expected("""
        error[UB0501]: one port, two cables: plane[0].down[7]
          --> superpod.ubus:20:46
           |
        20 |   connect board[b].up[n, k] -- plane[k].down[7*b + n] over Copper(1 m) for b, n, k
           |                                              ^^^^^^^ equal for (b=0, n=7, k=0) and (b=1, n=0, k=0)
           = note: 28 collisions in rack `Cabinet` (128 instances)
           = help: `n` has 8 values, so the stride is 8: `8*b + n`
    """)


def test_several_labels_on_one_line() -> None:
    source = Source("a.ubus", "connect a[i] -- b[j] over Copper\n")
    text = show(at(source, "b[j]", "here"), at(source, "a[i]", "`i` runs 0..3"), at(source, "connect"))
    assert text == expected("""
        error[UB0501]: message
         --> a.ubus:1:17
          |
        1 | connect a[i] -- b[j] over Copper
          | ------- ----    ^^^^ here
          |         |
          |         `i` runs 0..3
    """)


def test_overlapping_marks_and_texts_at_one_place() -> None:
    source = Source("a.ubus", "abcdef\n")
    text = show(at(source, "cd", "inner"), at(source, "abcdef", "outer"), at(source, "c", "same place"))
    assert text == expected("""
        error[UB0501]: message
         --> a.ubus:1:3
          |
        1 | abcdef
          | --^^--
          | | |
          | | inner
          | | same place
          | outer
    """)


def test_labels_on_other_lines_and_in_other_sources() -> None:
    source = Source("a.ubus", "one\ntwo\nthree\nfour\nfive\n")
    other = Source("parts.ubus", "\n" * 9 + "six\n")
    text = show(at(source, "three", "3"), at(source, "one", "1"), at(source, "five", "5"), at(other, "six", "6"))
    assert text == expected("""
        error[UB0501]: message
          --> a.ubus:3:1
           |
         1 | one
           | --- 1
         2 | two
         3 | three
           | ^^^^^ 3
         4 | four
         5 | five
           | ---- 5
           |
          ::: parts.ubus:10:1
           |
        10 | six
           | --- 6
    """)


def test_a_gap_between_lines() -> None:
    source = Source("a.ubus", "one\n2\n3\n4\nfive\n")
    text = show(at(source, "one", "1"), at(source, "five", "5"))
    assert "  | ^^^ 1\n...\n5 | five\n" in text


def test_span_over_lines() -> None:
    source = Source("a.ubus", "rack A {\n  npu : B\n  x\n  y }\nz\n")
    whole = Label(Span(source, 0, source.text.index("}") + 1), "this rack")
    assert show(whole) == expected("""
        error[UB0501]: message
         --> a.ubus:1:1
          |
        1 | / rack A {
        ... |
        4 | |   y }
          | |_____^ this rack
    """)


def test_span_over_lines_that_starts_inside_a_line() -> None:
    source = Source("a.ubus", "rack A {\n  npu : B\n}\n")
    start = source.text.index("{")
    assert show(Label(Span(source, start, len(source.text)), "body"), at(source, "npu", "child")) == expected("""
        error[UB0501]: message
         --> a.ubus:1:8
          |
        1 |   rack A {
          |  ________^
        2 | |   npu : B
          | |   --- child
        3 | | }
          | |_^ body
    """)


def test_end_of_text_and_empty_text() -> None:
    source = Source("a.ubus", "one\n")
    end = show(Label(Span(source, 4, 4), "ends here"))
    assert end.endswith("2 |\n  | ^ ends here\n")
    empty = Source("b.ubus", "")
    assert show(Label(Span(empty, 0, 0), "empty")).endswith("1 |\n  | ^ empty\n")


def test_span_with_its_line_end_stays_on_its_line() -> None:
    source = Source("a.ubus", "one\r\ntwo\r\n")
    assert show(Label(Span(source, 0, 5), "x")).endswith("1 | one\n  | ^^^ x\n")


@pytest.mark.parametrize("before", ["\t", "昇腾", "e\u0301", "a\u200db", "\x1b[31m", "ｗｉｄｅ", "\u202e", "🏳"])
def test_marks_stand_below_their_text(before: str) -> None:
    """The cells before the mark are as many as those before the text."""
    source = Source("a.ubus", f"  {before}foo {before} bar\n")
    _, _, _, shown, marks = show(at(source, "bar", "here")).splitlines()
    assert text_width(shown[: shown.index("bar")]) == marks.index("^^^ here")
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@given(st.text(max_size=30), st.text(max_size=12), st.text(max_size=30))
def test_marks_stand_below_any_text(before: str, word: str, after: str) -> None:
    source = Source("a.ubus", f"{before}\x00{word}\x00{after}")
    start = len(before)
    text = show(Label(Span(source, start, start + len(word) + 2), "label"))
    assert "label" in text
    assert {category(c) for c in text if c not in "\n\u200b\u200c\u200d\u2060\ufeff"}.isdisjoint({"Cc", "Cf", "Cs"})


def test_long_lines_are_cut_to_a_window() -> None:
    source = Source("a.ubus", "x" * 1000 + " here " + "y" * 1_000_000)
    _, _, _, shown, marks = show(at(source, "here", "this")).splitlines()
    assert len(shown) < 160
    assert shown.endswith("…")
    assert shown[marks.index("^") :].startswith("here ")
    assert marks.endswith("^^^^ this")


def test_marks_too_far_apart_for_one_window() -> None:
    source = Source("a.ubus", "first " + "x" * 1000 + " second")
    text = show(at(source, "second", "2"), at(source, "first", "1"))
    assert "first xxx" in text
    assert "----- 1" in text
    assert "xxx second" in text
    assert "^^^^^^ 2" in text


def test_no_place() -> None:
    diagnostic = Diagnostic("UB0112", "can't read `a.ubus`", None, help=("did you mean `b.ubus`?",))
    assert render_one(diagnostic) == "error[UB0112]: can't read `a.ubus`\n  = help: did you mean `b.ubus`?\n"


def test_lines_of_a_note_stand_below_each_other() -> None:
    diagnostic = Diagnostic("UB0112", "m", None, notes=("one\ntwo",))
    assert render_one(diagnostic) == "error[UB0112]: m\n  = note: one\n          two\n"


def test_the_fix_stands_in_for_missing_help() -> None:
    source = Source("a.ubus", "one")
    fix = Fix("write `two`", (Edit(Span(source, 0, 3), "two"),))
    assert "= help: write `two`" in show(at(source, "one"), fix=fix)
    assert "write `two`" not in show(at(source, "one"), fix=fix, help=("other",))


def test_colour_only_when_asked() -> None:
    source = Source("a.ubus", "one two")
    diagnostic = Diagnostic("UB0501", "m", at(source, "one", "x"), (at(source, "two", "y"),), notes=("n",))
    coloured = render([diagnostic], colour=True)
    assert "\x1b[1;31merror[UB0501]\x1b[0m" in coloured
    assert "\x1b" not in render([diagnostic])
    plain = coloured
    for code in ("1;31", "1;34", "1", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == render([diagnostic])


def many(count: int, severity: Severity = Severity.ERROR) -> list[Diagnostic]:
    return [Diagnostic("UB0101", f"{severity} {n}", None, severity=severity) for n in range(100, 100 + count)]


def test_at_most_twenty_then_how_many_more() -> None:
    text = render(many(25))
    assert text.count("error[UB0101]") == 20
    assert text.endswith("\n... and 5 more\n\n25 errors\n")
    assert render(many(25), limit=None).count("error[UB0101]") == 25
    assert "more" not in render(many(20))


def test_errors_come_before_warnings_when_not_all_are_shown() -> None:
    text = render([*many(30, Severity.WARNING), *many(3)], limit=5)
    assert text.count("error[") == 3
    assert text.count("warning[") == 2
    assert text.endswith("3 errors, 30 warnings\n")


def test_summary_line() -> None:
    assert summary_line(many(2) + many(1, Severity.WARNING)) == "2 errors, 1 warning"
    assert summary_line([]) == "no errors"
    assert render([]) == ""


def test_clean_leaves_nothing_a_terminal_obeys() -> None:
    assert clean("a\x1b[31mb\n\x07\x7f\u2066") == "a␛[31mb ␇␡\ufffd"
