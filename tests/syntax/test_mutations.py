"""Texts with slips of any sort: reading them never raises, ends soon, and says what is wrong inside the text."""

from __future__ import annotations

import random
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.strategies import files
from tests.syntax import texts
from tests.syntax.reading import read_with_errors
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.format import FormatError, format
from unifiedbus_dsl.syntax.parse import parse

TEXTS = [text for name, text in vars(texts).items() if name.isupper()]
SIGNS = '{}()[]"#;:=,.@*-\n x4\u00e9\0\\'
PIECES = [*SIGNS, "--", "..", "->", "if ", "else ", "for ", "port ", "1e9", "## ", " {\n"]
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60, derandomize=True)


def check(text: str) -> tree.File:
    before = time.monotonic()
    file, errors = read_with_errors(text)
    assert time.monotonic() - before < 2, text
    for error in errors:
        assert error.primary is not None
        span = error.primary.span
        assert 0 <= span.start <= span.end <= len(text)
    assert bool(errors) >= bool(file.damage)
    return file


def slipped(text: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        match draw.randrange(4):
            case 0:
                text = text[:at] + text[at + draw.randint(1, 12) :]
            case 1:
                text = text[:at] + draw.choice(PIECES) + text[at:]
            case 2:
                text = text[:at] + text[at : at + draw.randint(1, 40)] + text[at:]
            case _:
                text = text[:at] if draw.random() < 0.2 else text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]
    return text


def test_slips_in_written_texts() -> None:
    draw = random.Random(20)
    for _ in range(400):
        check(slipped(draw.choice(TEXTS), draw))


def test_what_still_reads_after_a_slip_is_formatted_without_loss() -> None:
    draw = random.Random(21)
    formatted = 0
    for _ in range(200):
        file = check(slipped(draw.choice(TEXTS), draw))
        try:
            result = format(file)
        except FormatError:
            assert file.damage
            continue
        formatted += 1
        again = parse(Source("again", result), Sink())
        assert again == file
        assert format(again) == result
    assert formatted > 10


@given(files, st.integers(0, 99))
@steady
def test_slips_in_generated_texts(file: tree.File, seed: int) -> None:
    check(slipped(format(file), random.Random(seed)))


@given(st.text(max_size=60))
@steady
def test_any_text_at_all(text: str) -> None:
    check(text)
    check(f"ubus 1\n{text}")


@given(
    st.lists(
        st.sampled_from([*PIECES, "ubus 1\n", "rack R {", "npu", "all ", "a", "1", "of ", "to ", "expect "]),
        max_size=40,
    )
)
@steady
def test_any_row_of_pieces(pieces: list[str]) -> None:
    check("".join(pieces))
