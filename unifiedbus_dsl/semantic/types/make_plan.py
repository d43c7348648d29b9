"""The plan of a type: what of all that was elaborated lies below it."""

from __future__ import annotations

from collections.abc import Mapping

from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Plan, PlanType
from unifiedbus_dsl.semantic.types.link_types import LinkRegistry


def make_plan(system: str, root: str, known: Mapping[str, PlanType], technology: LinkRegistry) -> Plan:
    """Return the plan of a root type: the types below it, and the protocols and links that they use, in order of
    key."""
    types: dict[str, PlanType] = {}

    def visit(key: str) -> None:
        if key not in types:
            types[key] = kind = known[key]
            for child in kind.children if isinstance(kind, AssemblyType) else ():
                visit(child.type)

    visit(root)
    devices = {key: kind for key, kind in sorted(types.items()) if isinstance(kind, DeviceType)}
    assemblies = {key: kind for key, kind in sorted(types.items()) if isinstance(kind, AssemblyType)}
    used_links = {rule.link for kind in assemblies.values() for rule in kind.rules}
    links = {name: link for name, link in sorted(technology.links.items()) if name in used_links}
    used = {port.protocol for kind in devices.values() for port in kind.ports} | {
        link.protocol for link in links.values()
    }
    protocols = {name: p for name, p in sorted(technology.protocols.items()) if name in used}
    return Plan(system, root, protocols, links, devices, assemblies)
