"""The API reference is that of the package, and each public function tells of all its parameters."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.support.api_reference import PAGE, objects, page

VERBS = {"Answer", "Ask", "Compile", "Draw", "Put", "Read", "Return", "Survey", "Write"}
FUNCTIONS = [
    pytest.param(value, id=f"{module}.{name}") for module, name, value in objects() if inspect.isfunction(value)
]


def test_the_page_is_that_of_the_docstrings() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.support.api_reference --accept`"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_public_function_tells_of_its_parameters(function: object) -> None:
    doc = inspect.getdoc(function) or ""
    told = set(re.findall(r"^ {4}(\w+): ", doc, re.MULTILINE))
    wanted = set(inspect.signature(function).parameters)  # type: ignore[arg-type]
    assert told & wanted == wanted
    assert doc.split()[0] in VERBS


def test_there_are_many() -> None:
    assert len(FUNCTIONS) > 25
