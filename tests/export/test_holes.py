"""What is left out of an array is named in no file, and what is there keeps its number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.export.machines import compiled
from unifiedbus_dsl import export

MACHINE = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Cable : UB { medium = copper; reach = 20 m; delay = 4.5 ns/m }
npu Chip { port x[3] : UB x4 @open; port up : UB x4 }
switch Plane { port p[4] : UB x4 @open; port q[2] : UB x4 }
rack Cabinet {
  npu[4 except 2] : Chip
  plane : Plane
  connect npu.x as fullmesh over Cable(0.4 m)
  connect npu[i].up -- plane.p[i] over Cable(1 m) for i
  port up = plane.q
}
superpod Hall {
  rack[4 except 1] : Cabinet
  core[3 except 0] : Plane
  connect rack[r].up[k - 1] -- core[k].p[r] over Cable(5 m) for r, k
  open core.q
}
system hall : Hall
"""
ABSENT = re.compile(r"(?<![a-z])(?:npu[-\[]?2(?![0-9])|rack[-\[]?1(?![0-9])|core[-\[]?0(?![0-9]))")


@pytest.mark.parametrize("name", sorted(export.FORMATS))
def test_no_file_names_what_is_left_out(name: str, tmp_path: Path) -> None:
    try:
        export.write(compiled(MACHINE).fabric(), name, tmp_path / name)
    except export.CannotExportError:
        pytest.skip("the format can't say this machine")
    except ImportError:
        pytest.skip("it needs a package that is not there")
    written = [path for path in (tmp_path, *tmp_path.rglob("*")) if path.is_file()]
    assert written
    for path in written:
        text = path.read_bytes().decode("utf-8", errors="replace")
        found = ABSENT.search(text)
        assert found is None, (path.name, text[max(0, found.start() - 60) : found.end() + 60])


def test_the_last_rack_keeps_its_number(tmp_path: Path) -> None:
    export.write(compiled(MACHINE).fabric(), "cables", tmp_path / "cables.csv")
    text = (tmp_path / "cables.csv").read_text()
    assert "rack[3].npu[3]" in text
    assert "core[2]" in text
