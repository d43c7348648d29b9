"""Trees behind shared injections, and bounds of several groups: those of right answers hold, and each way to make
them wrong is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import HEAD, call_of, evaluate, measured, with_measure
from tests.verify.test_gathering import HUB
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError, gathering
from unifiedbus_dsl.verify.relayed import PricedCertificate
from unifiedbus_dsl.verify.trees import Links

SIDED = (
    HEAD
    + """
npu Npu { port a[2] : UB x1; port b[2] : UB x1; transit a -- b; injection = 15 GB/s }
superpod Pod {
  npu[4] : Npu
  connect npu[i].a[0] -- npu[(i + 1) mod 4].b[0] over Wide(1 m) for i in 0..3
  connect npu[i].a[1] -- npu[i + 2].a[1] over Wide(1 m) for i in 0..1
  open npu.b[1]
}
system pod : Pod
"""
)
"""Four NPUs that forward between two sides of a ring; two cables more cross it."""
HALVES = (
    HEAD
    + """
npu Npu { port left : UB x1; port right : UB x1; port aside : UB x1; transit left, right; injection = 22 GB/s }
switch Hub { port down[6] : UB x1 }
module Half {
  npu[3] : Npu
  port l = npu[0].left
  port r = npu[2].right
  port aside = npu.aside
  connect npu[i].right -- npu[i + 1].left over Wide(1 m) for i in 0..1
}
superpod Pod {
  half[2] : Half
  hub : Hub
  connect half[i].r -- half[(i + 1) mod 2].l over Wide(1 m) for i in 0..1
  connect half[i].aside[k] -- hub.down[3*i + k] over Wide(1 m) for i in 0..1, k in 0..2
}
system pod : Pod
"""
)
"""Two halves of a ring of six, and a hub; within and across them are two and three groups."""
PACKED = ["broadcast", "allreduce"]


def question(collective: str, more: str = "") -> str:
    return f"optimal_time({collective}(all npu{more}, size = 1 MB))"


@pytest.mark.parametrize(("collective", "least_s"), [("broadcast", 200e-6), ("allreduce", 300e-6)])
def test_trees_and_their_prices_meet(collective: str, least_s: float) -> None:
    """The hub sends on two copies at 10 GB/s; three go in and three out where elements are added up in turn."""
    call, certified = measured(HUB, question(collective))
    found = verified(call, certified)
    assert (found.standing, found.value) == ("exact", pytest.approx(least_s))
    proof = certified.certificate
    assert evolve(proof, trees=()).prove(cables_of(call.machine)).unverified == (gathering.ABOVE,)


@pytest.mark.parametrize("collective", ["broadcast", "allgather", "allreduce"])
def test_two_sided_lines_are_shown_by_trees(collective: str) -> None:
    """What goes the other way passes another vertex there, so cuts alone do not say what is reached."""
    call, certified = measured(SIDED, question(collective))
    assert not verified(call, certified).unverified
    assert evolve(certified.certificate, trees=()).prove(cables_of(call.machine)).unverified


def changed(links: Links, change: Callable[[np.ndarray], np.ndarray]) -> Links:
    return evolve(links, load_Bps=change(links.load_Bps.copy()))


def one_arc_more(load: np.ndarray) -> np.ndarray:
    load[0, 0] += 1e9
    return load


WRONG_TREES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda trees: evolve(trees, spread=changed(trees.spread, lambda load: load * 1.5)), "fit|more than an injection"),
    (lambda trees: evolve(trees, spread=changed(trees.spread, lambda load: -load)), "none below 0"),
    (lambda trees: evolve(trees, spread=changed(trees.spread, one_arc_more)), "link|injection|fit"),
    (lambda trees: evolve(trees, spread=changed(trees.spread, lambda load: load[:-1])), "a load for each node"),
    (
        lambda trees: evolve(trees, spread=Links(trees.spread.nodes[1:], trees.spread.load_Bps[1:])),
        "has no links|same nodes",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG_TREES)
@pytest.mark.parametrize("collective", PACKED)
def test_broken_trees_are_refused(collective: str, change: Callable[[Any], Any], message: str) -> None:
    call, certified = measured(HUB, question(collective))
    (proof,) = certified.certificate.trees
    wrong = evolve(certified.certificate, trees=(evolve(proof, trees=change(proof.trees)),))
    with pytest.raises(VerificationError, match=message):
        wrong.prove(cables_of(call.machine))


@pytest.mark.parametrize("collective", PACKED)
def test_trees_of_other_rates_show_no_more(collective: str) -> None:
    """Rates that links don't carry are cut down to what they do; links that carry nothing show nothing."""
    call, certified = measured(HUB, question(collective))
    (proof,), cables = certified.certificate.trees, cables_of(call.machine)
    arcs, members, root = certified.certificate.arcs, certified.certificate.members, certified.certificate.root
    right = proof.rates(cables, arcs, members, root)
    assert right[0] == pytest.approx(right[1])
    fast = evolve(proof.trees, rate_Bps=proof.trees.rate_Bps * 2)
    assert evolve(proof, trees=fast).rates(cables, arcs, members, root)[0] == pytest.approx(right[0])
    still = evolve(proof.trees, spread=changed(proof.trees.spread, lambda load: load * 0))
    assert evolve(proof, trees=still).rates(cables, arcs, members, root)[0] == 0


@pytest.mark.parametrize("collective", PACKED)
def test_prices_of_links_are_cut_down_to_ways(collective: str) -> None:
    """However dear links are said to be, or cheap, the bound is no less than the right one: it holds for any prices."""
    call, certified = measured(HUB, question(collective))
    (proof,), cables = certified.certificate.trees, cables_of(call.machine)
    arcs, members, root = certified.certificate.arcs, certified.certificate.members, certified.certificate.root
    sources = members if root < 0 else np.arange(cables.ends) == root
    right, draw = proof.prices.most(cables, arcs, sources), np.random.default_rng(1)
    for factor in (0.3, 1.0, 10.0):
        changes = {}
        for part in ("lengths", "both", "taken"):
            known = getattr(proof.prices, part)
            if known is not None:
                changes[part] = factor * known + draw.uniform(0, 0.3, known.shape) * known.max()
        assert evolve(proof.prices, **changes).most(cables, arcs, sources) >= right * (1 - 1e-9)
    free = evolve(proof.prices, prices=evolve(proof.prices.prices, out=proof.prices.prices.out * 0))
    assert free.most(cables, arcs, sources) >= right * (1 - 1e-9)
    with pytest.raises(VerificationError, match="may relay has no links"):
        evolve(proof.prices, nodes=proof.prices.nodes[:-1]).most(cables, arcs, sources)


GROUPS = [
    ("allgather", "within", 2 / 3 * 1e6 / 22e9),
    ("reducescatter", "across", 1e6 / 2 / 50e9 * 3),
    ("allreduce", "within", 2 * 2 / 3 * 1e6 / 22e9),
    ("allreduce", "across", 1e6 / 22e9),
    ("broadcast", "within", 1e6 / 22e9),
]


@pytest.mark.parametrize(("collective", "how", "least_s"), GROUPS)
def test_bounds_of_several_groups_are_shown(collective: str, how: str, least_s: float) -> None:
    """No schedule beats what an NPU takes in (two thirds of a MB, or all of it, by 22 GB/s); across the halves the six
    NPUs of three groups send half a MB each, three one way, over the two cables and the hub between them."""
    call, certified = measured(HALVES, question(collective, f", {how} = module"))
    found = verified(call, certified)
    assert not found.unverified
    assert found.lower == pytest.approx(least_s)
    assert found.upper == np.inf
    late = evolve(certified.certificate, lower_s=certified.certificate.lower_s * 1.01)
    wrong = evolve(certified, certificate=late, answer=evolve(found, value=late.lower_s, lower=late.lower_s))
    if isinstance(late, gathering.GatherCertificate):  # an injection is shared: trees might have said more
        assert verified(call, wrong).unverified == (gathering.BELOW,)
    else:
        with pytest.raises(VerificationError, match="above what is proved"):
            verified(call, wrong)


def test_prices_of_several_groups_are_held() -> None:
    call, certified = measured(HALVES, question("reducescatter", ", across = module"))
    proof, cables = certified.certificate, cables_of(call.machine)
    assert isinstance(proof, PricedCertificate)
    assert evolve(proof, alike=None).prove(cables).lower == pytest.approx(proof.lower_s)
    cheap = evolve(proof, prices=evolve(proof.prices, value=proof.prices.value * 0))
    assert cheap.prove(cables).lower < proof.lower_s * 0.9
    with pytest.raises(VerificationError, match="a length is negative"):
        evolve(proof, prices=evolve(proof.prices, value=-proof.prices.value - 1)).prove(cables)
    less = evolve(proof.matrix, rates=proof.matrix.rates * np.linspace(0.5, 1, len(proof.matrix.rates)))
    with pytest.raises(VerificationError, match="traffic is not kept"):
        evolve(proof, matrix=less).prove(cables)


def test_efficiencies_are_held_to_a_time_that_is_shown() -> None:
    call, certified = measured(HALVES, "sweep(allreduce(all npu))")
    assert not verified(call, certified).unverified
    proof, cables = certified.certificate, cables_of(call.machine)
    assert proof.bound is not None
    late = evolve(proof, bound=evolve(proof.bound, least_s=proof.bound.least_s * 1.01))
    with pytest.raises(VerificationError, match="efficiencies are of a time that is not shown"):
        late.prove(cables)


@pytest.mark.parametrize("asked", [question("broadcast"), question("allreduce")])
def test_what_trees_do_not_show_never_leaves(asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """With links of half the load an answer says that nobody saw it reached; one that claims less fails."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def halved(certified: Any) -> Any:
        (proof,) = certified.certificate.trees
        trees = evolve(proof.trees, spread=changed(proof.trees.spread, lambda load: load / 2))
        return evolve(certified, certificate=evolve(certified.certificate, trees=(evolve(proof, trees=trees),)))

    fabric = compile_text(HUB).fabric()
    with monkeypatch.context() as patch:
        with_measure(patch, "optimal_time", halved)
        assert api.measure(fabric, asked).unverified == (gathering.ABOVE,)
    with_measure(
        monkeypatch, "optimal_time", lambda each: evolve(each, certificate=evolve(each.certificate, lower_s=1e-9))
    )
    with pytest.raises(VerificationError, match="above what is proved"):
        api.measure(fabric, asked)


def test_what_has_lost_every_cable_relays_nothing() -> None:
    """Of the hub's three leaves one is cut off: the trees of the other two need no links of it."""
    machine = NetworkContext(compile_text(HUB).fabric())
    machine = machine.damaged([], [int(np.flatnonzero(machine.fabric.a_device != machine.fabric.b_device)[-1])])
    call = call_of(machine, "optimal_time(allreduce(npu | leaf[0..1], size = 1 MB))")
    assert not verified(call, evaluate(call)).unverified
