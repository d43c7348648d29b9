"""A fat tree for htsim (Broadcom/csg-htsim, sim/datacenter/fat_tree_topology.cpp; `.topo` files).

htsim builds the tree itself from a few numbers, so a machine has to be such a tree: each end point with one cable to a
switch of tier 0, two or three tiers of switches, all of a tier alike and cabled alike. In a tree of three tiers, pods
are what hangs together without the top. Whole Gbps and nanoseconds; the sums that htsim checks when it reads the file
are checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, left_out, refuse, remark
from unifiedbus_dsl.export.common.devices import latencies, of_kind, tiers
from unifiedbus_dsl.export.common.pairs import Pairs, pairs_of
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.graph.network import connected_components
from unifiedbus_dsl.ir.fabric import Fabric

Ints = NDArray[np.int64]


class NoFatTree(ValueError):  # noqa: N818 - it is a reason, not a fault
    """Why a machine is no tree that htsim builds."""


@frozen
class Tier:
    """Switches of one tier: how many, cables down and up of one, cables to one neighbour below, bit/s and s of a cable
    down, s of the switch."""

    switches: int
    down: int
    up: int
    bundle: int
    rate: float
    latency: float
    switch: float


@frozen
class Tree:
    hosts: int
    pod: int
    tiers: tuple[Tier, ...]


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    try:
        tree = fat_tree(fabric)
    except NoFatTree as reason:
        raise _no(subject, sink, str(reason)) from reason
    exact = [value for tier in tree.tiers for value in (tier.rate / 1e9, tier.latency * 1e9, tier.switch * 1e9)]
    if any(abs(value - round(value)) > 1e-6 for value in exact):
        left_out(sink, "htsim has whole Gbps and nanoseconds: rates and latencies were rounded", "simgrid")
    speed = round(tree.tiers[0].rate / 1e6)
    remark(
        sink,
        "UB0806",
        "htsim's hosts send at 100 Gbps, whatever the cables of tier 0 carry, unless a run is told",
        f"run it with `-linkspeed {speed}`",
    )
    write_text(path, _parts(tree))


def _no(subject: ExportInput, sink: Sink, reason: str) -> CannotExportError:
    return refuse(
        sink,
        f"htsim builds fat trees of two or three tiers of switches: {reason}",
        "simgrid",
        subject.plan.type(subject.plan.root).span,
    )


def fat_tree(fabric: Fabric) -> Tree:
    """Return the tree that a machine is.

    Raises:
        NoFatTree: it is none, or none of those that htsim builds.
    """
    links = pairs_of(fabric)
    switch, level = of_kind(fabric, "switch"), tiers(fabric)
    if (level < 0).any():
        raise NoFatTree("some switches have no way to an end point")
    count = int(level.max(initial=0))
    if count not in (2, 3):
        raise NoFatTree("this machine has none" if not count else f"this machine has {count}")
    below, above = np.where(level[links.a] < level[links.b], (links.a, links.b), (links.b, links.a))
    if (level[above] != level[below] + 1).any():
        raise NoFatTree("some cables are within a tier or past one")
    per_host = np.bincount(below[level[below] == 0], weights=links.count[level[below] == 0], minlength=len(level))
    if (per_host[~switch] != 1).any():
        raise NoFatTree("each end point has one cable to a switch there, and some have more")
    made = tuple(_tier(fabric, links, level, below, above, tier) for tier in range(1, count + 1))
    hosts = int((~switch).sum())
    pods = _pods(links, level, count)
    sizes = np.bincount(pods[~switch])
    if len(np.unique(sizes[sizes > 0])) != 1:
        raise NoFatTree("the pods are not all of one size")
    tree = _checked(Tree(hosts, int(sizes.max()), made))
    if count == 3:
        _check_top(level, below, above, pods)
    return tree


def _tier(fabric: Fabric, links: Pairs, level: Ints, below: Ints, above: Ints, tier: int) -> Tier:
    """Return the switches `tier` cables above the end points."""
    mine, up = level[above] == tier, level[below] == tier
    switches = np.flatnonzero(level == tier)
    down = np.bincount(above[mine], weights=links.count[mine], minlength=len(level))[switches]
    upward = np.bincount(below[up], weights=links.count[up], minlength=len(level))[switches]
    latency = latencies(fabric)[switches]
    each = links.rate[mine] / links.count[mine]
    for what, values in (
        ("cables down", down),
        ("cables up", upward),
        ("cables to a neighbour", links.count[mine]),
        ("rates", np.round(each)),
        ("latencies of cables", np.round(links.latency[mine] * 1e12)),
        ("latencies of switches", np.round(latency * 1e12)),
    ):
        if len(np.unique(values)) != 1:
            raise NoFatTree(f"the {what} of tier {tier - 1} are not all alike")
    return Tier(
        len(switches),
        int(down[0]),
        int(upward[0]),
        int(links.count[mine][0]),
        float(each[0] * 8),
        float(links.latency[mine][0]),
        float(latency[0]),
    )


def _pods(links: Pairs, level: Ints, tiers: int) -> Ints:
    """Return the pod of each device, [D]: what hangs together without the top tier; all of two tiers."""
    inner = (level[links.a] < tiers) & (level[links.b] < tiers) if tiers == 3 else np.ones(len(links.a), dtype=bool)
    return connected_components(len(level), links.a[inner], links.b[inner]).astype(np.int64)


def _check_top(level: Ints, below: Ints, above: Ints, pods: Ints) -> None:
    """htsim cables a switch of the top to the one at the same place of each pod.

    So what the cables of the top join is one switch of each pod, with all those above it.

    Raises:
        NoFatTree: they are cabled otherwise.
    """
    top = level[above] == 3
    part = connected_components(len(level), below[top], above[top])
    lower = np.flatnonzero(level == 2)
    places = np.unique(np.stack([part[lower], pods[lower]]), axis=1).shape[1]
    if places < len(lower):
        raise NoFatTree("the switches of the top are not cabled to the same place of each pod")


def _checked(tree: Tree) -> Tree:
    """Return the tree, if htsim would cable it as the machine is."""
    first = tree.tiers[0]
    if first.bundle != 1 or tree.pod % first.down or tree.hosts % tree.pod:
        raise NoFatTree("its pods are no whole number of switches of tier 0")
    leaves = tree.pod // first.down
    # in a pod, each switch of tier 0 meets each of tier 1; at the top, each switch meets each pod alike
    second = tree.tiers[1]
    if second.down != leaves * second.bundle:
        raise NoFatTree("not every switch of tier 0 is cabled to every one of tier 1 of its pod")
    if len(tree.tiers) == 3:
        top, pods = tree.tiers[2], tree.hosts // tree.pod
        if top.down != pods * top.bundle:
            raise NoFatTree("not every switch of the top is cabled to one of each pod")
    for lower, upper in zip(tree.tiers, tree.tiers[1:], strict=False):
        if _over(lower, upper) != round(_over(lower, upper)):
            raise NoFatTree("the bandwidth below a switch is no whole multiple of that above it")
    return tree


def _over(lower: Tier, upper: Tier) -> float:
    """Bandwidth below a switch, in that above it."""
    return lower.down * lower.rate / (lower.up * upper.rate)


def _parts(tree: Tree) -> Iterator[str]:
    yield f"Nodes {tree.hosts}\nTiers {len(tree.tiers)}\nPodsize {tree.pod}\n"
    for number, tier in enumerate(tree.tiers):
        yield f"\nTier {number}\nDownlink_speed_Gbps {round(tier.rate / 1e9)}\nRadix_Down {tier.down}\n"
        if number < len(tree.tiers) - 1:
            yield f"Radix_Up {tier.up}\n"
            over = round(_over(tier, tree.tiers[number + 1]))
            yield f"Oversubscribed {over}\n" if over > 1 else ""
        if tier.bundle > 1:
            yield f"Bundle {tier.bundle}\n"
        yield f"Downlink_Latency_ns {round(tier.latency * 1e9)}\nSwitch_Latency_ns {round(tier.switch * 1e9)}\n"


FORMAT = Format(
    "htsim",
    "a fat tree for htsim",
    "fabric",
    "topo",
    write,
    ("names", "ports", "limits of injection"),
    "simgrid",
)
