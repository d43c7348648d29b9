"""What is printed reads as what was printed, whatever the tree."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.support.strategies import files
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.format import format
from unifiedbus_dsl.syntax.parse import parse

steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150, derandomize=True)


def read(text: str) -> tree.File:
    sink = Sink()
    file = parse(Source("t", text), sink)
    assert not list(sink), text
    return file


@given(files)
@steady
def test_a_printed_tree_reads_as_the_same_tree(file: tree.File) -> None:
    assert read(format(file)) == file


@given(files)
@steady
def test_formatting_twice_changes_nothing(file: tree.File) -> None:
    text = format(file)
    assert format(read(text)) == text
