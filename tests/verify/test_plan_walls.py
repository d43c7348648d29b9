"""What is sent toward a wall, on orbits: right ones pass, each sort of wrong ones is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_walls import StatedWall, check_wall

NONE = np.zeros(6, dtype=bool)


def marked(count: int, *at: int) -> Any:
    return np.isin(np.arange(count), at)


WALL = StatedWall(
    tail=np.array([0, 0, 1, 2, 2, 4]),
    head=np.array([1, 2, 3, 3, 5, 3]),
    room_Bps=np.array([8.0, 4.0, 6.0, 3.0, 9.0, 7.0]),
    inside=marked(6, 0, 1, 2, 4, 5),
    member=marked(6, 0),
    carry=marked(6, 2),
    on=marked(6, 1, 2, 4),
    exits=marked(6, 2, 3, 5),
    back=NONE,
    device=np.arange(6),
    injection_Bps=np.array([10.0, np.inf, np.inf, np.inf, np.inf, np.inf]),
    own_Bps=np.array([7.0, 3.0, 0.0, 0.0, 0.0, 0.0]),
    on_Bps=np.array([0.0, 0.0, 7.0, 3.0, 0.0, 0.0]),
    side=NONE,
    side_devices=NONE,
    inside_Bps=10.0,
    wall_Bps=9.0,
)
"""Senders (node 0, injection 10) over a switch (1) without a limit and a carrier (2) of 3 to the outside (3); nothing
is sent to a second switch with a way out (4), and an end point (5) does not forward."""


def test_right_ones_hold() -> None:
    check_wall(WALL)


def test_a_cut_of_cables_holds() -> None:
    free = evolve(
        WALL, injection_Bps=np.full(6, np.inf), own_Bps=np.array([8.0, 3.0, 0.0, 0.0, 0.0, 0.0]),
        on_Bps=np.array([0.0, 0.0, 8.0, 3.0, 0.0, 0.0]), side=marked(6, 2), side_devices=marked(6, 0), inside_Bps=11.0,
    )  # fmt: skip
    check_wall(free)
    with pytest.raises(VerificationError, match="more could"):
        check_wall(evolve(free, side=NONE))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"inside_Bps": 11.0}, "another rate"),
        ({"inside_Bps": 9.0}, "another rate"),
        ({"wall_Bps": 16.0}, "width"),
        ({"wall_Bps": 6.0}, "width"),
        ({"own_Bps": WALL.own_Bps / 2, "on_Bps": WALL.on_Bps / 2, "inside_Bps": 5.0}, "more could"),
        ({"injection_Bps": np.array([9.0, *[np.inf] * 5])}, "injection"),
        ({"own_Bps": np.array([9.0, 1.0, 0.0, 0.0, 0.0, 0.0])}, "cables carry"),
        (
            {"own_Bps": np.array([6.0, 4.0, 0, 0, 0, 0]), "on_Bps": np.array([0, 0, 6.0, 4.0, 0, 0])},
            "carrier",
        ),
        ({"on_Bps": np.array([0.0, 0.0, 6.0, 3.0, 0.0, 1.0])}, "on the way"),
        ({"on_Bps": np.array([0.0, 0.0, 7.0, 2.0, 1.0, 0.0])}, "its ways"),
        ({"back": marked(6, 0)}, "its ways"),
        ({"member": marked(6, 4)}, "its ways"),
        ({"exits": marked(6, 2, 3, 4, 5)}, "lead out"),
    ],
    ids=[
        "more", "less", "wide", "narrow", "half", "injection", "cable", "carrier", "lost", "an end", "back", "member",
        "exit",
    ],
)  # fmt: skip
def test_wrong_walls_are_found(spoilt: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        check_wall(evolve(WALL, **spoilt))
