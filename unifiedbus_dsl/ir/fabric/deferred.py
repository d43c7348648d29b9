"""A fabric that is expanded when one of its columns is first looked at: what the plan answers costs no fabric."""

from __future__ import annotations

from typing import Any

from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan

_COLUMNS = ("device_type", "a_device", "a_port", "b_device", "b_port", "kind", "kinds")


class DeferredFabric(Fabric):
    """The fabric of a plan; the same as `expand(plan, sources_hash)`, later. With columns, as `attrs.evolve` gives
    them, it is a `Fabric` of these: they need not be those of the plan."""

    def __new__(cls, *args: Any, **given: Any) -> Any:
        return Fabric(*args, **given) if given.keys() & {*_COLUMNS} else super().__new__(cls)

    def __init__(self, plan: Plan, sources_hash: str = "") -> None:
        object.__setattr__(self, "plan", plan)
        object.__setattr__(self, "sources_hash", sources_hash)

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet: a column, once."""
        if name not in _COLUMNS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        from unifiedbus_dsl.ir.fabric.expand import device_types, expand

        if name == "device_type":  # of the devices alone the columns of cables need not be made
            object.__setattr__(self, name, device_types(self.plan))
            return vars(self)[name]
        made = expand(self.plan, self.sources_hash)
        for column in _COLUMNS:
            object.__setattr__(self, column, getattr(made, column))
        return getattr(self, name)

    @property
    def device_count(self) -> int:
        return self.plan.device_count[self.plan.root]

    @property
    def cable_count(self) -> int:
        return self.plan.numbering.cable_count[self.plan.root]

    @property
    def expanded(self) -> bool:
        """Whether its columns are there."""
        return "kind" in vars(self)
