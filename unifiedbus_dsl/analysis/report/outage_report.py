"""What a damaged machine has lost, in sentences and as JSON holds it."""

from __future__ import annotations

from typing import Any

from unifiedbus_dsl.base.units import counted, format_share
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures.wording import between, end_name
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact, Tier


def impact_sentences(machine: NetworkContext, lost: OutageImpact) -> list[str]:
    """Return what is left and what is worse than before, a sentence a line."""
    text = []
    if not lost.left:
        text.append("left: no end point")
    elif lost.left == 1 and len(lost.cut_off):
        text.append(f"left: {len(lost.cut_off) + 1:,} end points, none joined to another")
    elif len(lost.cut_off):
        one = len(lost.cut_off) == 1
        cut = f"{counted(len(lost.cut_off), 'end point')} {'has' if one else 'have'} no path"
        text.append(f"cut off: {cut} to the {lost.left:,} others: {names_of(machine, lost)}")
    elif lost.pairs_cut:
        pairs = "1 pair of them has" if lost.pairs_cut == 1 else f"{lost.pairs_cut:,} pairs of them have"
        text.append(f"left: {counted(lost.left, 'end point')}; {pairs} no path any more")
    else:
        text.append(f"left: {counted(lost.left, 'end point')}, connected as before")
    for tier in worse(lost):
        where = between(tier.low, tier.high)
        text.append(f"{where}: {format_share(remaining_fraction(tier), places=2)} of the bandwidth is left")
    if lost.hops_after > lost.hops_before:
        pair = " -> ".join(_pair_names(machine, lost))
        text.append(f"the worst pair is now {lost.hops_after} hops apart, {lost.hops_before} before: {pair}")
    return text


def _pair_names(machine: NetworkContext, lost: OutageImpact) -> tuple[str, str]:
    """Return the names of the pair that is furthest apart."""
    if lost.pair_ids is None:
        return end_name(machine, lost.source), end_name(machine, lost.target)
    names = machine.fabric.device_names(lost.pair_ids)
    return str(names[0]), str(names[1])


def names_of(machine: NetworkContext, lost: OutageImpact, most: int = 3) -> str:
    """Return the end points that are cut off, by name, the first of them."""
    named = [end_name(machine, end) for end in lost.cut_off[:most].tolist()]
    more = len(lost.cut_off) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def worse(lost: OutageImpact) -> list[Tier]:
    """Return the tiers that have less than before."""
    return [tier for tier in lost.tiers if tier.after_Bps < tier.before_Bps]


def remaining_fraction(tier: Tier) -> float:
    """Return the part of its bandwidth that a tier has left."""
    return tier.after_Bps / tier.before_Bps


def to_json(machine: NetworkContext, lost: OutageImpact, *, named: bool = True) -> dict[str, Any]:
    """In SI units, byte/s one way. Without `named` no end point is named: where one failure stands for others."""
    pair: dict[str, Any] | None = None
    if lost.source >= 0:
        pair = {"hops": lost.hops_after, "before": lost.hops_before}
        if named:
            pair |= dict(zip(("from", "to"), _pair_names(machine, lost), strict=True))
    return {
        "end_point": end_kind(machine.fabric.plan),
        "end_points_lost": len(lost.lost),
        "end_points_cut_off": len(lost.cut_off),
        "end_points_left": lost.left,
        "pairs_cut": lost.pairs_cut,
        "tiers": [
            {"low": t.low, "high": t.high, "before": t.before_Bps, "after": t.after_Bps, "unit": "B/s"}
            for t in lost.tiers
        ],
        "worst_pair": pair,
    }
