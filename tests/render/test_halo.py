"""Direct networks on a circle: each host beside its switch, cables true to the fabric, and no lattice or tree taken for
one."""

from __future__ import annotations

from math import hypot

import numpy as np
import pytest

from tests.render import machines
from tests.render.legible import readable
from tests.render.truth import astray, crossings, differences, drawing
from tests.support.asked import compiled
from unifiedbus_dsl import compiler
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.halo import halo_layout
from unifiedbus_dsl.render.marks import Box, Picture
from unifiedbus_dsl.render.places import sizes_for
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.svg import svg

DIRECT = ("dragonfly", "slim-fly", "jellyfish", "polarfly", "slim-fly-9")
OTHERS = (
    ("hyperx", "hyperx"),
    ("fat-tree", "tree"),
    ("torus", "torus2d"),
    ("bcube", "bcube"),
    ("hamming-mesh", "hx2mesh"),
)

RANDOM = """ubus 1
protocol UB {{ lane = 112 Gbps; latency = 100 ns }}
link Wire : UB {{ medium = copper; reach = 2 m; delay = 5 ns/m }}
npu Chip {{ port up : UB x4 }}
switch Router {{ port host[{hosts}] : UB x4; port p[{degree}] : UB x4 }}
rack Net {{
  router[{count}] : Router
  npu[{count}, {hosts}] : Chip
  connect npu[r, h].up -- router[r].host[h] over Wire(1 m) for r, h
  connect router.p as {pattern} over Wire(1 m)
}}
system net : Net
"""


def system_of(spec: str) -> str:
    done = compiled(f"textbook/{spec}")
    assert done.model
    return next(iter(done.model.main.systems))


def boxes(picture: Picture, name: str) -> np.ndarray:
    """The middles of the devices with such a name, in their order."""
    found = [m for m in picture.by_role("device") if isinstance(m, Box) and name in m.id]
    return np.array([mark.center for mark in found])


@pytest.mark.parametrize("spec", DIRECT[:3])
def test_it_is_true_to_the_fabric(spec: str) -> None:
    system = system_of(spec)
    picture = detail_picture(compiled(f"textbook/{spec}").pick(system))
    readable(picture)
    shown = drawing(svg(picture))
    assert not shown.silent
    assert crossings(shown) == []
    assert astray(shown) == []
    assert differences(shown, compiled(f"textbook/{spec}").fabric(system)) == []


@pytest.mark.parametrize("spec", DIRECT)
def test_direct_networks_stand_on_a_circle(spec: str) -> None:
    plan = compiled(f"textbook/{spec}").pick(system_of(spec))
    placed = halo_layout(PlanSummary(plan), plan.root, sizes_for(plan.device_count[plan.root]))
    assert placed is not None
    assert placed.halo is not None
    cx, cy = placed.halo.centre
    at = placed.halo.spots
    assert len(at) == plan.device_count[plan.root]
    radii = {round(hypot(x - cx, y - cy), 6) for device, (x, y) in at.items() if device in placed.halo.switches}
    assert len(radii) == 1
    middles = np.array(list(at.values()))
    apart = np.abs(middles[:, None] - middles[None]).max(axis=2) + np.eye(len(middles)) * 1e9
    assert apart.min() > 0.7 * placed.halo.side, "no two boxes lie on each other"


def test_each_host_is_nearest_to_its_switch() -> None:
    plan = compiled("textbook/jellyfish").pick("jellyfish")
    picture = detail_picture(plan)
    hosts, routers = boxes(picture, "host"), boxes(picture, "router")
    nearest = np.hypot(*(hosts[:, None] - routers[None]).T).T.argmin(axis=1)
    assert nearest.tolist() == [host // (len(hosts) // len(routers)) for host in range(len(hosts))]


@pytest.mark.parametrize(("spec", "system"), OTHERS)
def test_lattices_and_trees_are_none(spec: str, system: str) -> None:
    plan = compiled(f"textbook/{spec}").pick(system)
    assert halo_layout(PlanSummary(plan), plan.root, sizes_for(100)) is None


@pytest.mark.parametrize("name", sorted(machines.all_machines()))
def test_machines_of_racks_and_boards_are_none(name: str) -> None:
    plan = machines.all_machines()[name]
    assert halo_layout(PlanSummary(plan), plan.root, sizes_for(100)) is None


@pytest.mark.parametrize("hosts", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("count", "degree", "pattern"), [(9, 8, "fullmesh"), (12, 2, "ring"), (30, 4, "circulant(offsets = [1, 5])")]
)
def test_any_number_of_hosts(count: int, degree: int, pattern: str, hosts: int) -> None:
    done = compiler.compile_text(RANDOM.format(count=count, degree=degree, pattern=pattern, hosts=hosts))
    assert done.ok, done.diagnostics
    picture = detail_picture(done.pick("net"))
    shown = drawing(svg(picture))
    assert crossings(shown) == []
    assert astray(shown) == []
    assert differences(shown, done.fabric("net")) == []


def test_few_switches_and_hosts_at_two_switches_stand_in_tiers() -> None:
    few = compiler.compile_text(RANDOM.format(count=5, degree=4, pattern="fullmesh", hosts=2)).pick("net")
    assert halo_layout(PlanSummary(few), few.root, sizes_for(100)) is None
