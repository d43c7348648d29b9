"""Bounds on a measure by what other questions about the same machine have answered, of runs whose time is limited.

With n end points of a kind that send to each other, r what each injects, h the mean hops and C the capacity of all
cables, both ways:

    a cut of capacity c that halves them    r <= c (n - 1) / (floor(n/2) ceil(n/2))    whatever the routing
    all cables together                     r <= C / (n h)
    from the other side                     bisection >= r floor(n/2) ceil(n/2) / (n - 1)
    a path of k hops                        k cables and k - 1 vertices of the least or the largest latency
    two routings                            ecmp, wcmp <= minimal <= optimal
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import ceil, inf
from typing import TypeAlias, cast

from attrs import evolve, frozen

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.solver.bounds import hold_order
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name

BY_ANSWERS = "bounded by the answer to {}"
ABOVE: Mapping[str, tuple[str, ...]] = {
    "ecmp": ("minimal", "optimal"),
    "wcmp": ("minimal", "optimal"),
    "minimal": ("optimal",),
}
"""By routing: those that carry no less."""
FEASIBLE = frozenset(("ecmp", "wcmp", "minimal", "optimal", "updown"))
"""Routings that pass through what forwards alone: none carries more than `optimal`."""


QUICKLY_MADE = 2_000_000
"""Cables up to which a network is made after the time is over: a second, about."""


@frozen
class Key:
    """A measure of all end points of a kind: nothing else changes what it is about. `routing` is that of a throughput
    of an all-to-all, else nothing."""

    measure: str
    selection: str
    routing: str = ""

    def of(self, measure: str, routing: str = "") -> Key:
        """Return another measure of the same end points."""
        return Key(measure, self.selection, routing)

    @property
    def text(self) -> str:
        """The measure as a reader asks it."""
        if self.routing:
            return f"`throughput(alltoall(all {self.selection}), routing = {self.routing})`"
        return f"`{self.measure}(all {self.selection})`"


@frozen
class Known:
    """Proved bounds, and whether a verifier has worked them out anew."""

    lower: float
    upper: float
    verified: bool


Answered: TypeAlias = dict[Key, Known]


def answered_of(machine: NetworkContext) -> Answered:
    """Return what has been answered about a machine."""
    return cast(Answered, vars(machine).setdefault("_answered", {}))


def key_of(call: MeasureCall) -> Key | None:
    """Return what a call asks; None where it is about other than all end points of a kind."""
    named, plain = dict(call.named), call.plain
    if call.name == "throughput" and len(plain) == 1 and not set(named) - {"routing"}:
        routing = named.get("routing")
        if routing is not None and not (isinstance(routing, tree.Name) and routing.text in FEASIBLE):
            return None
        members = alltoall_members(plain[0], call)
        name = None if members is None else whole_kind(members)
        return None if name is None else Key("throughput", name, call.word("routing", "ecmp"))
    name = whole_kind(plain[0]) if len(plain) == 1 and not named else None
    return None if name is None else Key(call.name, name)


def alltoall_members(node: tree.Expr, call: MeasureCall) -> tree.Expr | None:
    """Return who takes part in a traffic that is an all-to-all without more; None of another one."""
    if isinstance(node, tree.Name) and node.text in call.traffics:
        node = call.traffics[node.text].value
    if not isinstance(node, tree.Call) or dotted_name(node.function) != ("alltoall",):
        return None
    return node.args[0].value if len(node.args) == 1 and node.args[0].name is None else None


def whole_kind(node: tree.Expr) -> str | None:
    """Return the name of the kind or type whose devices are all selected."""
    if not isinstance(node, tree.All) or node.scope is not None or node.where is not None:
        return None
    return ".".join(word.text for word in node.path)


def remember(call: MeasureCall, answer: Answer) -> None:
    """Keep what an answer proves."""
    key = key_of(call)
    if key is not None and answer.kind != "estimate":
        answered_of(call.machine)[key] = Known(answer.lower, answer.upper, not answer.unverified)


Found: TypeAlias = Iterator[tuple[float, float, Key]]
"""Lower and upper bounds, each with the question whose answer gives them."""


def tightened(call: MeasureCall, answer: Answer) -> Answer:
    """Return an interval with the bounds that other answers give where these are narrower.

    Raises:
        VerificationError: they contradict it.
    """
    key, known = key_of(call), answered_of(call.machine)
    if key is None or answer.kind != "interval" or not known:
        return answer
    lower, upper, used = answer.lower, answer.upper, dict[Key, None]()
    for low, high, of in _RULES.get(key.measure, _none)(call, key, known):
        if low > lower or high < upper:
            lower, upper, used[of] = max(lower, low), min(upper, high), None
    if not used:
        return answer
    hold_order(lower, upper)
    lower = min(lower, upper)
    said = tuple(BY_ANSWERS.format(of.text) for of in used)
    doubts = tuple(f"the answer to {of.text}, which bounds it" for of in used if not known[of].verified)
    return evolve(
        answer, value=lower, lower=lower, upper=upper, text="",
        assumptions=(*answer.assumptions, *said), unverified=(*answer.unverified, *doubts),
    )  # fmt: skip


def _ends(call: MeasureCall) -> int:
    """Return how many end points a question of `key_of` is about; 0 where that is not known without all of them."""
    node = call.one()
    members = alltoall_members(node, call) if call.name == "throughput" else node
    assert isinstance(members, tree.All)
    if is_network_at_hand(call):
        return len(call.ends(members))
    keys = call.selector.type_keys(members) or []
    plan = call.machine.fabric.plan
    if not call.machine.is_whole or not plan.devices.keys() >= {*keys}:
        return 0
    return sum(plan.in_service[key] for key in keys if plan.devices[key].kind != "switch")


def is_network_at_hand(call: MeasureCall) -> bool:
    """Return whether the network of the machine is made, or quickly made."""
    plan = call.machine.fabric.plan
    return "network" in vars(call.machine) or plan.numbering.cable_count[plan.root] <= QUICKLY_MADE


def _none(call: MeasureCall, key: Key, known: Answered) -> Found:
    yield from ()


def _throughput(call: MeasureCall, key: Key, known: Answered) -> Found:
    ends, cut, hops = _ends(call), key.of("bisection"), key.of("mean_hops")
    if ends > 1 and cut in known:
        yield 0.0, known[cut].upper * (ends - 1) / _pairs_across(ends), cut
    if ends > 1 and hops in known and known[hops].lower > 0 and is_network_at_hand(call):
        yield 0.0, float(call.machine.network.capacity_Bps.sum()) / (ends * known[hops].lower), hops
    for other in _throughputs(key, known):
        least = key.routing == "optimal" or key.routing in ABOVE.get(other.routing, ())
        most = other.routing == "optimal" or other.routing in ABOVE.get(key.routing, ())
        yield known[other].lower if least else 0.0, known[other].upper if most else inf, other


def _bisection(call: MeasureCall, key: Key, known: Answered) -> Found:
    ends = _ends(call)
    if ends > 1:
        for other in _throughputs(key, known):
            yield known[other].lower * _pairs_across(ends) / (ends - 1), inf, other


def _throughputs(key: Key, known: Answered) -> Iterator[Key]:
    """Yield what is known of an all-to-all of the same end points."""
    yield from (each for each in known if each.selection == key.selection and each.routing)


def _pairs_across(ends: int) -> int:
    """Return the pairs, one way, whose end points are in different halves."""
    return (ends // 2) * ((ends + 1) // 2)


def _hops(call: MeasureCall, key: Key, known: Answered) -> Found:
    mean, largest = key.of("mean_hops"), key.of("diameter")
    if key == largest and mean in known:
        yield float(ceil(known[mean].lower - 1e-9)), inf, mean
    if key == mean and largest in known:
        yield 1.0, known[largest].upper, largest


def _latency(call: MeasureCall, key: Key, known: Answered) -> Found:
    hops = key.of("diameter" if key.measure == "latency" else "mean_hops")
    if hops not in known or not is_network_at_hand(call) or not call.machine.timed_network.arcs:
        return
    network = call.machine.timed_network
    arc, passing = network.kinds.latency_s[network.kind], network.latency_s[network.forwards]
    few, many = known[hops].lower, known[hops].upper
    least = float(passing.min()) if len(passing) else 0.0
    yield (
        few * float(arc.min()) + max(0.0, few - 1) * least,
        many * float(arc.max()) + max(0.0, many - 1) * float(passing.max(initial=0.0)),
        hops,
    )


def _disjoint(call: MeasureCall, key: Key, known: Answered) -> Found:
    for other in (key.of("diameter"), key.of("mean_hops")):
        if other in known and known[other].upper < inf:
            yield 1.0, inf, other


_RULES: Mapping[str, Callable[[MeasureCall, Key, Answered], Found]] = {
    "throughput": _throughput,
    "bisection": _bisection,
    "diameter": _hops,
    "mean_hops": _hops,
    "latency": _latency,
    "mean_latency": _latency,
    "disjoint_paths": _disjoint,
}
