"""The traffic that can be named: by its statement, or as what a workload exchanges along an axis."""

from __future__ import annotations

from collections.abc import Mapping

from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.workload.training import EXCHANGED


def named_traffic(model: Model, system: str | None = None) -> Mapping[str, str]:
    """Return the system of each traffic of the main file by its name, and of what workloads exchange: `pretrain.data`.
    By default those of all systems."""
    named = {name: node.of.text for name, node in model.asked(tree.Traffic, system).items()}
    for name, node in model.asked(tree.Workload, system).items():
        named |= {f"{name}.{axis}": node.of.text for axis in EXCHANGED}
    return named
