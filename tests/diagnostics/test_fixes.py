"""The machine fixes of wrong files: each does away with what it was offered for, and none brings back another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import literate
from unifiedbus_dsl.compiler import compile, compile_text
from unifiedbus_dsl.diagnostics import Diagnostic
from unifiedbus_dsl.diagnostics.fix import apply_fixes
from unifiedbus_dsl.syntax.format import format

BAD = sorted((literate.HERE / "bad").glob("*.ubus"))
ROUNDS = 4


def fixable(path: Path, text: str) -> tuple[str | None, list[Diagnostic]]:
    """The text with its fixes done (None where there are none), and what they were offered for."""
    found = compile_text(text, str(path), search=[path.parent]).diagnostics
    here = [d for d in found if d.fix is not None and d.primary is not None and d.primary.span.source.name == str(path)]
    mended = apply_fixes(here)
    return (mended[0].text if mended else None), here


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_fixes_come_to_an_end(path: Path) -> None:
    """Again and again until nothing is left to mend, in a few rounds; what was mended does not come back."""
    text, done = path.read_text(encoding="utf-8"), set[tuple[str, str]]()
    for _ in range(ROUNDS):
        again, offered = fixable(path, text)
        if again is None:
            return
        assert again != text
        here = {(d.code, d.message) for d in offered}
        assert not here & done, here & done
        done |= here
        text = again
    raise AssertionError(f"still mending after {ROUNDS} rounds")


def test_many_codes_have_fixes() -> None:
    codes = {d.code for path in BAD for d in compile(path).diagnostics if d.fix is not None}
    assert len(codes) >= 25, sorted(codes)


FIXED = {
    "index-not-listed-in-pattern": "as fullmesh over Copper(1 m) for b  ",
    "cables-two-on-a-port": "plane[k].down[8*b + n]",
    "use-not-needed": "use Chip, Copper from",
    "expect-differs-and-does-not": 'expect count(all npu) == 8 "press"  ',
    "units-bidir-on-latency": "latency = 200 ns }",
    "names-typo-in-type": "npu[2] : Chip  ",
    "index-listed-and-not-used": "for s, k  ",
}


@pytest.mark.parametrize(("name", "expected"), FIXED.items())
def test_a_fix_does_what_it_says(name: str, expected: str) -> None:
    path = literate.HERE / "bad" / f"{name}.ubus"
    text, _ = fixable(path, path.read_text(encoding="utf-8"))
    assert text is not None
    assert expected in text


def test_the_fixed_text_still_reads() -> None:
    """Whatever is mended, the formatter takes it."""
    from unifiedbus_dsl.base.source import Source
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.syntax.parse import parse

    for path in BAD:
        text, _ = fixable(path, path.read_text(encoding="utf-8"))
        if text is None:
            continue
        file = parse(Source("t", text), Sink())
        assert file.damage or format(file)
