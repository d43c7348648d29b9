"""Elaborate a device: its ports, its fields, and which ports forward among themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.bind import delete_line
from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.elaborate.body import Body
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.members import fields, misplaced, shape, unknown_annotation
from unifiedbus_dsl.elaborate.picking import port_numbers
from unifiedbus_dsl.elaborate.scope import Scope
from unifiedbus_dsl.plan import DeviceType, Port
from unifiedbus_dsl.syntax import tree

if TYPE_CHECKING:
    from unifiedbus_dsl.elaborate.types import Elaborator


def build_device(elaborator: Elaborator, key: str, node: tree.TypeDef, body: Body) -> DeviceType:
    """The plan type of a device; ports that could not be understood are left out and remembered as failed."""
    ports: list[Port] = []
    for placed in body.statements:
        match placed.statement:
            case tree.PortDecl() if placed.statement.name.text in body.clashes:
                pass
            case tree.PortDecl():
                port = _port(elaborator, placed.statement, placed.scope)
                if port is None:
                    elaborator.failed[key].add(placed.statement.name.text)
                else:
                    ports.append(port)
            case tree.Field() | tree.Let() | tree.Expect() | tree.Transit():
                pass
            case other:
                misplaced(other, node.kind.text, elaborator.sink)
    ports.sort(key=lambda p: p.name)
    device = DeviceType(
        key,
        node.kind.text,
        tuple(ports),
        fields=fields(elaborator, node.kind.text, key, body),
        doc=node.doc,
        span=node.span,
    )
    transit = _transit(elaborator, device, body)
    return DeviceType(key, device.kind, device.ports, transit, device.fields, node.doc, node.span)


def _port(elaborator: Elaborator, statement: tree.PortDecl, scope: Scope) -> Port | None:
    sink = elaborator.sink
    evaluator = Evaluator(scope, sink)
    sizes = shape(statement.shape, evaluator, statement.name.text, elaborator.limits.array)
    protocol = elaborator.technology.protocol(statement.protocol, scope)
    lanes = int(statement.lanes.value)
    if lanes < 1 or lanes > 65535:
        sink.error("UB0216", f"a port can't have {lanes} lanes", statement.lanes.span, "1 to 65,535")
        return None
    opened = False
    for annotation in statement.annotations:
        if annotation.name.text == "open":
            opened = True
        else:
            unknown_annotation(annotation, ["open"], sink)
    if sizes is None or protocol is None:
        return None
    return Port(statement.name.text, sizes, protocol.name, lanes, opened, statement.span)


def _transit(elaborator: Elaborator, device: DeviceType, body: Body) -> tuple[tuple[int, ...], ...]:
    failed = elaborator.failed.get(device.key, set())
    lines: list[tuple[int, ...]] = []
    owner: dict[int, tree.Expr] = {}
    for placed in body.statements:
        if not isinstance(placed.statement, tree.Transit):
            continue
        if device.kind == "switch":
            elaborator.sink.error(
                "UB0511",
                "a switch forwards among all its ports; it has no `transit` lines",
                placed.statement.span,
                "not in a switch",
                help=("delete the line, or make the type an `npu`, `nic` or `device`",),
                fix=delete_line(placed.statement),
            )
            continue
        numbers: list[int] = []
        for ref in placed.statement.ports:
            found = port_numbers(device, ref, Evaluator(placed.scope, elaborator.sink), failed)
            for port in found or ():
                first = owner.setdefault(port, ref)
                if first is not ref:
                    elaborator.sink.error(
                        "UB0512",
                        "a port may stand in one `transit` line only",
                        ref.span,
                        "stands here again",
                        labels=(Label(first.span, "stands here first"),),
                    )
                    break
            numbers += found or []
        if numbers:
            lines.append(tuple(sorted(set(numbers))))
    return tuple(sorted(lines))
