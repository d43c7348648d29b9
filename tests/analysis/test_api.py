"""Questions from Python: columns of the fabric held against sums that don't know the solver, and what is refused."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import networkx as nx
import numpy as np
import pytest

from tests.analysis.test_language import HEAD, LEAVES, LINK
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.base.table import SHOWN_ROWS, Tabular
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.ir.fabric import Fabric

ODD = """
npu Chip { port a[3] : UB x4; port b : UB x1; transit a; injection = 100 GB/s }
cpu Host { port c[4] : UB x4 }
switch Leaf { latency = 200 ns; port p[9] : UB x4 }
rack Box {
  npu[3] : Chip
  cpu    : Host
  leaf   : Leaf
  connect npu[i].a[k] -- leaf.p[2*i + k] over Wire(1 m) for i, k in 0..1
  connect npu[0].a[2] -- npu[1].a[2] over Wire(2 m)
  connect npu[2].a[2] -- leaf.p[6] over Wire(1 m)
  connect cpu.c[k] -- leaf.p[7 + k] over Wire(3 m) for k in 0..1
  open npu.b; open cpu.c[2..3]
}
system odd : Box
"""
"""Parallel cables, an injection limit, an end point that is no NPU, cables of several lengths."""
ROOMS = """
npu Chip { port p : UB x4 }
switch Leaf { latency = 200 ns; port down[3] : UB x4; port up : UB x4 }
rack Room {
  npu[3] : Chip
  leaf   : Leaf
  connect npu[i].p -- leaf.down[i] over Wire(1 m) for i
  port up = leaf.up
}
superpod Pod { box[2] : Room; connect box[0].up -- box[1].up over Wire(2 m) }
system pod : Pod
"""


def fabric(text: str, system: str) -> Fabric:
    done = compile_text(HEAD + text)
    assert done.ok, [d.message for d in done.diagnostics]
    return done.fabric(system)


@pytest.fixture(scope="module")
def odd() -> Fabric:
    return fabric(ODD, "odd")


@pytest.fixture(scope="module")
def thin() -> Fabric:
    return fabric(LEAVES, "thin")


def devices(fabric: Fabric, kind: str) -> np.ndarray:
    starts, stops = fabric.blocks(kind)
    assert (stops == starts + 1).all()
    return starts


def test_loads_balance_at_every_device(odd: Fabric) -> None:
    """What leaves a device less what reaches it is what it sends less what it receives: 0 in an all-to-all."""
    found = api.throughput(odd, "alltoall(all npu)")
    for device in range(odd.device_count):
        out = found.loads.forth_Bps[odd.a_device == device].sum() + found.loads.back_Bps[odd.b_device == device].sum()
        into = found.loads.back_Bps[odd.a_device == device].sum() + found.loads.forth_Bps[odd.b_device == device].sum()
        assert out - into == pytest.approx(0, abs=1)
        if device in devices(odd, "npu"):
            assert out >= found.rate_Bps[device] > 0
        else:
            assert found.rate_Bps[device] == 0


def test_parallel_cables_carry_equal_parts_of_a_pair(odd: Fabric) -> None:
    """NPU 0 to NPU 2: two cables up, three down; injection of 100 GB/s, so the three down carry a third each."""
    found = api.throughput(odd, "pairs(npu[0] -> npu[2])")
    assert found.mean_Bps == pytest.approx(100e9)
    assert found.binding_devices.nonzero()[0].tolist() == [odd.device_id("npu[0]"), odd.device_id("npu[2]")]
    loads = np.maximum(found.loads.forth_Bps, found.loads.back_Bps)
    names = odd.cable_names(np.arange(odd.cable_count))
    for number, name in enumerate(names):
        want = 100e9 / 3 if "npu[2]" in name else 50e9 if name.startswith("npu[0]") and "leaf" in name else 0
        assert loads[number] == pytest.approx(want), name
    assert found.loads.capacity_Bps == pytest.approx(np.full(odd.cable_count, LINK))


def test_rates_are_of_those_that_send(thin: Fabric) -> None:
    """One end point sends to two and another to one of these: the cable of the one that both send to binds, too."""
    found = api.throughput(thin, "pairs(npu[0, 0..1] -> npu[0, 1..2])")
    assert (found.most_Bps, found.mean_Bps, found.least_Bps) == pytest.approx((56e9, 42e9, 28e9))
    assert np.count_nonzero(found.senders) == 2


def test_hops_and_reach_as_networkx_has_them(thin: Fabric) -> None:
    graph = nx.Graph(list(zip(thin.a_device.tolist(), thin.b_device.tolist(), strict=True)))
    npus = devices(thin, "npu").tolist()
    far = [nx.shortest_path_length(graph, s, t) for s in npus for t in npus if s != t]
    found = api.hops(thin)
    assert dict(zip(found.value.tolist(), found.pairs.tolist(), strict=True)) == {
        d: far.count(d) for d in sorted(set(far))
    }
    assert (api.diameter(thin), found.mean) == (max(far), pytest.approx(np.mean(far)))
    assert api.connected(thin)
    assert api.reachable(thin) == len(npus)
    assert api.disjoint_paths(thin) == 1
    one, two = found.farthest
    assert nx.shortest_path_length(graph, thin.device_id(one), thin.device_id(two)) == max(far)


def test_paths_as_networkx_has_them(thin: Fabric) -> None:
    graph = nx.Graph(list(zip(thin.a_device.tolist(), thin.b_device.tolist(), strict=True)))
    found = api.paths(thin, "npu[0, 0]", "npu[3, 5]", message_bytes=56e3)
    ends = thin.device_id("npu[0, 0]"), thin.device_id("npu[3, 5]")
    assert {tuple(path.devices.tolist()) for path in found.first} == {
        tuple(path) for path in nx.all_shortest_paths(graph, *ends)
    }
    assert (found.count, found.hops) == (2, 4)
    # 155 + 160 + 160 + 155 ns of cables, 200 + 300 + 200 ns of switches, 56 kB at 56 GB/s
    assert [path.time_s for path in (*found.first, found.fastest)] == pytest.approx([2.33e-6] * 3)


def test_loads_at_a_rate(thin: Fabric) -> None:
    """24 NPUs, 18 of 23 partners behind two uplinks of six NPUs."""
    found = api.loads(thin, "alltoall(all npu)", rate_Bps=7e9)
    leafs = np.isin(thin.a_device, devices(thin, "npu")) | np.isin(thin.b_device, devices(thin, "npu"))
    assert found.forth_Bps[leafs] == pytest.approx(np.full(24, 7e9))
    assert found.forth_Bps[~leafs] == pytest.approx(np.full(8, 3 * 7e9 * 18 / 23))
    assert found.utilisation.max() == pytest.approx(3 * 7 * 18 / 23 / 56)


def test_fair_rates_and_when_flows_end(thin: Fabric) -> None:
    """23 flows into one NPU share its cable; they end together."""
    found = api.fair(thin, "incast(all npu -> npu[0, 0], size = 56 MB)")
    assert found.rate_Bps == pytest.approx(np.full(23, LINK / 23))
    assert found.makespan_s == pytest.approx(23e-3)
    assert set(found.target.tolist()) == {thin.device_id("npu[0, 0]")}
    assert sorted(found.source.tolist()) == [d for d in devices(thin, "npu").tolist() if d not in found.target]
    assert np.isnan(api.fair(thin, "incast(all npu -> npu[0, 0])").finish_s).all()


def test_walls_halves_and_tiers(thin: Fabric) -> None:
    half = api.bisection(thin)
    assert half.capacity.value == pytest.approx(4 * LINK)
    assert half.half.sum() == 12
    assert half.cut.sum() * LINK == pytest.approx(half.capacity.upper)
    bands = api.tiers(thin)
    assert bands.name == ("0 to 1", "1 to 2")
    assert bands.cables.tolist() == [24, 8]
    assert np.bincount(bands.tier).tolist() == [24, 4, 2]
    walls = api.oversubscription(fabric(ROOMS, "pod"), "all rack")
    assert walls.name == ("box[0]", "box[1]")
    assert walls.ratio.tolist() == [3, 3]
    assert walls.worst == 3


def test_any_measure(thin: Fabric) -> None:
    assert api.measure(thin, "diameter(all npu)").value == 4
    assert api.measure(thin, "count(all npu)").value == 24


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (lambda f: api.hops(f, "all gpu"), "gpu"),
        (lambda f: api.hops(f, "all npu)"), "`)`"),
        (lambda f: api.throughput(f, "alltoal(all npu)"), "traffic"),
        (lambda f: api.throughput(f, "alltoall(all npu)", "quick"), "one of ecmp"),
        (lambda f: api.throughput(f, "alltoall(all npu)", "dor"), "dimension"),
        (lambda f: api.loads(f, "allreduce(all npu)"), "schedule"),
        (lambda f: api.paths(f, "npu[0, 0]", "npu[9, 9]"), "9"),
        (lambda f: api.paths(f, "npu", "npu[0, 0]"), "24 end points"),
        (lambda f: api.bisection(f, "npu[0, 0]"), "two end points"),
        (lambda f: api.oversubscription(f, "all npu"), "assemblies"),
        (lambda f: api.measure(f, "3"), "one measure"),
        (lambda f: api.measure(f, "foo"), "one measure"),
        (lambda f: api.measure(f, ""), "one measure"),
        (lambda f: api.loads(f, "alltoall(all npu)", rate_Bps=0), "more than nothing"),
        (lambda f: api.loads(f, "alltoall(all npu)", rate_Bps=float("nan")), "more than nothing"),
        (lambda f: api.latency(f, message_bytes=-5), "a size in bytes"),
        (lambda f: api.latency(f, "all npu, message = 1 MiB"), "takes no named argument"),
        (lambda f: api.throughput(f, "alltoall(all npu), rooting = optimal"), "did you mean `routing`"),
        (lambda f: api.paths(f, "npu[0, 0]", "npu[3, 5]", limit=-1), "whole number"),
        (lambda f: api.measure(f, "load(alltoall(all npu), rate = -1 GB/s)"), "less than nothing"),
        (lambda f: api.measure(f, "diameter(all npu); hops(all npu)"), "one measure"),
    ],
)
def test_what_is_wrong_is_said(thin: Fabric, question: Callable[[Fabric], object], words: str) -> None:
    with pytest.raises(ValueError, match=r".") as wrong:
        question(thin)
    assert words in str(wrong.value)


def test_results_are_frozen_and_short_in_print(thin: Fabric) -> None:
    found = api.throughput(thin, "alltoall(all npu)")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.routing = "x"  # type: ignore[misc]
    for column in (
        found.rate_Bps,
        found.loads.forth_Bps,
        found.binding,
        api.hops(thin).value,
        api.bisection(thin).cut,
    ):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    assert len(repr(found)) < 500


def test_networks_are_found_once(thin: Fabric) -> None:
    api.hops(thin)
    machine = vars(thin)["_machine"]
    api.throughput(thin, "alltoall(all npu)")
    assert vars(thin)["_machine"] is machine


def test_tables(thin: Fabric) -> None:
    pytest.importorskip("pandas")
    loads = api.loads(thin, "alltoall(all npu)", rate_Bps=7e9).to_pandas()
    assert loads.a.tolist() == [name.split(" -- ")[0] for name in thin.cable_names(np.arange(thin.cable_count))]
    assert (loads.link == "Wire").all()
    rates = api.throughput(thin, "alltoall(all npu)").to_pandas()
    assert rates.index.tolist() == devices(thin, "npu").tolist()
    assert rates.device.tolist() == thin.device_names(rates.index.to_numpy()).tolist()
    assert api.hops(thin).to_pandas().pairs.sum() == 24 * 23
    assert len(api.paths(thin, "npu[0, 0]", "npu[3, 5]").first[0].to_pandas()) == 4
    assert len(api.fair(thin, "shift(all npu)").to_pandas()) == 24
    assert len(api.tiers(thin).to_pandas()) == 2


def test_every_result_shows_itself_as_a_table(thin: Fabric) -> None:
    """Of the first rows alone; names of a text are no markup."""
    traffic = "alltoall(all npu)"
    one = api.paths(thin, "npu[0, 0]", "npu[3, 5]")
    results = (
        api.hops(thin), api.latency(thin), one, one.first[0], api.throughput(thin, traffic), api.loads(thin, traffic),
        api.fair(thin, "shift(all npu)"), api.bisection(thin), api.tiers(thin),
        api.oversubscription(fabric(ROOMS, "pod"), "all rack"),
        api.measure(thin, "diameter(all npu)"),
    )  # fmt: skip
    for each in results:
        page = ElementTree.fromstring(f"<div>{each._repr_html_()}</div>")
        rows = len(each.row_ids())
        more = [f"… {rows - SHOWN_ROWS:,} more rows"] if rows > SHOWN_ROWS else []
        assert len(page.findall("table/tbody/tr")) == min(rows, SHOWN_ROWS)
        assert [each.text for each in page.findall("p")] == more
        cells = {len(row.findall("td")) for row in page.findall("table/tbody/tr")}
        assert cells == {len(page.findall("table/thead/tr/th"))}
        assert len(page.find("table/caption").text) > 5  # type: ignore[union-attr, arg-type]


def test_names_in_a_table_are_no_markup() -> None:
    class Hostile(Tabular):
        def row_ids(self) -> np.ndarray:
            return np.arange(1)

        def columns(self, rows: np.ndarray) -> dict[str, list[str]]:
            return {"<b>": ["<script>"]}

    assert "<script>" not in Hostile()._repr_html_()
    assert "<b>" not in Hostile()._repr_html_()


def test_names_of_the_text_and_of_the_machine_alone(tmp_path: Path) -> None:
    text = f"""{HEAD}
        npu Chip {{ port a[2] : UB x4 }}
        npu Fast extends Chip {{}}
        switch Box {{ port d[4] : UB x4 }}
        superpod M {{ chip[2] : Chip; fast[2] : Fast; box : Box
          connect chip[i].a[0] -- box.d[i] over Wire(1 m) for i in 0..1
          connect fast[i].a[0] -- box.d[i + 2] over Wire(1 m) for i in 0..1
          open chip.a[1]; open fast.a[1] }}
        system m : M
        """
    fabric = compile_text(text).fabric()
    assert api.measure(fabric, "bandwidth(all Chip)").value == 4 * 2 * LINK
    assert api.measure(fabric, "bandwidth(all Fast)").value == 2 * 2 * LINK
    fabric.save(tmp_path / "m.npz")
    alone = Fabric.load(tmp_path / "m.npz")
    assert api.measure(alone, "bandwidth(all Fast)").value == 2 * 2 * LINK
    with pytest.raises(api.QuestionError, match="did you mean `all Fast`"):
        api.measure(alone, "bandwidth(all Fasd)")


def test_without_pandas_it_says_what_to_do(thin: Fabric, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install pandas"):
        api.hops(thin).to_pandas()


@pytest.mark.parametrize(
    "name",
    ["throughput", "diameter", "hops", "bisection", "tiers", "worst_throughput", "mfu", "measure",
     "training_step", "serving_step", "best_layouts", "time", "sweep", "deadlock_free"],
)  # fmt: skip
def test_what_is_no_text_is_a_type_error(name: str) -> None:
    """Not an error from inside."""
    fabric = compile_text(
        "ubus 1\nprotocol P { lane = 8 Gbps }\nlink W : P { medium = copper; reach = 1 m }\n"
        "npu N { port p[2] : P x1 }\nrack R { n[4] : N; connect n.p as ring over W(1 m) }\nsystem s : R\n"
    ).fabric()
    with pytest.raises(TypeError, match=r"(takes a text of the language|is wanted), ?.*not (int|list)"):
        getattr(api, name)(fabric, 3)
    with pytest.raises(TypeError, match="not list"):
        getattr(api, name)(fabric, ["all npu"])
