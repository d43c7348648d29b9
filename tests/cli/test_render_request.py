"""Options of `ubusc render` two by two: each of a pair changes the picture, or the pair is refused."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from tests.cli.conftest import Run

LAB = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 50 m; delay = 5 ns/m }
npu Chip { memory = 144 GB; port up : UB x4 }
switch Top { port down[4] : UB x4; port side[2] : UB x8 @open; latency = 200 ns }
rack Rack {
  npu[4] : Chip
  top    : Top
  connect npu[n].up -- top.down[n] over Wire(1 m) for n
  port side = top.side
}
superpod Line {
  rack[3] : Rack
  connect rack[r].side[0] -- rack[r + 1].side[1] over Wire for r in 0..1
  place rack as row(pitch = 2 m)
}
superpod Two {
  rack[2] : Rack
  connect rack[0].side[0] -- rack[1].side[1] over Wire
  place rack as row(pitch = 3 m)
}
system lab : Line
system one : Two
traffic a2a of lab = alltoall(all npu)
traffic hot of one = incast(all npu -> rack[0].npu[0])
scenario Cut of lab { fail rack[0].npu[1] }
scenario Off of one { fail rack[0].npu[1] }
view seen of lab { label npu by memory; title "seen" }
"""

OPTIONS = (
    ("--system", "one"),
    ("--view", "seen"),
    ("--type", "Rack"),
    ("--detail",),
    ("--floor",),
    ("--traffic", "a2a"),
    ("--routing", "optimal"),
    ("--scenario", "Cut"),
    ("--map", "latency"),
    ("--plot", "hops"),
    ("--chart", "ladder"),
    ("--html",),
    ("--format", "dot"),
    ("--format", "html"),
    ("-o", "a.svg"),
    ("-o", "b.dot"),
    ("-o", "all/"),
)
SAME = {
    (("--html",), ("--format", "html")),
    (("--format", "dot"), ("-o", "b.dot")),
    (("--detail",), ("--scenario", "Cut")),
}
"""The second of these says what the first does: a scenario of a small machine is drawn device by device."""


@pytest.fixture
def draw(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Names and bytes of what these options write; None where they are refused, with a sentence."""
    from unifiedbus_dsl import compiler

    (tmp_path / "lab.ubus").write_text(LAB)
    compiled = compiler.compile(tmp_path / "lab.ubus")
    monkeypatch.setattr(compiler, "compile", lambda *_, **__: compiled)

    @cache
    def draw(*options: tuple[str, ...]) -> dict[str, bytes] | None:
        outcome = run("render", "lab.ubus", *(word for option in options for word in option))
        written = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.*") if p.suffix != ".ubus"}
        for name in written:
            (tmp_path / name).unlink()
        if outcome.status in (1, 2):
            assert outcome.err.startswith("Usage: ") == (outcome.status == 2)
            assert outcome.err.splitlines()[-1].startswith("Error: ")
            assert not written
            return None
        assert (outcome.status, set(outcome.out.split())) == (0, set(written)), outcome.err
        return written

    return draw


def test_each_pair_acts_or_is_refused(draw: object) -> None:
    assert callable(draw)
    plain, silent, refused = draw(), [], set()
    assert all(draw(option) != plain for option in OPTIONS if option not in (("--routing", "optimal"), ("-o", "a.svg")))
    for one, two in combinations(OPTIONS, 2):
        if one[0] == two[0]:
            continue
        both = draw(one, two)
        if both is None:
            refused.add((one[0], two[0]))
        elif both in (draw(one), draw(two)) and (one, two) not in SAME:
            silent.append((one, two))
    assert not silent, silent
    assert {("--map", "--plot"), ("--traffic", "--map"), ("--detail", "--floor"), ("--type", "--scenario")} <= refused
