"""The file of a fabric: equal after reading, mapped, readable by NumPy, and clear about what is wrong with it."""

from __future__ import annotations

import json
import re
import zipfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.ir.plan import hand_made as hm
from tests.ir.plan.random_plans import plans
from unifiedbus_dsl.base.progress import listen
from unifiedbus_dsl.base.units import SIZE, Quantity
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.fabric.file import FabricFileError, content_hash
from unifiedbus_dsl.ir.plan import DeviceType, Lookup, Plan, Port, Var, serial

COLUMNS = ("device_type", "a_device", "a_port", "b_device", "b_port", "kind")


@pytest.fixture(scope="module")
def cluster() -> Fabric:
    return expand(hm.cluster(pods=2, racks=3, pod_switches=1), sources_hash="cafe")


@pytest.fixture
def saved(cluster: Fabric, tmp_path: Path) -> Path:
    path = tmp_path / "cluster.npz"
    cluster.save(path)
    return path


def assert_equal(one: Fabric, other: Fabric) -> None:
    assert one.plan == other.plan
    assert one.sources_hash == other.sources_hash
    for name in COLUMNS:
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)
    for name in ("link", "lanes", "length_m"):
        a, b = getattr(one.kinds, name), getattr(other.kinds, name)
        assert a.dtype == b.dtype
        assert np.array_equal(a, b, equal_nan=name == "length_m")


def test_reads_back_equal(cluster: Fabric, saved: Path) -> None:
    assert_equal(Fabric.load(saved), cluster)
    assert_equal(Fabric.load(saved, check=True), cluster)
    assert list(saved.parent.iterdir()) == [saved]


@given(plans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_machines_read_back_equal(tmp_path: Path, plan: Plan) -> None:
    fabric, path = expand(plan), tmp_path / "machine.npz"
    fabric.save(path)
    sides = ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port))
    ends = [end for device, port in sides for end in zip(device.tolist(), port.tolist(), strict=True)]
    if len(set(ends)) == len(ends):
        assert_equal(Fabric.load(path), fabric)
    else:  # such a plan was drawn: no text can ask for it
        with pytest.raises(FabricFileError, match="two cables"):
            Fabric.load(path)


def test_the_same_fabric_gives_the_same_bytes(cluster: Fabric, saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    Fabric.load(saved).save(again)
    assert again.read_bytes() == saved.read_bytes()


def test_columns_are_mapped_aligned_and_read_only(saved: Path) -> None:
    fabric = Fabric.load(saved)
    for name in COLUMNS:
        column = getattr(fabric, name)
        base = column
        while base.base is not None and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap)
        assert column.ctypes.data % 64 == 0
        assert not column.flags.writeable


def test_numpy_reads_it(cluster: Fabric, saved: Path) -> None:
    with np.load(saved) as arrays:
        assert np.array_equal(arrays["a_device"], cluster.a_device)
        assert json.loads(arrays["head"].tobytes())["version"] == 2
    assert zipfile.ZipFile(saved).testzip() is None


def test_everything_of_a_plan_is_kept() -> None:
    port = Port("x", (2, 2), "UB", 4, open=True)
    size = Quantity(Fraction(10**9, 3), SIZE)
    chip = DeviceType(
        "Chip", "npu", (port,), ((0, 1), (2,)), {"memory": size, "tags": ("a", (True, "b"))}, doc="A chip."
    )
    rule = hm.rule(
        hm.ref("npu", [Lookup((1, 0), Var("i"))], "x", [0, 1]), hm.ref("npu", ["i"], "x", [1, 1]), hm.axes(i=2)
    )
    plan = hm.plan("Box", chip, hm.assembly("Box", "rack", {"npu": ((2,), "Chip")}, [], [rule]))
    back = serial.load(serial.dump(plan))
    assert back == plan
    assert back.devices["Chip"].doc == "A chip."
    assert serial.dump(back) == serial.dump(plan)
    assert b'"step"' not in serial.dump(plan)  # fields with their default are left out


def test_every_cut_is_noticed(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    cut = tmp_path / "cut.npz"
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:length])
        with pytest.raises(FabricFileError, match=r"`cut\.npz` is no fabric file or is cut short"):
            Fabric.load(cut)


def test_damage_is_noticed_when_asked_for(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    saved.write_bytes(data)
    with pytest.raises(FabricFileError, match=r"the checksum of `.*npy` is wrong"):
        Fabric.load(saved, check=True)


def test_damage_of_the_plan_is_always_noticed(saved: Path) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data.replace(b'"Cabinet"', b'"Cabinot"', 1))
    with pytest.raises(FabricFileError, match=r"the checksum of `plan\.npy` is wrong"):
        Fabric.load(saved)


def test_random_damage_never_ends_in_another_error(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    hurt = tmp_path / "hurt.npz"
    random = np.random.default_rng(1)
    for attempt in range(300):
        broken = bytearray(data)
        for at in random.integers(0, len(data), 3):
            broken[at] = int(random.integers(256))
        near_end = len(data) - int(random.integers(1, 900))
        broken[near_end] = int(random.integers(256))
        hurt.write_bytes(broken)
        with suppress(FabricFileError):
            Fabric.load(hurt, check=attempt % 2 == 0)


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ({"format": "ubusc-fabric", "version": 3}, "is of version 3; this program reads up to version 2"),
        ({"format": "photographs", "version": 1}, "its head says `photographs`"),
        ({"format": "ubusc-fabric"}, "has no head"),
        ([], "has no head"),
        ({"format": "ubusc-fabric", "version": 1}, "is damaged: it has no `plan`"),
    ],
)
def test_foreign_files_are_a_sentence(tmp_path: Path, head: object, sentence: str) -> None:
    path = tmp_path / "foreign.npz"
    np.savez(path, head=np.frombuffer(json.dumps(head).encode(), np.uint8))
    with pytest.raises(FabricFileError, match=sentence):
        Fabric.load(path)


def test_other_files_are_a_sentence(cluster: Fabric, tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez_compressed(path, a_device=np.arange(99))
    with pytest.raises(FabricFileError, match="is compressed"):
        Fabric.load(path)
    np.savez(path, other=np.arange(3))
    with pytest.raises(FabricFileError, match="no head"):
        Fabric.load(path)
    path.write_text("ubus 1\n")
    with pytest.raises(FabricFileError, match="no fabric file"):
        Fabric.load(path)
    with pytest.raises(FileNotFoundError):
        Fabric.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError):
        cluster.save(tmp_path / "no" / "folder.npz")


def crafted(path: Path, parts: dict[str, np.ndarray]) -> None:
    """Write members as a file whose hash is right."""
    head = json.loads(parts["head"].tobytes())
    head["content_hash"] = content_hash(parts, head["sources_hash"])
    np.savez(path, **{**parts, "head": np.frombuffer(json.dumps(head).encode(), np.uint8)})


def test_every_flipped_bit_is_noticed(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    whole = Fabric.load(saved)
    draw, target, refused = np.random.default_rng(7), tmp_path / "flipped.npz", 0
    for _ in range(300):
        at, bit = int(draw.integers(len(data))), int(draw.integers(8))
        target.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        try:
            assert_equal(Fabric.load(target), whole)  # padding and the dates of the archive mean nothing
        except FabricFileError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize(
    ("column", "row", "value", "sentence"),
    [
        ("a_device", 3, 65_535, "`a_device` of cable 3 is 65,535"),
        ("b_device", 9, 60_000, "`b_device` of cable 9 is 60,000"),
        ("a_port", 0, 999, "`a_port` of cable 0 is 999"),
        ("b_port", 1, 999, "`b_port` of cable 1 is 999"),
        ("kind", 5, 4_000, "`kind` of cable 5 is 4,000"),
        ("kinds_link", 0, 77, "`kinds_link` names a link"),
        ("kinds_lanes", 0, 0, "`kinds_lanes` has a cable of no lanes"),
        ("kinds_length_m", 0, -1.0, "`kinds_length_m` has a length"),
        ("kinds_length_m", 0, np.inf, "`kinds_length_m` has a length"),
        ("device_type", 2, 9, "`device_type` says another type than the plan, first of device 2"),
    ],
)
def test_a_crafted_value_with_the_right_hash_is_noticed(
    saved: Path, column: str, row: int, value: float, sentence: str
) -> None:
    with np.load(saved) as arrays:
        parts = {name: array.copy() for name, array in arrays.items()}
    parts[column][row] = value
    crafted(saved, parts)
    with pytest.raises(FabricFileError, match=re.escape(sentence)):
        Fabric.load(saved)


def test_a_port_with_two_cables_is_noticed(saved: Path) -> None:
    with np.load(saved) as arrays:
        parts = {name: array.copy() for name, array in arrays.items()}
    for end in ("a_device", "a_port"):
        parts[end][1] = parts[end][0]
    crafted(saved, parts)
    with pytest.raises(FabricFileError, match="two cables"):
        Fabric.load(saved)


@pytest.mark.parametrize("columns", [("a_device", "a_port"), ("b_device", "b_port"), ("kind",)])
def test_a_cable_that_no_rule_lays_is_noticed(saved: Path, columns: tuple[str, ...]) -> None:
    """Two cables that exchange their ends or kinds: every value is in its range, every port has one cable."""
    with np.load(saved) as arrays:
        parts = {name: array.copy() for name, array in arrays.items()}
    one = 0
    other = int(np.flatnonzero(parts["kind"] != parts["kind"][one])[0])
    for column in columns:
        parts[column][[one, other]] = parts[column][[other, one]]
    crafted(saved, parts)
    with pytest.raises(
        FabricFileError, match=f"`{columns[0]}` says another than the rules of the plan, first of cable 0"
    ):
        Fabric.load(saved)


@pytest.mark.parametrize(("column", "value"), [("kinds_lanes", 7), ("kinds_length_m", 0.25)])
def test_kinds_of_cable_that_no_rule_has_are_noticed(saved: Path, column: str, value: float) -> None:
    with np.load(saved) as arrays:
        parts = {name: array.copy() for name, array in arrays.items()}
    parts[column][0] = value
    crafted(saved, parts)
    with pytest.raises(FabricFileError, match=f"`{column}` does not hold what the rules of the plan say"):
        Fabric.load(saved)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"kind":"rack"', '"kind":"heap"', "kind `heap`"),
        ('"low":0', '"low":"0"', "`low` of a Axis is no int"),
        ('"low":0', '"low":1e9', "no whole number"),
        ('"/":"14000000000"', '"/":"1e999999999"', "no fraction"),
        ('"/":"14000000000"', '"/":"-1"', "protocol `UB`"),
        ('"root":"Cluster"', '"root":"Chip"', "root"),
        ('"op":"*"', '"op":"PortRef"', "an operator that there is none of"),
        ('"high":', '"high":4611686018427387905,"step":', "no int|no plan|twice"),
    ],
)
def test_a_crafted_plan_with_the_right_hash_is_noticed(saved: Path, old: str, new: str, sentence: str) -> None:
    with np.load(saved) as arrays:
        parts = dict(arrays)
    text = parts["plan"].tobytes().decode()
    assert old in text
    parts["plan"] = np.frombuffer(text.replace(old, new, 1).encode(), np.uint8)
    crafted(saved, parts)
    with pytest.raises(FabricFileError, match=sentence):
        Fabric.load(saved)


def test_a_file_of_the_first_version_has_no_hash_and_is_verified(saved: Path, cluster: Fabric) -> None:
    with np.load(saved) as arrays:
        parts = {name: array.copy() for name, array in arrays.items()}
    head = json.loads(parts["head"].tobytes())
    old = {**head, "version": 1}
    del old["content_hash"]
    parts["head"] = np.frombuffer(json.dumps(old).encode(), np.uint8)
    np.savez(saved, **parts)
    assert_equal(Fabric.load(saved), cluster)
    parts["a_port"][0] = 999
    np.savez(saved, **parts)
    with pytest.raises(FabricFileError, match="a_port"):
        Fabric.load(saved)
    parts["head"] = np.frombuffer(json.dumps({**old, "version": 2}).encode(), np.uint8)
    np.savez(saved, **parts)
    with pytest.raises(FabricFileError, match="hash"):
        Fabric.load(saved)


def test_columns_that_do_not_fit_the_plan(cluster: Fabric, saved: Path) -> None:
    with np.load(saved) as arrays:
        parts = dict(arrays)
    parts["kind"] = parts["kind"][1:]
    crafted(saved, parts)
    with pytest.raises(FabricFileError, match="`kind` does not fit the plan"):
        Fabric.load(saved)


def test_progress_is_told(cluster: Fabric, tmp_path: Path) -> None:
    """Expanding counts cables, saving counts bytes, both to their end."""
    told: list[tuple[str, int, int | None]] = []
    with listen(lambda *each: told.append(each)):
        expand(cluster.plan).save(tmp_path / "again.npz")
    ended = [told[n - 1] for n, (_, done, _) in enumerate(told) if done == -1]
    assert [(title.split()[0], done == total) for title, done, total in ended] == [("expand", True), ("save", True)]
    assert ended[0][1] == cluster.cable_count
