"""The two ends of a cable and its link: a port states its most, and the cable runs at what both ends can.

An adapter of an older generation, or of fewer lanes, in a newer port brings the cable down to its own speed, which is
told. Two protocols are generations of one only where the lane of one is slower than that of the other and the link is
of one of the two; others can't talk to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from attrs import evolve, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import RATE, Quantity, format_quantity
from unifiedbus_dsl.diagnostics import Label, Severity
from unifiedbus_dsl.ir.plan import Link
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Reference
from unifiedbus_dsl.syntax import tree


@frozen
class Cable:
    """What runs between the two ends: a link, its length in metres if the text gives one, and the place of both.

    `lanes` is its width once the ends are known. `lanes_of` has the lane rate of each protocol, byte/s, and `carry`
    gives a link as it runs at the speed of another protocol.
    """

    link: Link
    length: Fraction | None
    span: Span
    lanes_of: Mapping[str, Fraction]
    carry: Callable[[Link, str], Link]
    lanes: int = 0


ChooseLink = Callable[[tree.TypeRef | None, tree.Statement, AssemblyScope], Cable | None]


def match_ends(left: Reference, right: Reference, cable: Cable, wall: AssemblyScope) -> Cable | None:
    """Return the cable with the width and the protocol at which it runs; None after a diagnostic."""
    running = _protocol(left, right, cable, wall)
    if running is None:
        return None
    lanes = min(left.view.lanes, right.view.lanes)
    if left.view.lanes != right.view.lanes:
        most, least = sorted((left, right), key=lambda ref: -ref.view.lanes)
        widths = f"x{left.view.lanes} and x{right.view.lanes}"
        wall.sink.error(
            "UB0502",
            f"the two ends have different widths, {widths}: the cable runs at x{lanes}",
            most.span,
            f"x{most.view.lanes} here",
            labels=(Label(least.span, f"is x{lanes}"),),
            help=("if both ends should run at their most, give them the same number of lanes",),
            severity=Severity.NOTE,
        )
    return evolve(cable, link=cable.carry(cable.link, running), lanes=lanes)


def _protocol(left: Reference, right: Reference, cable: Cable, wall: AssemblyScope) -> str | None:
    """Return the slowest of the protocols of both ends and the link, if the cable can run at it."""
    speaks, carries = {left.view.protocol, right.view.protocol}, cable.link.protocol
    if speaks == {carries}:
        return carries
    if carries not in speaks:
        wall.sink.error(
            "UB0503",
            f"`{cable.link.name}` carries `{carries}`, and the ports speak `{left.view.protocol}`"
            if len(speaks) == 1
            else f"`{cable.link.name}` carries `{carries}`, and the ports speak {_both(left, right)}",
            cable.span,
            f"carries `{carries}`",
            labels=(Label(left.span, f"speaks `{left.view.protocol}`"),),
            help=(f"use a link of `{left.view.protocol}`: `link NAME : {left.view.protocol} {{ … }}`",),
        )
        return None
    older, newer = sorted((left, right), key=lambda ref: cable.lanes_of[ref.view.protocol])
    if cable.lanes_of[older.view.protocol] == cable.lanes_of[newer.view.protocol]:
        wall.sink.error(
            "UB0503",
            f"the two ends speak different protocols: {_both(left, right)}",
            right.span,
            f"speaks `{right.view.protocol}`",
            labels=(Label(left.span, f"speaks `{left.view.protocol}`"),),
            help=("a device with ports of both, and a `transit` line over them, goes in between",),
        )
        return None
    _tell_slower(older, newer, cable.lanes_of, wall)
    return older.view.protocol


def _tell_slower(older: Reference, newer: Reference, lanes: Mapping[str, Fraction], wall: AssemblyScope) -> None:
    slow, fast = (format_quantity(Quantity(lanes[ref.view.protocol], RATE)) for ref in (older, newer))
    wall.sink.error(
        "UB0503",
        f"the two ends speak {_both(older, newer)}: the cable runs as `{older.view.protocol}`, {slow} a lane of {fast}",
        newer.span,
        f"`{newer.view.protocol}` comes down to `{older.view.protocol}` here",
        labels=(Label(older.span, f"speaks `{older.view.protocol}`"),),
        help=("where the two are no generations of one, a device with ports of both goes in between",),
        severity=Severity.NOTE,
    )


def _both(one: Reference, two: Reference) -> str:
    return f"`{one.view.protocol}` and `{two.view.protocol}`"
