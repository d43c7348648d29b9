"""Port maps of SONiC, read with the fields and limits of its models and held against the fabric."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.machines import compiled
from unifiedbus_dsl import export
from unifiedbus_dsl.ir.fabric import Fabric

MACHINE = """ubus 1
protocol Eth { lane = 106.25 Gbps; efficiency = 94.1176% }
link Wire : Eth { medium = copper; reach = 5 m }
npu Chip { port up[2] : Eth x4 }
switch Leaf { port down[6] : Eth x4; port up[2] : Eth x8 @open }
switch Spine { port p[5] : Eth x8 @open }
rack Cabinet {
  npu[2] : Chip
  spare extra : Chip
  leaf[2] : Leaf
  connect npu[i].up[l] -- leaf[l].down[i] over Wire(1 m) for i in 0..1, l in 0..1
  connect extra.up[l] -- leaf[l].down[4] over Wire(1 m) for l in 0..1
  open leaf.down
  port up = leaf.up
}
superpod Hall {
  rack[2] : Cabinet
  spine[2] : Spine
  connect rack[r].up[l, s] -- spine[s].p[2*r + l] over Wire(3 m) for r in 0..1, l in 0..1, s in 0..1
}
system hall : Hall
"""
"""Two planes of leaves, ports of two widths, a spare, ports without a cable."""


def check_tables(data: dict[str, Any]) -> None:
    """The fields and limits of `sonic-port.yang` and `sonic-device_neighbor.yang`."""
    assert data.keys() == {"PORT", "DEVICE_NEIGHBOR"}
    lanes = []
    for name, row in data["PORT"].items():
        assert {"lanes", "speed"} <= row.keys() <= {"alias", "index", "lanes", "speed", "admin_status", "description"}
        assert all(isinstance(value, str) for value in row.values())
        assert 1 <= len(name) <= 128
        assert 1 <= len(row["alias"]) <= 128
        assert 1 <= len(row["lanes"]) <= 128
        assert len(row.get("description", "")) <= 255
        assert 1 <= int(row["speed"]) <= 1_600_000
        assert 0 <= int(row["index"]) < 65_536
        assert row["admin_status"] in ("up", "down")
        own = [int(lane) for lane in row["lanes"].split(",")]
        assert name == f"Ethernet{own[0]}"
        lanes += own
    assert sorted(lanes) == list(range(len(lanes)))
    for name, row in data["DEVICE_NEIGHBOR"].items():
        assert row["local_port"] == name in data["PORT"]
        assert 1 <= len(row["name"]) <= 255
        assert 1 <= len(row["port"]) <= 255
        assert data["PORT"][name]["description"] == f"{row['name']}:{row['port']}"
    assert {name for name, row in data["PORT"].items() if row["admin_status"] == "up"} == set(data["DEVICE_NEIGHBOR"])


def written(fabric: Fabric, folder: Path) -> dict[str, dict[str, Any]]:
    export.write(fabric, "sonic", folder)
    tables = {path.name.removesuffix(".config_db.json"): json.loads(path.read_text()) for path in folder.iterdir()}
    for each in tables.values():
        check_tables(each)
    return tables


def test_every_cable_of_a_switch_is_at_both_of_its_ports(tmp_path: Path) -> None:
    fabric = compiled(MACHINE).fabric()
    tables = written(fabric, tmp_path)
    assert len(tables) == 6
    told = set()
    for switch, data in tables.items():
        for port, row in data["DEVICE_NEIGHBOR"].items():
            told.add((switch, port, row["name"], row["port"]))
            if row["name"] in tables:
                back = tables[row["name"]]["DEVICE_NEIGHBOR"][row["port"]]
                assert (back["name"], back["port"]) == (switch, port)
    between = sum("spine" in one and "leaf" in two for one, _, two, _ in told)
    assert (len(told), between) == (2 * 6 + 2 * 8, 8)
    assert len(np.unique(np.concatenate([fabric.a_device, fabric.b_device]))) == 12
    leaf = tables["rack1-leaf0"]["PORT"]
    assert leaf["Ethernet0"] == {
        "alias": "down0", "index": "1", "lanes": "0,1,2,3", "speed": "425000", "admin_status": "up",
        "description": "rack1-npu0:up0",
    }  # fmt: skip
    assert leaf["Ethernet12"]["admin_status"] == "down"
    assert (leaf["Ethernet24"]["speed"], leaf["Ethernet24"]["description"]) == ("850000", "spine0:Ethernet16")


def test_what_sonic_has_no_place_for(tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match="at most 1,600,000 Mb/s"):
        export.write(compiled(MACHINE.replace("x8", "x16")).fabric(), "sonic", tmp_path / "fast")
    alone = "ubus 1\nprotocol E { lane = 100 Gbps }\nnpu Chip { port p : E x1 @open }\n"
    alone += "rack R { npu : Chip }\nsystem r : R\n"
    with pytest.raises(export.CannotExportError, match="runs on switches"):
        export.write(compiled(alone).fabric(), "sonic", tmp_path / "none")
