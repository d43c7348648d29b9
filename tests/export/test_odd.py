"""Every format on machines with next to nothing in them: a file or a sentence, and no warning of a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.machines import compiled
from unifiedbus_dsl import export

ODD = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 5 m }
npu Chip { port x : UB x1 @open }
switch Sw { port p[2] : UB x1 @open }
nic Card { port p : UB x1 @open }
module Empty { }
module OneChip { npu : Chip }
module OneSwitch { sw : Sw }
rack Two { npu[2] : Chip; connect npu[0].x -- npu[1].x over Wire(1 m) }
rack Switches { sw[2] : Sw; connect sw[0].p[0] -- sw[1].p[0] over Wire(1 m) }
rack Cards { nic[2] : Card; connect nic[0].p -- nic[1].p over Wire(1 m) }
node Server { npu : Chip; sw : Sw; connect npu.x -- sw.p[0] over Wire(1 m); port up = sw.p[1] }
rack Box { server[2] : Server; connect server[0].up -- server[1].up over Wire(1 m) }
system empty : Empty
system chip : OneChip
system switch : OneSwitch
system two : Two
system switches : Switches
system cards : Cards
system box : Box
"""


@pytest.mark.parametrize("form", export.FORMATS)
def test_next_to_nothing(form: str, tmp_path: Path) -> None:
    written = 0
    for system in ("empty", "chip", "switch", "two", "switches", "cards", "box"):
        machine = compiled(ODD).fabric(system)
        try:
            export.write(machine, form, tmp_path / system)
        except export.CannotExportError:
            continue
        written += 1
        made = [*(tmp_path / system).iterdir()] if export.find(form).is_folder else [tmp_path / system]
        assert made
        assert not any(b"nan" in file.read_bytes().lower().split() for file in made)
    assert written or form in {"slurm-ring", "htsim", "slurm-torus", "usd"}  # usd: of a floor plan
