"""Machine fixes on texts."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Diagnostic, Edit, Fix, Label
from unifiedbus_dsl.diagnostics.fix import apply_edits, apply_fixes


def edit(source: Source, start: int, end: int, text: str) -> Edit:
    return Edit(Span(source, start, end), text)


def finding(*edits: Edit) -> Diagnostic:
    return Diagnostic("UB0101", "m", Label(edits[0].span), fix=Fix("do it", tuple(edits)))


def test_edits_in_any_order_give_one_text() -> None:
    source = Source("a", "abcdef")
    edits = [edit(source, 0, 1, "XX"), edit(source, 3, 3, "-"), edit(source, 5, 6, "")]
    assert apply_edits(source.text, edits) == apply_edits(source.text, edits[::-1]) == "XXbc-de"


def test_an_insertion_may_touch_a_replacement() -> None:
    source = Source("a", "abcd")
    assert apply_edits(source.text, [edit(source, 0, 2, "X"), edit(source, 2, 2, "+")]) == "X+cd"


def test_overlap_and_outside_are_refused() -> None:
    source = Source("a", "abcd")
    with pytest.raises(ValueError, match="overlap"):
        apply_edits(source.text, [edit(source, 0, 2, ""), edit(source, 1, 3, "")])
    with pytest.raises(ValueError, match="overlap"):
        apply_edits(source.text, [edit(source, 1, 1, "a"), edit(source, 1, 1, "b")])
    with pytest.raises(ValueError, match="outside"):
        apply_edits(source.text, [edit(source, 2, 9, "")])


def test_new_line_ends_follow_the_text() -> None:
    source = Source("a", "one\r\ntwo\r\n")
    assert apply_edits(source.text, [edit(source, 0, 0, "zero\n")]) == "zero\r\none\r\ntwo\r\n"


def test_a_fix_is_taken_whole_or_not_at_all() -> None:
    source = Source("a", "abcdef")
    first = finding(edit(source, 0, 2, "X"))
    second = finding(edit(source, 1, 3, "Y"), edit(source, 5, 6, "Z"))
    third = finding(edit(source, 4, 5, "W"))
    (mended,) = apply_fixes([second, third, first])
    assert (mended.text, mended.fixes) == ("XcdWf", 2)


def test_a_fix_over_two_sources() -> None:
    a, b = Source("a", "one"), Source("b", "two")
    mended = apply_fixes([finding(edit(b, 0, 3, "2"), edit(a, 0, 3, "1"))])
    assert [(m.source.name, m.text, m.fixes) for m in mended] == [("a", "1", 1), ("b", "2", 1)]


def test_nothing_to_mend() -> None:
    assert apply_fixes([Diagnostic("UB0101", "m", None)]) == ()
