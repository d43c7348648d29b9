"""Cable lists, the bill of materials, and the names in them."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.export.machines import PARTS, PODS, compiled, fabric
from unifiedbus_dsl import compiler, export, importer
from unifiedbus_dsl.export.base import ExportInput, OutageMask
from unifiedbus_dsl.export.common.floor import read_floor
from unifiedbus_dsl.export.common.names import Slugs, stems
from unifiedbus_dsl.export.formats.bom import bill


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_cable_list(tmp_path: Path) -> None:
    path = tmp_path / "pod.cables.csv"
    found = export.write(fabric(), "cables", path)
    assert [d.code for d in found] == ["UB0805"]
    listed = rows(path)
    machine = fabric()
    assert [int(row["cable"]) for row in listed] == list(range(machine.cable_count))
    for row in listed:
        cable = int(row["cable"])
        assert machine.cable_name(cable) == f"{row['a_device']}.{row['a_port']} -- {row['b_device']}.{row['b_port']}"
        length = machine.kinds.length_m[machine.kind[cable]]
        assert float(row["length_m"]) == pytest.approx(length)
        assert row["gbps"] == "448"
    assert len({row["label"] for row in listed}) == len(listed)
    optic = next(row for row in listed if row["link"] == "Optic")
    assert (optic["a_place"], optic["b_place"]) == ("cabinet[0]", "spine[0]")
    assert (optic["a_x_m"], optic["b_y_m"]) == ("0", "9")
    apart = sum(abs(float(optic[f"a_{c}_m"]) - float(optic[f"b_{c}_m"])) for c in "xy")
    assert float(optic["length_m"]) == pytest.approx(apart)


def test_a_place_without_a_floor_plan_is_the_rack() -> None:
    plan = compiled(PODS.replace("over Optic for", "over Optic(20 m) for").replace("  place", "  # place")).plan
    where = read_floor(plan)
    assert where.places([0]) == ["cabinet[0]"]
    assert np.isnan(where.x).all()


def netbox(folder: Path) -> dict[str, Any]:
    """What NetBox has after importing the files in order (dcim/forms/bulk_import.py): each row finds what it names."""
    (site,) = rows(folder / "1-sites.csv")
    (maker,) = rows(folder / "2-manufacturers.csv")
    roles = {row["name"] for row in rows(folder / "3-device-roles.csv")}
    types: dict[str, list[str]] = {}
    for record in yaml.safe_load((folder / "4-device-types.yaml").read_text()):
        assert record["manufacturer"] == maker["name"]
        assert re.fullmatch("[-a-z0-9_]+", record["slug"])
        assert record["model"] not in types
        assert {port["type"] for port in record["interfaces"]} <= {"other"}
        types[record["model"]] = [port["name"] for port in record["interfaces"]]
    racks = set()
    for row in rows(folder / "5-racks.csv"):
        assert (row["site"], row["width"]) == (site["name"], "19")
        assert int(row["u_height"]) > 0
        racks.add(row["name"])
    devices: dict[str, dict[str, str]] = {}
    for row in rows(folder / "6-devices.csv"):
        assert row["name"] not in devices
        assert row["role"] in roles
        assert row["manufacturer"] == maker["name"]
        assert row["rack"] in racks | {""}
        devices[row["name"]] = row
    free = {(name, port) for name, row in devices.items() for port in types[row["device_type"]]}
    cables = rows(folder / "7-cables.csv")
    for row in cables:
        for side in "ab":
            assert row[f"side_{side}_site"] == site["name"]
            assert row[f"side_{side}_type"] == "dcim.interface"
            free.remove((row[f"side_{side}_device"], row[f"side_{side}_name"]))
    return {"devices": devices, "cables": cables, "racks": racks, "types": types}


def test_netbox(tmp_path: Path) -> None:
    found = export.write(fabric(), "netbox", tmp_path)
    assert [d.code for d in found] == ["UB0803", "UB0805", "UB0806"]
    assert "96 connections of medium pcb" in found[0].message
    made = netbox(tmp_path)
    assert len(made["devices"]) == fabric().device_count
    assert len(made["cables"]) == fabric().cable_count - 96
    assert {row["type"] for row in made["cables"]} == {"dac-passive", "smf"}
    assert made["racks"] == {*(f"cabinet[{n}]" for n in range(4)), "spine[0]", "spine[1]"}
    assert made["devices"]["cabinet3-server2-npu1"]["rack"] == "cabinet[3]"
    assert made["devices"]["cabinet3-server2-npu1"]["role"] == "npu"
    assert sorted(made["types"]["Chip"]) == ["up0", "up1", "x0", "x1", "x2"]


RACKED = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m }
npu Chip { port up : UB x4 @open }
switch Leaf { height = 1 U; face = rear; port p[8] : UB x4; port x : UB x4 }
switch Panel { height = 1.5 U; port p[8] : UB x4 }
device Thin { height = 30 mm }
node Tray { height = 2 U; npu[7] : Chip; port up = npu.up }
rack Cabinet {
  height = 12 U
  tray[2] : Tray
  leaf    : Leaf
  panel   : Panel
  thin[2] : Thin
  loose   : Thin
  connect tray[0].up[n] -- leaf.p[n] over Wire(1 m) for n in 0..6
  connect tray[1].up[n] -- panel.p[n] over Wire(1 m) for n in 0..6
  connect leaf.p[7] -- panel.p[7] over Wire(1 m)
  port x = leaf.x
  place tray  as grid(columns = 1, pitch = [0 m, 2 U])
  place leaf  as at(origin = [0 m, 4 U])
  place panel as at(origin = [0 m, 5.5 U])
  place thin  as row(pitch = 0.2 m, origin = [0 m, 7 U])
}
superpod Hall { cabinet[2] : Cabinet; connect cabinet[0].x -- cabinet[1].x over Wire(1 m) }
system hall : Hall
"""


def test_netbox_of_racks_with_heights(tmp_path: Path) -> None:
    done = compiler.compile_text(RACKED)
    export.write(done.fabric("hall"), "netbox", tmp_path)
    made = netbox(tmp_path)
    at = {name.removeprefix("cabinet1-"): (row["position"], row["face"]) for name, row in made["devices"].items()}
    assert at["leaf"] == ("5", "rear")
    assert at["panel"] == ("6.5", "front")
    # NetBox has no two devices side by side, no device in a tray, and none of no place
    assert {at["thin0"], at["thin1"], at["loose"], at["tray0-npu0"]} == {("", "")}
    assert {row["u_height"] for row in rows(tmp_path / "5-racks.csv")} == {"12"}
    types = {each["model"]: each for each in yaml.safe_load((tmp_path / "4-device-types.yaml").read_text())}
    heights = {name: (each["u_height"], each["is_full_depth"]) for name, each in types.items()}
    assert heights == {"Leaf": (1, False), "Panel": (1.5, True), "Thin": (1, True), "Chip": (0, False)}


def test_netbox_of_what_a_scenario_leaves(tmp_path: Path) -> None:
    gone = np.zeros(fabric().device_count, dtype=bool)
    gone[:18] = True  # a cabinet
    cables = gone[fabric().a_device] | gone[fabric().b_device]
    subject = ExportInput(fabric().plan, fabric, gone=OutageMask("Down", gone, cables))
    export.write_subject(subject, export.find("netbox"), tmp_path, export.Sink())
    made = netbox(tmp_path)
    assert len(made["devices"]) == fabric().device_count - 18
    assert "cabinet[0]" not in made["racks"]


def test_netbox_of_what_netbox_had(tmp_path: Path) -> None:
    """Its own list of cables, read and written again, has the same types of cable."""
    export.write(fabric(), "netbox", tmp_path / "one")
    export.write(importer.read_fabric(tmp_path / "one" / "7-cables.csv"), "netbox", tmp_path / "two")
    one, two = (sorted(row["type"] for row in rows(tmp_path / n / "7-cables.csv")) for n in ("one", "two"))
    assert one == two


def test_netbox_refuses_names_that_are_too_long(tmp_path: Path) -> None:
    text = PODS.replace("server", "server_of_a_row_with_a_very_long_name_that_no_database_takes_as_it_is")
    with pytest.raises(export.CannotExportError):
        export.write(fabric(text), "netbox", tmp_path / "x")


def test_bill(tmp_path: Path) -> None:
    path = tmp_path / "bom.csv"
    found = export.write(fabric(), "bom", path)
    assert [d.code for d in found] == ["UB0805", "UB0806"]
    assert "Spine" in found[1].message
    assert "Trace" in found[1].message
    listed = {(row["section"], row["item"], row["length_m"]): row for row in rows(path)}
    assert listed["part", "Chip", ""]["count"] == "64"
    assert listed["part", "Chip", ""]["total_power_w"] == str(64 * 700)
    assert listed["cable", "Copper", "1"]["count"] == "128"
    assert listed["optics", "Optic module x4", ""]["count"] == "32"
    cables = [line for line in bill(fabric()) if line.section == "cable"]
    assert sum(line.count for line in cables) == fabric().cable_count
    total = 64 * 10000 + 8 * 2000 + 128 * 80 + 16 * 900
    assert listed["total", "", ""]["total_cost_usd"] == str(total)
    length = sum((line.total_length or Fraction(0) for line in cables), Fraction(0))
    assert float(listed["total", "", ""]["total_length_m"]) == pytest.approx(float(length))


def test_names_are_legal_and_distinct() -> None:
    assert stems(["plane", "plane1", "Plane"]) == {"Plane": "plane", "plane": "plane-b", "plane1": "plane1-c"}
    text = (
        PARTS
        + """switch Hub { port p[16] : UB x4 }
rack R {
  a[2, 3] : Chip; a1[3] : Chip; A_[7] : Chip; hub : Hub
  connect a[i, j].up[0] -- hub.p[3*i + j] over Copper(1 m) for i, j
  connect a1[i].up[0] -- hub.p[6 + i] over Copper(1 m) for i
  connect A_[i].up[0] -- hub.p[9 + i] over Copper(1 m) for i
  open a.x, a.up[1], a1.x, a1.up[1], A_.x, A_.up[1]
}
"""
    )
    plan = compiled(text + "system r : R\n").plan
    names = Slugs(plan).devices(np.arange(16)).tolist()
    assert len(set(names)) == 16, names
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)


def test_a_growing_array_keeps_its_names() -> None:
    more = compiled(PODS.replace("cabinet[4]", "cabinet[3]").replace("p[8]", "p[6]")).plan
    small = set(Slugs(more).devices(np.arange(more.device_count[more.root])).tolist())
    all_ = set(Slugs(fabric().plan).devices(np.arange(fabric().device_count)).tolist())
    assert small < all_
