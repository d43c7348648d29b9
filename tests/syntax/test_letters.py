"""Letters beyond a to z in a name are refused, and the message says what a name is made of."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.compiler import compile_text


@pytest.mark.parametrize(("name", "told"), [("Schränk", True), ("机柜", True), ("A?", False)])
def test_letters_of_a_name(name: str, told: bool) -> None:
    found = [d for d in compile_text(f"ubus 1\n\nrack {name} {{ }}\n").diagnostics if d.code == "UB0107"]
    assert found
    assert all(any("a name is of letters" in help for help in d.help) is told for d in found)
