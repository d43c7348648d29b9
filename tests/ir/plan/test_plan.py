"""The plan prints and verifies itself, and numbers what is in it."""

from __future__ import annotations

from fractions import Fraction

import attrs
import numpy as np
import pytest
from hypothesis import given, settings

from tests.ir.plan import hand_made as hm
from tests.ir.plan import loops
from tests.ir.plan.random_plans import plans
from unifiedbus_dsl.base.units import LENGTH, SIZE, Quantity
from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Child,
    Const,
    DeviceType,
    Export,
    Link,
    Lookup,
    Not,
    Op,
    Opening,
    Placement,
    Plan,
    Port,
    PortRef,
    Rule,
    Var,
)
from unifiedbus_dsl.ir.plan.numbering import exported
from unifiedbus_dsl.ir.plan.text import plan_text
from unifiedbus_dsl.ir.plan.verify import PlanError, verify


def small() -> Plan:
    x = Port("x", (2, 2), "UB", 4, open=True)
    memory = Quantity(Fraction(144 * 10**9), SIZE)
    chip = DeviceType("Chip", "npu", (Port("up", (), "UB", 2), x), ((0, 1, 2), (4,)), {"memory": memory, "fast": True})
    up = hm.export("up", hm.axes(n=3), hm.ref("npu", ["n"], "up", []))
    board = hm.assembly("Board", "board", {"npu": ((3,), "Chip")}, [up])
    board = attrs.evolve(board, openings=(Opening(hm.axes(n=3), hm.ref("npu", ["n"], "x", [1, 1])),))
    ring = Rule(
        hm.ref("board", ["i", 0], "up", [0]),
        hm.ref("board", [Op("mod", Op("+", Var("i"), Const(1)), Const(4)), 0], "up", [1]),
        (Axis("i", 0, 3),),
        None,
        "Optic",
        2,
        None,
        pattern="ring",
    )
    pair = Rule(
        hm.ref("board", ["i", "j"], "up", [2]),
        hm.ref("board", ["i", Op("-", Const(1), Var("j"))], "up", [2]),
        (Axis("i", 0, 3, 2), Axis("j", 0, 1)),
        Op("and", Op("==", Var("j"), Const(0)), Not(Op("<", Var("i"), Const(0)))),
        "Copper",
        2,
        Fraction(5, 4),
    )
    rack = hm.assembly("Rack", "rack", {"board": ((4, 2), "Board"), "extra": ((), "Chip")}, (), [ring, pair])
    spots = tuple((Fraction(n), Fraction(1, 2)) for n in range(8))
    extra = attrs.evolve(rack.children[1], spare=True)
    fields = {"note": 'a "quote"', "size": (Quantity(Fraction(3, 5), LENGTH), Quantity(Fraction(12, 5), LENGTH))}
    rack = attrs.evolve(
        rack, children=(rack.children[0], extra), placements=(Placement("board", spots),), fields=fields
    )
    return hm.plan("Rack", chip, board, rack)


GOLDEN = """\
plan machine : Rack

protocol UB
  lane = 14 GB/s
  latency = 100 ns
  efficiency = 1

link Copper : UB

link Optic : UB
  slack = 500 mm

npu Chip  # 25 instances, radix 5
  port up : UB x2
  port x[2, 2] : UB x4 @open
  transit 0..2
  transit 4
  fast = true
  memory = 144 GB

board Board  # 8 instances, 3 devices, 0 cables
  npu[3] : Chip
  port up[n] = npu[n].up for n in 0..2
  open npu[n].x[1, 1] for n in 0..2

rack Rack  # 1 instance, 25 devices, 6 cables
  board[4, 2] : Board
  spare extra : Chip
  connect board[i, 0].up[0] -- board[(i + 1) mod 4, 0].up[1] as ring over Optic x2 (floor) for i in 0..3  # 4 cables
  connect board[i, j].up[2] -- board[i, 1 - j].up[2] over Copper x2 (1.25 m) for i in 0..3 step 2, j in 0..1 \
where j == 0 and not i < 0  # 2 cables
  place board as grid (0 mm, 500 mm), (1 m, 500 mm), (2 m, 500 mm), (3 m, 500 mm), …, (7 m, 500 mm); \
8 positions, checksum b6a24392
  note = "a \\"quote\\""
  size = [600 mm, 2.4 m]
"""


def test_text() -> None:
    verify(small())
    assert plan_text(small()) == GOLDEN


@given(plans())
@settings(max_examples=50, deadline=None)
def test_random_plans_verify_and_print(plan: Plan) -> None:
    verify(plan)
    assert plan_text(plan).count("\n\n") == len(plan.protocols) + len(plan.links) + len(plan.devices) + len(
        plan.assemblies
    )


# ---- what verification finds


def broken_device(**changes: object) -> Plan:
    plan = small()
    return attrs.evolve(plan, devices={"Chip": attrs.evolve(plan.devices["Chip"], **changes)})


def broken(key: str, **changes: object) -> Plan:
    plan = small()
    return attrs.evolve(plan, assemblies={**plan.assemblies, key: attrs.evolve(plan.assemblies[key], **changes)})


def broken_rule(**changes: object) -> Plan:
    rules = small().assemblies["Rack"].rules
    return broken("Rack", rules=(attrs.evolve(rules[0], **changes), rules[1]))


def left(*at: object, port: str = "up", port_at: tuple[object, ...] = (0,)) -> PortRef:
    return hm.ref("board", at, port, port_at)  # type: ignore[arg-type]


CHIP = small().devices["Chip"]
RACK = small().assemblies["Rack"]
X = Var("i")


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (attrs.evolve(small(), root="Hall"), "the root `Hall` is no type of the plan"),
        (attrs.evolve(small(), links={"Optic": Link("Optic", "UB"), "Copper": Link("Copper", "UB")}), "stands before"),
        (attrs.evolve(small(), links={"Optic": Link("Copper", "UB")}), "`Optic` of the links calls itself `Copper`"),
        (attrs.evolve(small(), protocols={}), "link `Copper` is of protocol `UB`, which the plan does not have"),
        (attrs.evolve(small(), devices={"Board": CHIP, "Chip": CHIP}), "`Board` is both a device and an assembly"),
        (attrs.evolve(small(), devices={"Chip": CHIP, "Old": attrs.evolve(CHIP, key="Old")}), "`Old` is nowhere"),
        (broken("Board", children=(Child("npu", (3,), "Fish"),)), "`Board.npu` is of type `Fish`"),
        (broken("Board", children=(Child("npu", (3,), "Rack"),)), "contains itself: `Board` > `Rack` > `Board`"),
        (broken("Rack", children=RACK.children[::-1]), "`extra` stands before `board` in the children of `Rack`"),
        (broken("Rack", children=RACK.children[:1] * 2), "`board` stands twice in the children of `Rack`"),
        (broken_device(ports=CHIP.ports[::-1]), "`x` stands before `up` in the ports of `Chip`"),
        (broken_device(transit=((0, 1), (1,))), "transit lines of `Chip` name a port twice"),
        (broken_device(transit=((5,),)), "one that it does not have"),
        (broken_device(ports=(Port("x", (2,), "IB", 4),)), "protocol `IB`"),
        (broken_device(ports=(Port("x", (2,), "UB", 0),)), "has 0 lanes"),
        (broken_device(ports=(Port("x", (-2,), "UB", 1),), transit=()), "dimension below 0"),
        (broken("Board", exports=(Export("up", (), hm.ref("npu", [3], "up", [])),)), "`3` of `npu` in .* leaves 0..2"),
        (broken_rule(left=hm.ref("shelf", [0], "up", [0])), "rule 0 of `Rack` names child `shelf`"),
        (broken_rule(left=left("i", 0, port="down")), "names port `down`, which `Board` does not have"),
        (broken_rule(left=left("i")), "has 1 subscripts for 2 dimensions"),
        (broken_rule(left=left("i", "j")), "`j` in rule 0 of `Rack` is no axis of it"),
        (broken_rule(left=left(Op("+", X, Const(1)), 0)), r"`i \+ 1` of `board` in rule 0 of `Rack` leaves 0..3"),
        (broken_rule(left=left(Op("<", X, Const(1)), 0)), "is a condition where the other belongs"),
        (broken_rule(left=left(Op("div", X, Const(0)), 0)), "divisor of `i div 0`"),
        (broken_rule(left=left(Lookup((0, 1), X), 0)), "`i` in rule 0 of `Rack` leaves its table of 2 values"),
        (broken_rule(where=X), "`i` in rule 0 of `Rack` is a number where the other belongs"),
        (broken_rule(where=Op("and", X, Op("<", X, X))), "is a number where the other belongs"),
        (broken_rule(axes=(Axis("i", 0, 3), Axis("i", 0, 3))), "an axis stands twice in rule 0"),
        (broken_rule(axes=(Axis("i", 0, 3, 0),)), "has step 0"),
        (broken_rule(link="Glue"), "is over link `Glue`"),
        (broken_rule(lanes=0), "has 0 lanes"),
        (broken_rule(length=Fraction(-1)), "a length of -1 m"),
        (broken("Rack", placements=RACK.placements * 2), "a child of `Rack` is placed twice"),
        (broken("Rack", placements=(Placement("board", ()),)), "places 0 of 8 `board`"),
        (broken("Rack", placements=(Placement("shelf", ()),)), "places `shelf`, which it does not have"),
        (broken("Board", openings=(Opening((), hm.ref("npu", [0], "x", [2, 0])),)), "an opening of `Board`"),
    ],
)
def test_verification_finds(plan: Plan, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        verify(plan)


# ---- numbering


@given(plans())
@settings(max_examples=40, deadline=None)
def test_counts_and_tables(plan: Plan) -> None:
    numbering = plan.numbering
    for key in plan.bottom_up:
        assert plan.device_count[key] == len(list(loops.device_paths(plan, key)))
        assert numbering.cable_count[key] == len(list(loops.cables(plan, key)))
        offsets = {path: n for n, (path, _) in enumerate(loops.device_paths(plan, key))}
        assembly: AssemblyType = plan.assemblies[key]
        for export in assembly.exports:
            table = numbering.table(key, export.name)
            for entry, at in enumerate(loops.index_points(export.axes, None)):
                steps, _ = loops.end(plan, key, export.ref, at)
                assert table.device[entry] == offsets[".".join(loops.subscript(*step) for step in steps)]


def test_ports_that_are_passed_on() -> None:
    passed_on = exported(small().numbering, "Board", small().assemblies["Board"].children[0])
    assert passed_on["up"].tolist() == [True] * 3
    assert np.asarray(list(passed_on)).tolist() == ["up"]
