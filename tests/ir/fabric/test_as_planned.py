"""Columns held to their plan: every row that is changed is found, those that are expanded hold."""

from __future__ import annotations

import random

import numpy as np
import pytest
from attrs import evolve

from tests.support.plans import draw_plan
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.ir.fabric import as_planned, verify
from unifiedbus_dsl.ir.fabric.as_planned import find_difference

COLUMNS = ("a_device", "a_port", "b_device", "b_port", "kind")


@pytest.mark.parametrize("piece", [1 << 20, 7])
@pytest.mark.parametrize("seed", [0, 1, 3, 5, 6, 8])
def test_each_changed_row_is_found(seed: int, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_planned, "PIECE", piece)
    draw = random.Random(seed)
    compiled = compile_text(draw_plan(random.Random(seed)), "plan")
    if not compiled.ok:
        pytest.skip("no machine is drawn from this seed")
    fabric = compiled.fabric()
    assert find_difference(fabric) is None
    for _ in range(40):
        name, row = draw.choice(COLUMNS), draw.randrange(fabric.cable_count)
        column = np.array(getattr(fabric, name))
        column[row] += 1
        found = find_difference(evolve(fabric, **{name: column}))
        assert found is not None
        assert found[0] == name


@pytest.mark.parametrize("ports", [1 << 23, 5, 64])
def test_a_port_of_two_cables_is_found_wherever_it_is(ports: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "PORTS", ports)
    monkeypatch.setattr(verify, "PIECE", 7)
    fabric = compile_text(draw_plan(random.Random(3)), "plan").fabric()
    verify.verify_fabric(fabric)
    for row in range(1, fabric.cable_count, 9):
        a_device, a_port = np.array(fabric.a_device), np.array(fabric.a_port)
        a_device[row], a_port[row] = fabric.b_device[row - 1], fabric.b_port[row - 1]
        with pytest.raises(verify.BrokenFabricError, match="end at one port"):
            verify.verify_fabric(evolve(fabric, a_device=a_device, a_port=a_port))
