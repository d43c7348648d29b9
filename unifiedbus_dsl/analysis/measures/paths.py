"""Hops, latency, disjoint paths, and who reaches whom."""

from __future__ import annotations

from unifiedbus_dsl import units
from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call
from unifiedbus_dsl.analysis.wording import pair_name
from unifiedbus_dsl.solve import paths
from unifiedbus_dsl.units import NUMBER, TIME, Dimension


def hops(call: Call) -> Answer:
    found = paths.hops(call.machine.symmetry, *call.pair())
    return _answer(call, found, NUMBER, "shortest paths by cables")


def latency(call: Call) -> Answer:
    source, target = call.pair()
    message = call.quantity("message", units.SIZE) or 0.0
    found = paths.latency(call.machine.timed_symmetry, source, target, message)
    return _answer(call, found, TIME, "zero load, cut-through")


def _answer(call: Call, found: paths.Histogram, dimension: Dimension, assumption: str) -> Answer:
    mean = call.name.startswith("mean_")
    return call.exact(
        found.mean if mean else found.largest,
        dimension,
        binding=() if mean else (pair_name(call.machine, found.source, found.target),),
        assumptions=(assumption,),
        detail={"histogram": [[float(v), int(n)] for v, n in zip(found.value, found.pairs, strict=True)]},
    )


def disjoint_paths(call: Call) -> Answer:
    found = paths.disjoint_paths(call.machine.symmetry, *call.pair())
    binding = (pair_name(call.machine, found.source, found.target),)
    return call.exact(found.paths, NUMBER, binding=binding, assumptions=("max-flow of cables",))


def connected(call: Call) -> Answer:
    truth = paths.connected(call.machine.symmetry, call.ends(call.one()))
    return call.exact(float(truth), NUMBER, detail={"truth": truth}, text="yes" if truth else "no")


def reachable(call: Call) -> Answer:
    return call.exact(paths.reachable(call.machine.network, call.ends(call.one())), NUMBER)
