"""Oversubscription: what is offered and the width of each wall are added up anew, or held to bounds."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.attack import counting
from tests.attack.__main__ import Asked
from tests.attack.draw import regular
from tests.attack.oracle import Oracle
from tests.verify.machines import HEAD, call_of, evaluate
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.verify import VerificationError

PODS = (
    HEAD
    + """
npu Npu { port x : UB x4; port y : UB x1; injection = 30 GB/s }
switch Leaf { port down[4] : UB x4; port up[2] : UB x2 }
switch Spine { port p[4] : UB x2; port out : UB x4 }
switch Top { port p[2] : UB x4 }
rack Rack {
  npu[4] : Npu; leaf : Leaf
  connect npu[i].x -- leaf.down[i] over Wide(1 m) for i in 0..3
  connect npu[0].y -- npu[1].y over Slow(1 m)
  connect npu[2].y -- npu[3].y over Slow(1 m)
  port up = leaf.up
}
superpod Pod {
  rack[2] : Rack; spine[2] : Spine
  connect rack[r].up[k] -- spine[k].p[r] over Wide(1 m) for r in 0..1, k in 0..1
  open spine.p
  port out = spine.out
}
supercluster All {
  pod[1] : Pod; top : Top
  connect pod[0].out[k] -- top.p[k] over Wide(1 m) for k in 0..1
}
system whole : All
"""
)
"""Racks of 120 GB/s on 40 GB/s of uplinks; cables of NPUs to each other lead nowhere."""


@pytest.mark.parametrize(
    ("question", "right"), [("all rack", 3.0), ("all superpod", 3.0), ("all rack, from = pod[0].rack[0].npu[0]", 0.75)]
)
def test_walls_are_added_up_anew(question: str, right: float) -> None:
    call = call_of(compile_text(PODS), f"oversubscription({question})")
    certified = evaluate(call)
    assert verified(call, certified).value == pytest.approx(right)
    with pytest.raises(VerificationError, match="failed its verification"):
        verified(call, evolve(certified, answer=evolve(certified.answer, value=2.0, lower=2.0, upper=2.0)))


BROKEN: list[tuple[str, Callable[[Any], Any], str]] = [
    ("inside_Bps", lambda rate: rate * 1.5, "more than all their cables|a ratio is another|another rate"),
    ("inside_Bps", lambda rate: rate * 0.5, "another rate"),
    ("wall_Bps", lambda rate: rate * 2, "wider than the cables"),
    ("wall_Bps", lambda rate: rate * 0.5, "another width"),
    ("ratio", lambda ratio: ratio * 1.01, "a ratio is another"),
    ("ratio", lambda ratio: ratio * np.inf, "have a way out|something is sent"),
    ("layers", lambda layers: layers[:0], "one row|need at least one array"),
    ("layers", lambda layers: [evolve(layers[0], stop=layers[0].stop + 3)], "overlap"),
    ("members", lambda members: ~members, "more than all their cables|another rate"),
]


@pytest.mark.parametrize(("part", "change", "message"), BROKEN)
def test_broken_walls_are_refused(part: str, change: Callable[[Any], Any], message: str) -> None:
    call = call_of(compile_text(PODS), "oversubscription(all rack)")
    proof = evaluate(call).certificate
    with pytest.raises((VerificationError, ValueError), match=message):
        evolve(proof, **{part: change(getattr(proof, part))}).prove(cables_of(call.machine))


@pytest.mark.parametrize("number", range(6))
def test_plain_racks_of_random_trees_are_shown(number: int) -> None:
    draw = random.Random(f"walls:{number}")
    machine = next(each for each in iter(lambda: regular(draw, 10), None) if each.racks)
    asked = Asked(machine)
    answer = asked.answer("oversubscription(all rack)")
    assert not isinstance(answer, str)
    assert answer.value == pytest.approx(counting.oversubscription(Oracle(machine)))


def test_wrong_walls_never_leave(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    from unifiedbus_dsl.measures import cuts

    real = cuts.walls_of
    for part in ("inside_Bps", "wall_Bps", "ratio"):
        with monkeypatch.context() as patch:
            patch.setattr(
                cuts, "walls_of", lambda *args, p=part: evolve(real(*args), **{p: getattr(real(*args), p) / 2})
            )
            with pytest.raises(VerificationError, match="failed its verification"):
                api.oversubscription(compile_text(PODS).fabric(), "all rack")
