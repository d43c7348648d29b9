"""Elaborate a device: its ports, its fields, and which ports forward among themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from attrs import evolve

from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.ir.plan import DeviceType, Port
from unifiedbus_dsl.semantic.names.name_check import delete_line
from unifiedbus_dsl.semantic.select.picking import port_numbers
from unifiedbus_dsl.semantic.types.body import Body
from unifiedbus_dsl.semantic.types.context import Elaboration
from unifiedbus_dsl.semantic.types.members import (
    evaluate_cage,
    evaluate_fields,
    evaluate_shape,
    known_annotations,
    misplaced_statement,
)
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.syntax import tree


def build_device(elaborator: Elaboration, key: str, node: tree.TypeDef, body: Body) -> DeviceType:
    """Return the plan type of a device; ports that could not be understood are left out and remembered as failed."""
    ports: list[Port] = []
    cages: dict[str, int] = {}
    for placed in body.statements:
        match placed.statement:
            case tree.PortDecl() if placed.statement.name.text in body.clashes:
                pass
            case tree.PortDecl():
                port = _port(elaborator, placed.statement, placed.scope)
                cage = None if port is None else evaluate_cage(placed, port.shape, elaborator.sink)
                if port is None or cage is None:
                    elaborator.failed[key].add(placed.statement.name.text)
                else:
                    ports.append(port)
                    cages[port.name] = cage
            case tree.Field() | tree.Let() | tree.Expect() | tree.Transit():
                pass
            case other:
                misplaced_statement(other, node.kind.text, elaborator.sink)
    ports.sort(key=lambda p: p.name)
    device = DeviceType(
        key,
        node.kind.text,
        tuple(ports),
        fields=evaluate_fields(elaborator, node.kind.text, key, body),
        doc=node.doc,
        span=node.span,
        cages=tuple(_runs(ports, cages)),
    )
    transit, between = _transit(elaborator, device, body)
    return evolve(device, transit=transit, between=between)


def _port(elaborator: Elaboration, statement: tree.PortDecl, scope: Scope) -> Port | None:
    sink = elaborator.sink
    evaluator = Evaluator(scope, sink)
    sizes = evaluate_shape(statement.shape, evaluator, statement.name.text, elaborator.limits.array)
    protocol = elaborator.technology.protocol(statement.protocol, scope)
    lanes = int(statement.lanes.value)
    if lanes < 1 or lanes > 65535:
        sink.error("UB0216", f"a port can't have {lanes} lanes", statement.lanes.span, "1 to 65,535")
        return None
    known_annotations(statement.annotations, ["open", "cage"], sink)
    opened = any(annotation.name.text == "open" for annotation in statement.annotations)
    if sizes is None or protocol is None:
        return None
    return Port(statement.name.text, sizes, protocol.name, lanes, opened, statement.span)


def _runs(ports: list[Port], cages: Mapping[str, int]) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of cages of a device whose ports are in order."""
    first = 0
    for port in ports:
        if cages[port.name] > 1:
            yield first, cages[port.name], port.count // cages[port.name]
        first += port.count


_Line: TypeAlias = tuple[int, ...]


def _transit(
    elaborator: Elaboration, device: DeviceType, body: Body
) -> tuple[tuple[_Line, ...], tuple[tuple[_Line, _Line], ...]]:
    """Return the port numbers of each line, and of both sides of each line with two."""
    failed = elaborator.failed.get(device.key, set())
    lines: list[_Line] = []
    between: list[tuple[_Line, _Line]] = []
    owner: dict[int, tree.Expr] = {}
    for placed in body.statements:
        line = placed.statement
        if not isinstance(line, tree.Transit):
            continue
        if device.kind == "switch":
            elaborator.sink.error(
                "UB0511",
                "a switch forwards among all its ports; it has no `transit` lines",
                line.span,
                "not in a switch",
                help=("delete the line, or make the type an `npu`, `nic` or `device`",),
                fix=delete_line(line),
            )
            continue
        evaluator = Evaluator(placed.scope, elaborator.sink)
        sides = [_side(device, refs, evaluator, failed, owner) for refs in (line.ports, line.others) if refs]
        if len(sides) == 2 and all(sides):
            between.append((min(sides), max(sides)))
        elif len(sides) == 1 and sides[0]:
            lines.append(sides[0])
    return tuple(sorted(lines)), tuple(sorted(between))


def _side(
    device: DeviceType,
    refs: tuple[tree.Expr, ...],
    evaluator: Evaluator,
    failed: set[str],
    owner: dict[int, tree.Expr],
) -> _Line:
    """Return the port numbers of one side of a line; `owner` says of each port where it stands."""
    numbers: set[int] = set()
    for ref in refs:
        ports = port_numbers(device, ref, evaluator, failed)
        for port in ports or ():
            first = owner.setdefault(port, ref)
            if first is not ref:
                evaluator.sink.error(
                    "UB0512",
                    "a port may stand in one `transit` line only, on one side of it",
                    ref.span,
                    "stands here again",
                    labels=(Label(first.span, "stands here first"),),
                )
                break
        numbers.update(ports or ())
    return tuple(sorted(numbers))
