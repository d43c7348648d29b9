"""Three-dimensional tori and meshes as cubes: true to the fabric whatever their sizes, wraps and twists."""

from __future__ import annotations

import numpy as np
import pytest

from tests.render.legible import readable
from tests.render.truth import astray, crossings, differences, drawing
from tests.support.asked import compiled
from unifiedbus_dsl import compiler
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.cube import cube_of
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.marks import Box, Line
from unifiedbus_dsl.render.svg import svg

LATTICE = """ubus 1
protocol UB {{ lane = 112 Gbps; latency = 100 ns }}
link Wire : UB {{ medium = copper; reach = 2 m; delay = 5 ns/m }}
npu Chip {{ port p[6] : UB x4; transit p }}
rack Net {{
  chip[{dims}] : Chip
  connect chip.p as {pattern} over Wire(1 m)
  open chip.p
}}
system net : Net
"""
UPPER = """
switch Up { port p[2] : UB x4 }
superpod Two { net[2] : Net; up : Up; connect net[i].out -- up.p[i] over Wire(1 m) for i }
system two : Two
"""


def lattice(dims: str, pattern: str) -> compiler.Compilation:
    done = compiler.compile_text(LATTICE.format(dims=dims, pattern=pattern))
    assert done.ok, done.diagnostics
    return done


@pytest.mark.parametrize("pattern", ["torus", "mesh"])
@pytest.mark.parametrize("dims", ["2, 3, 4", "3, 3, 3", "4, 2, 5", "5, 4, 3", "7, 2, 2", "4, 4, 8"])
def test_cubes_are_true_to_the_fabric(dims: str, pattern: str) -> None:
    done = lattice(dims, pattern)
    plan = done.pick("net")
    assert cube_of(plan, plan.assemblies[plan.root], tuple(int(n) for n in dims.split(", ")), 10) is not None
    picture = detail_picture(plan)
    readable(picture)
    shown = drawing(svg(picture))
    assert not shown.silent
    assert crossings(shown) == []
    assert astray(shown) == []
    assert differences(shown, done.fabric("net")) == []


@pytest.mark.parametrize(("spec", "system"), [("google/tpu", "twisted"), ("textbook/torus", "torus3d")])
def test_shipped_cubes_are_true_to_the_fabric(spec: str, system: str) -> None:
    """The twist is in the wraps, which go from a column to another one."""
    picture = detail_picture(compiled(spec).pick(system))
    shown = drawing(svg(picture))
    assert crossings(shown) == []
    assert astray(shown) == []
    assert differences(shown, compiled(spec).fabric(system)) == []


@pytest.mark.parametrize("dims", [(250, 2, 2), (2, 250, 2), (2, 2, 250), (31, 8, 4), (11, 9, 10), (10, 10, 10)])
def test_cables_between_layers_pass_no_device(dims: tuple[int, int, int]) -> None:
    """Of cubes of any depth: by the distances of all devices from a cable half-way through, point by point."""
    plan = lattice(", ".join(map(str, dims)), "mesh").pick("net")
    cube = cube_of(plan, plan.assemblies[plan.root], dims, 1.0)
    assert cube is not None
    spots = np.array([cube.at(device) for device in range(np.prod(dims))], dtype=float)
    layer = dims[1] * dims[2]
    one = (dims[0] - 1) // 2 * layer + dims[1] // 2 * dims[2] + dims[2] // 2
    others = np.delete(spots, [one, one + layer], axis=0)
    for share in np.linspace(0.0, 1.0, 200):
        at = spots[one] * (1 - share) + spots[one + layer] * share
        assert np.abs(others - at).max(axis=1).min() > 0.36


def test_each_dimension_has_a_direction_and_a_colour_of_its_own() -> None:
    """To the right, down, and back into the page."""
    picture = detail_picture(lattice("3, 4, 5", "mesh").pick("net"))
    boxes = {m.id: np.array(m.center) for m in picture.by_role("device") if isinstance(m, Box)}
    steps = [boxes[f"chip-{a}"] - boxes["chip-0-0-0"] for a in ("0-0-1", "0-1-0", "1-0-0")]
    assert steps[0][1] == steps[1][0] == 0
    assert steps[0][0] > 0
    assert steps[1][1] > 0
    assert steps[2][0] > 0 > steps[2][1]
    colours = {m.colour[:7] for m in picture.by_role("cable") if isinstance(m, Line)}
    assert len(colours) == 3
    assert colours <= {*palette.LINES, *palette.medium_colours(["copper"]).values()}


def test_a_cube_whose_cables_leave_it_stands_in_rows() -> None:
    """Cables of another assembly go to its ports, so it is a part among others."""
    text = LATTICE.format(dims="3, 3, 3", pattern="mesh").replace("system net : Net", UPPER).replace("p[6]", "p[7]")
    text = text.replace("  open chip.p\n", "  open chip.p\n  port out = chip[0, 0, 0].p[6]\n")
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    plan = done.pick("two")
    net = next(a for a in plan.assemblies.values() if a.key == "Net")
    assert cube_of(plan, net, (3, 3, 3), 10) is None
