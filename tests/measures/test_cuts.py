"""Oversubscription and loads in the language: each wall by its own name and value, and what can reach it."""

from __future__ import annotations

import pytest

from tests.analysis.nodes import HEAD, nodes
from tests.support.asked import compiled
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.analysis.run import analyze, ask
from unifiedbus_dsl.measures.answers import Answer

X = 12.5e9
"""byte/s of a cable of `L`."""

NEST = """
npu G { port p : E x1 }
switch S { port d[4] : E x1; port u[2] : E x1 }
switch T { port d[4] : E x1; port u[1] : E x1 }
switch C { port p[2] : E x1 }
module Pod { g[4] : G; s : S; connect g[i].p -- s.d[i] over L(1 m) for i; port up = s.u }
module Block {
  pod[2] : Pod; t : T; connect pod[i].up[k] -- t.d[2*i + k] over L(1 m) for i, k; port up = t.u
}
module Top { block[2] : Block; c : C; connect block[b].up[0] -- c.p[b] over L(1 m) for b }
system m : Top
"""


def values(text: str, *questions: str) -> list[Answer]:
    done = compile_text(text)
    assert done.ok, [d.message for d in done.diagnostics]
    report = ask(done, "m", "; ".join(questions))
    assert not report.diagnostics, [d.message for d in report.diagnostics]
    return list(report.answers)


def test_assemblies_of_a_kind_in_assemblies_of_that_kind() -> None:
    """A pod has 4 in and 2 out; a block 8 below it and 1 out; the top has no wall and is not `all` of itself."""
    everything, pods, inner, whole, one, part = values(
        HEAD + NEST,
        "oversubscription(all module)",
        "oversubscription(all Pod)",
        "oversubscription(all Pod in block[1])",
        "oversubscription(all module in block[1])",
        "oversubscription(block[0].pod[1])",
        "oversubscription(block[0], from = block[0].pod[1].g[0..2])",
    )
    assert (everything.value, everything.binding) == (8, ("block[0] and 1 more",))
    assert (everything.detail["inside"], everything.detail["wall"]) == (8 * X, X)
    assert (pods.value, pods.binding) == (2, ("block[0].pod[0] and 3 more",))
    assert (inner.value, inner.binding) == (2, ("block[1].pod[0] and 1 more",))
    assert (whole.value, whole.binding) == (8, ("block[1]",))  # a block is in itself
    assert (one.value, one.binding) == (2, ("block[0].pod[1]",))
    assert (part.value, part.binding) == (3, ("block[0]",))


def test_the_table_has_each_wall_under_its_name() -> None:
    table = api.oversubscription(compile_text(HEAD + NEST).fabric(), "all module")
    found = dict(zip(table.name, table.ratio.tolist(), strict=True))
    pods = {f"block[{b}].pod[{p}]": 2.0 for b in range(2) for p in range(2)}
    assert found == pods | {"block[0]": 8.0, "block[1]": 8.0}
    assert dict(zip(table.name, (table.inside_Bps / X).tolist(), strict=True))["block[1].pod[0]"] == 4


def test_a_part_that_fills_the_part_around_it_has_a_name_of_its_own() -> None:
    text = (
        HEAD
        + """
    npu G { port p : E x1 }
    switch S { port p[4] : E x1 }
    module Inner { g[2] : G; port up = g.p }
    module Outer { inner : Inner; port up = inner.up }
    module Top { o[2] : Outer; s : S; connect o[i].up[k] -- s.p[2*i + k] over L(1 m) for i, k }
    system m : Top
    """
    )
    table = api.oversubscription(compile_text(text).fabric(), "all module")
    assert table.name == ("o[0]", "o[0].inner", "o[1]", "o[1].inner")
    assert table.ratio.tolist() == [1, 1, 1, 1]
    (inner,) = values(text, "oversubscription(all Inner)")
    assert (inner.value, inner.binding) == (1, ("o[0].inner and 1 more",))


@pytest.mark.parametrize(("nics", "up"), [(2, 4), (2, 2), (2, 1), (1, 2), (1, 1)])
def test_what_can_reach_the_wall_is_what_nics_carry(nics: int, up: int) -> None:
    """Two nodes a rack, whose NICs carry a cable each, however many GPUs share them; scale-up ports lead nowhere."""
    text = nodes(nics=nics, up=up)
    rack, node, with_nics = values(
        text, "oversubscription(all rack)", "oversubscription(all node)", "oversubscription(all rack, from = all node)"
    )
    assert rack.value == pytest.approx(2 * nics / up)
    assert (node.value, node.detail["inside"]) == (1, nics * X)
    assert with_nics.value == rack.value
    load, optimal = values(text, "load(alltoall(all npu))", "load(alltoall(all npu), routing = optimal)")
    # 6 of 7 others are over NICs, 4 of 7 over the leaf's way up, but for what the spines' number leaves uneven
    assert load.value >= optimal.value * (1 - 1e-9)
    if up >= 2 * nics:
        assert load.value <= 1 + 1e-9
    assert load.detail["rate"] == pytest.approx(nics / 2 * X * 7 / 6)
    assert load.value == pytest.approx(max(1, 2 * nics * 4 / 6 / up))
    assert "each end point injects" in load.assumptions[-1]


def test_nothing_gets_out_of_a_rack_without_a_leaf() -> None:
    text = nodes(nics=2, up=2) + "scenario s of m { fail rack[0].leaf; oversubscription(all rack) }\n"
    (found,) = (answer for answer in analyze(compile_text(text), "m").answers if answer.block == "scenario s")
    assert (found.value, found.binding) == (2, ("rack[1]",))
    assert "nothing gets out of rack[0]" in found.lines


def test_planes_are_compared_each_for_itself() -> None:
    """Four cables of E and one of Bus, both used in full: 2 to 1 and 4 to 1. One switch with both is one plane."""
    apart = (
        HEAD
        + """
    npu G { port e : E x1; port b : Bus x1 }
    switch S { port d[4] : E x1; port u[2] : E x1 }
    switch Z { port d[4] : Bus x1; port u : Bus x1 }
    switch C { port e[2] : E x1 }
    switch D { port b : Bus x1 }
    rack R {
      g[4] : G; s : S; z : Z
      connect g[i].e -- s.d[i] over L(1 m) for i
      connect g[i].b -- z.d[i] over B(1 m) for i
      port e = s.u
      port b = z.u
    }
    superpod P {
      r : R; c : C; d : D
      connect r.e[k] -- c.e[k] over L(1 m) for k
      connect r.b -- d.b over B(1 m)
    }
    system m : P
    """
    )
    (found,) = values(apart, "oversubscription(all rack)")
    assert (found.value, found.lines) == (4, ("by plane: Bus 4 : 1; E 2 : 1",))
    joined = (
        HEAD
        + """
    npu G { port e : E x1; port b : Bus x1 }
    switch S { port d[4] : E x1; port b[4] : Bus x1; port u[2] : E x1; port v : Bus x1 }
    switch C { port e[2] : E x1; port b : Bus x1 }
    rack R {
      g[4] : G; s : S
      connect g[i].e -- s.d[i] over L(1 m) for i
      connect g[i].b -- s.b[i] over B(1 m) for i
      port e = s.u
      port b = s.v
    }
    superpod P {
      r : R; c : C
      connect r.e[k] -- c.e[k] over L(1 m) for k
      connect r.b -- c.b over B(1 m)
    }
    system m : P
    """
    )
    (found,) = values(joined, "oversubscription(all rack)")
    assert (found.value, found.lines) == (3, ())


MIXED = """ubus 1
protocol E { lane = 100 Gbps }
protocol P { lane = 400 Gbps }
link L : E { medium = optical }
link B : P { medium = pcb }
npu Big { injection = 20 GB/s; port p[2] : E x1 }
npu Small { port b : P x1 }
nic N { port host[3] : P x1; port net : E x1; transit host, net }
cpu Cpu { port b : P x1; port own : E x1 }
nic Own { port host : E x1; port net : E x1; transit host, net }
switch Leaf { port d[7] : E x1; port u[2] : E x1 }
switch Spine { port p[4] : E x1 }
node Node {
  big[2] : Big; small[2] : Small; n : N; cpu : Cpu; own : Own
  connect small[i].b -- n.host[i] over B(1 m) for i in 0..1
  connect cpu.b -- n.host[2] over B(1 m)
  connect cpu.own -- own.host over L(1 m)
  open n.host, own.host
  port bigs = big.p
  port nic = n.net
  port mine = own.net
}
rack R {
  node : Node; leaf : Leaf
  connect node.bigs[i, k] -- leaf.d[2*i + k] over L(1 m) for i, k
  connect node.nic -- leaf.d[4] over L(1 m)
  connect node.mine -- leaf.d[5] over L(1 m)
  open leaf.d
  port up = leaf.u
}
superpod Top { r[2] : R; c : Spine; connect r[b].up[k] -- c.p[2*b+k] over L(3 m) for b, k }
system top : Top
"""


def test_two_sorts_of_npus_and_cpus_with_nics_of_their_own() -> None:
    """Two NPUs limited to 20 GB/s by what they inject, two that share a NIC with the CPU, which has one of its own."""
    text = MIXED.replace("system top", "system m")
    node, cpus, rack, senders, uniform, alone = values(
        text,
        "oversubscription(all node)",
        "oversubscription(all node, from = all cpu)",
        "oversubscription(all rack)",
        "oversubscription(all rack, from = all node)",
        "load(alltoall(all npu))",
        "load(pairs(r[0].node.cpu -> r[1].node.cpu))",
    )
    assert node.value == pytest.approx((2 * 20e9 + X) / (4 * X + X))
    assert cpus.value == 1
    assert rack.value == pytest.approx((2 * 20e9 + X) / (2 * X))
    assert senders.value == pytest.approx((2 * 20e9 + X + X) / (2 * X))
    # of seven others six are beyond the NIC that two share; 16 flows leave a rack over two cables
    assert uniform.detail["rate"] == pytest.approx(X / 12 * 7)
    assert uniform.value == pytest.approx(1)
    assert alone.detail["rate"] == pytest.approx(2 * X)
    assert alone.value == pytest.approx(1)


def test_cloudmatrix_is_non_blocking_from_its_npus_alone() -> None:
    done = compiled("huawei/atlas-900-superpod")
    report = ask(done, "superpod", "oversubscription(all node); oversubscription(all node, from = all node)")
    npus, everything = report.answers
    assert npus.value == pytest.approx(1)
    assert everything.value == pytest.approx((8 * 392 + 4 * 160) / (7 * 448))


@pytest.mark.parametrize("part", ["G", "S"])
@pytest.mark.parametrize("racks", ["all rack", "shelf"])
def test_nothing_leaves_a_rack_without_cables(part: str, racks: str) -> None:
    """From the plan and from the fabric; of end points, and of switches alone."""
    devices = "npu G { port p : E x1 @open }\nswitch S { port p : E x1 @open }\n"
    text = devices + f"rack Shelf {{ one : {part} }}\nsuperpod Top {{ shelf : Shelf }}\nsystem m : Top\n"
    (answer,) = values(HEAD + text, f"oversubscription({racks})")
    assert (answer.value, answer.kind) == ((float("inf") if part == "G" else 0), "exact")
