"""Readers of what exporters write, from the documentation of the formats."""

from __future__ import annotations

from unifiedbus_dsl.export.common.hostlist import unfold


def slurm_tree(text: str) -> dict[str, frozenset[str]]:
    """The nodes under each switch of a `topology.conf`, as topology.conf(5) says."""
    lines = [dict(pair.split("=", 1) for pair in line.split()) for line in text.splitlines()]
    below = {
        line["SwitchName"]: (unfold(line.get("Switches", "")), frozenset(unfold(line.get("Nodes", ""))))
        for line in lines
    }

    def nodes(name: str) -> frozenset[str]:
        switches, own = below[name]
        return own.union(*(nodes(inner) for inner in switches)) if switches else own

    return {name: nodes(name) for name in below}
