"""Lanes beyond budget: a device whose ports need more lanes than its `lanes` field gives it."""

from __future__ import annotations

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.ir.plan import Plan


def lanes(plan: Plan, sink: Sink) -> None:
    """UB0510 for each device type over its budget."""
    for device in plan.devices.values():
        budget = device.fields.get("lanes")
        need = sum(port.count * port.lanes for port in device.ports)
        if not isinstance(budget, Quantity) or need <= budget.value:
            continue
        labels = tuple(
            Label(port.span, f"{port.count} × x{port.lanes} = {port.count * port.lanes} lanes")
            for port in device.ports
            if port.span
        )
        sink.error(
            "UB0510",
            f"the ports of `{device.key}` need {need} lanes, and it has {int(budget.value)}",
            device.span,
            f"{need - int(budget.value)} too many",
            labels=labels,
            help=("take ports or lanes away, or raise `lanes`",),
        )
