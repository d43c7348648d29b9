"""From flat networks back to text: shipped machines flattened, shuffled, renamed, and with cables swapped."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from attrs import evolve

from unifiedbus_dsl import compiler
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.importer.diff import compare_listings
from unifiedbus_dsl.importer.lift import Lifted, lift
from unifiedbus_dsl.importer.listing import Cable, ImportFailed, Listing, listing_of
from unifiedbus_dsl.importer.reconstruct import reconstruct
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.site import named, read_names

CASES = Path(__file__).parent / "cases"
SPECS = compiler.spec_folders()[0]
EXACT = [
    "amd/helios:rack", "amd/mi300x:platform", "aws/trn2-ultraserver:ultraserver", "huawei/taishan-950:superpod",
    "huawei/ub-mesh-racks:mesh2d", "huawei/ub-mesh-racks:mesh1da", "huawei/ub-mesh-racks:clos", "nvidia/dgx:h100",
    "nvidia/dgx:b200", "nvidia/gb200-nvl72:rack", "nvidia/vera-rubin:nvl72", "textbook/dragonfly:dragonfly",
    "textbook/fat-tree:tree", "textbook/hamming-mesh:hx2mesh", "textbook/hypercube:hypercube",
    "textbook/hyperx:hyperx", "textbook/ring:ring", "textbook/torus:torus2d", "textbook/torus:torus3d",
    "google/tpu:twisted", "google/tpu:twisted_4x8x8", "huawei/ub-mesh:rack", "huawei/ub-mesh:pod", "others/dojo:tray",
    "textbook/bcube:bcube",
]  # fmt: skip
"""Machines whose cables are all in rules."""
LISTED = ["textbook/jellyfish:jellyfish", "textbook/polarfly:polarfly"]
"""Machines of which some cables are in no rule that is looked for."""
LARGE = [
    "google/tpu:v4", "huawei/atlas-850:cluster", "huawei/atlas-900-superpod:superpod",
    "huawei/atlas-950-superpod:superpod", "nvidia/dgx-superpod:h100_4su",
    "others/frontier:cabinets", "huawei/ub-mesh:mesh", "nvidia/dgx-superpod:b200_2su", "nvidia/dgx-superpod:b200_16su",
    "nvidia/vera-rubin:nvl576",
]  # fmt: skip
SWAPPED = [
    "huawei/ub-mesh-racks:mesh2d", "huawei/ub-mesh-racks:clos", "nvidia/gb200-nvl72:rack", "textbook/torus:torus3d",
    "textbook/hypercube:hypercube", "aws/trn2-ultraserver:ultraserver",
]  # fmt: skip
"""Machines in which no swap of two cables of one rule gives the same machine again."""


def machine(name: str) -> tuple[Path, Fabric]:
    file, _, system = name.partition(":")
    path = SPECS / f"{file}.ubus"
    return path, compiler.compile(path).fabric(system)


def flattened(fabric: Fabric, seed: int, swaps: int = 0) -> Listing:
    """The machine as a list without its names, in no order; some cables have each other's ends."""
    random, design = Random(seed), listing_of(fabric)
    names = [f"n{number:05}" for number in range(len(design.devices))]
    random.shuffle(names)
    new = dict(zip((device.name for device in design.devices), names, strict=True))
    devices = [evolve(device, name=new[device.name]) for device in design.devices]
    cables = [evolve(c, a=(new[c.a[0]], c.a[1]), b=(new[c.b[0]], c.b[1])) for c in design.cables]
    sorts = [_sort(cable) for cable in design.cables]
    touched: set[str] = set()
    while swaps:
        one = random.randrange(len(cables))
        two = random.choice([n for n, sort in enumerate(sorts) if sort == sorts[one]])
        ends = {end[0] for n in (one, two) for end in (cables[n].a, cables[n].b)}
        if len(ends) < 4 or ends & touched:
            continue
        touched |= ends
        cables[one], cables[two] = evolve(cables[one], b=cables[two].b), evolve(cables[two], b=cables[one].b)
        swaps -= 1
    cables = [evolve(c, a=c.b, b=c.a) if random.random() < 0.5 else c for c in cables]
    random.shuffle(devices)
    random.shuffle(cables)
    return evolve(design, devices=tuple(devices), cables=tuple(cables))


def _sort(cable: Cable) -> tuple[object, ...]:
    """What cables have in common that may be swapped: link, length, and the arrays at both ends."""
    ends = (re.sub(r"\[[^\]]*\]", "", ".".join(end)) for end in (cable.a, cable.b))
    return (cable.link, cable.lanes, cable.length, *ends)


def lifted(listing: Listing, folder: Path, fabric: Fabric | None = None) -> Lifted:
    """The lift of a list; its text, compiled under the names of the list, is compared with the list cable by cable."""
    found = lift(fabric or reconstruct(Table.of(listing)))
    for name, text in {"lifted.ubus": found.text, "names.csv": found.names, **found.files}.items():
        (folder / name).write_text(text)
    done = compiler.compile(folder / "lifted.ubus")
    assert not [each for each in done.diagnostics if each.severity == "error"]
    plan = named(done.pick(), read_names(folder / "names.csv"))
    design = evolve(done, plans={plan.system: plan}).fabric()
    wanted = evolve(listing, devices=tuple(evolve(device, type="") for device in listing.devices))
    difference = compare_listings(evolve(wanted, types=None), evolve(listing_of(design), types=None))
    counts = {sort: count for sort, count in difference.counts().items() if count}
    if found.lengths_left_out:
        counts.pop("cables of another length", None)
    assert not counts
    return found


def lines_of(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#"))


@pytest.mark.parametrize("name", EXACT)
def test_a_machine_comes_back_as_rules(name: str, tmp_path: Path) -> None:
    path, fabric = machine(name)
    found = lifted(flattened(fabric, 1), tmp_path)
    assert (found.count, found.exceptions.listed, found.files) == (0, 0, {})
    assert found.lines <= 2 * lines_of(path)


@pytest.mark.parametrize("name", LISTED)
def test_what_no_rule_describes_is_listed(name: str, tmp_path: Path) -> None:
    path, fabric = machine(name)
    found = lifted(flattened(fabric, 2), tmp_path)
    assert found.exceptions.listed
    assert found.lines <= 2 * lines_of(path)


@pytest.mark.parametrize("swaps", [0, 2])
def test_boards_that_meet_by_the_ports_of_their_edges(swaps: int, tmp_path: Path) -> None:
    """A way round a cable may go back by a port array that is longer than that of the cable."""
    _, fabric = machine("textbook/hamming-mesh:hx4mesh")
    found = lifted(flattened(fabric, 4 + swaps, swaps), tmp_path)
    assert found.exceptions.listed <= len(fabric.a_device) // 10


def test_a_cable_in_a_port_of_another_width_is_refused_in_a_sentence() -> None:
    flat = flattened(machine("amd/helios:rack")[1], 8)
    cables = list(flat.cables)
    one, two = (next(n for n, cable in enumerate(cables) if cable.link == link) for link in ("Cable", "Slot"))
    cables[one], cables[two] = evolve(cables[one], b=cables[two].b), evolve(cables[two], b=cables[one].b)
    with pytest.raises(ImportFailed, match="a cable has another width or lane rate than its ports"):
        lift(reconstruct(Table.of(evolve(flat, cables=tuple(cables)))))


@pytest.mark.parametrize("name", SWAPPED)
def test_planted_swaps_are_the_exceptions(name: str, tmp_path: Path) -> None:
    _, fabric = machine(name)
    found = lifted(flattened(fabric, 3, swaps=2), tmp_path)
    assert (len(found.swaps), found.count, found.exceptions.listed) == (2, 2, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_machine_comes_back_as_rules(name: str, tmp_path: Path) -> None:
    path, fabric = machine(name)
    found = lifted(flattened(fabric, 4), tmp_path)
    assert (found.count, found.exceptions.listed) == (0, 0)
    assert found.lines <= 2 * lines_of(path)
    if name == "nvidia/dgx-superpod:b200_16su":
        return  # of its 90,112 cables those inside the systems come back as a list once two others are swapped
    again = lifted(flattened(fabric, 5, swaps=2), tmp_path)
    told = 1 if name == "others/frontier:cabinets" else 2  # GPUs that have one cable each give the same machine
    assert (len(again.swaps), again.count, again.exceptions.listed) == (told, told, 0)


def test_missing_parts_and_cables(tmp_path: Path) -> None:
    """A node that is away is an element that the array lacks, a cable that is away an exception."""
    _, fabric = machine("textbook/fat-tree:tree")
    whole = flattened(fabric, 6)
    (gone,) = [d.name for d in whole.devices if d.kind == "npu"][3:4]
    cut = next(c for c in whole.cables if gone not in (c.a[0], c.b[0]) and "Host" not in _types(whole, c))
    cables = tuple(c for c in whole.cables if c is not cut and gone not in (c.a[0], c.b[0]))
    found = lifted(evolve(whole, devices=tuple(d for d in whole.devices if d.name != gone), cables=cables), tmp_path)
    assert re.search(r"npu\[8, 4, 4 except \[\d, \d, \d\]\]", found.text)
    assert (found.count, len(found.exceptions.lacking), found.exceptions.listed) == (1, 1, 0)


def _types(listing: Listing, cable: Cable) -> set[str]:
    ends = {cable.a[0], cable.b[0]}
    return {device.type for device in listing.devices if device.name in ends}


def test_a_network_as_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a cable list to text on the command line, and back by the map of names that is written beside it."""
    monkeypatch.chdir(tmp_path)
    rows = ["a_device;a_port;b_device;b_port;gbps"]
    for leaf in range(1, 7):
        rows += [f"gpu{8 * leaf + n:02};mlx5_0;leaf-{leaf};Ethernet{n + 1};400" for n in range(8)]
        rows += [f"leaf-{leaf};Ethernet{9 + s};spine{s};Ethernet{leaf};400" for s in range(4)]
    Path("found.csv").write_text("\n".join(rows))
    assert main(["import", "found.csv", "--to", "ubus"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("found.ubus: 2")
    assert "and 0 exceptions" in told
    assert main(["check", "found.ubus"]) == 0
    assert main(["diff", "found.ubus", "found.csv", "--names", "found.names.csv"]) == 0
    Path("swapped.csv").write_text(
        "\n".join(rows)
        .replace("spine0;Ethernet1;", "@")
        .replace("spine1;Ethernet2;", "spine0;Ethernet1;")
        .replace("@", "spine1;Ethernet2;")
    )
    capsys.readouterr()
    assert main(["import", "swapped.csv", "--to", "ubus"]) == 0
    said = capsys.readouterr()
    assert "1 exception, 1 pair of swapped cables" in said.out
    assert "swapped: " in said.err
    capsys.readouterr()
    assert main(["diff", "found.ubus", "swapped.csv", "--names", "found.names.csv"]) == 1
    assert capsys.readouterr().out.startswith("1 swapped pair of cables\n")


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir() if path.suffix != ".ubus"))
def test_files_of_sites_come_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file as text and its map, compared with the file; also a second time, over what was written."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        if main(["import", str(CASES / name), "--to", "ubus", "-o", "found.ubus"]):
            assert "UB0807" in capsys.readouterr().err
            return
    assert main(["check", "found.ubus"]) == 0
    capsys.readouterr()
    assert main(["diff", "found.ubus", str(CASES / name), "--names", "found.names.csv"]) == 0, capsys.readouterr().out


def test_it_writes_over_no_text_of_someone_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.ubus").write_text("ubus 1\n")
    assert main(["import", str(CASES / "no-rate.csv"), "--to", "ubus", "-o", "mine.ubus"]) == 2
    assert "no network that was found" in capsys.readouterr().err
    assert main(["import", str(CASES / "no-rate.csv"), "--to", "ubus", "-o", "-"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.ubus"]


def test_islands_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.csv").write_text("a_device,a_port,b_device,b_port\na,1,b,1\nc,1,d,1\n")
    assert main(["import", "two.csv", "--to", "ubus"]) == 1
    assert "falls into 2 islands" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["two.csv"]


def test_cages_come_back_and_so_do_the_cables_that_they_make(tmp_path: Path) -> None:
    text = """ubus 1
protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Split : Eth { medium = copper; reach = 3 m; cost = 300 USD }
nic Nic { port p : Eth x4 }
switch Tor { port osfp[8, 2] : Eth x4 @open @cage; latency = 600 ns }
rack R {
  nic[8] : Nic
  tor[2] : Tor
  connect nic[2*c + h].p -- tor[0].osfp[c, h] over Split(2 m) for c in 0..3, h
  connect tor[0].osfp[c, h] -- tor[1].osfp[c, h] over Split(1 m) for c in 4..7, h
}
system r : R
"""
    (tmp_path / "r.ubus").write_text(text)
    assert main(["export", str(tmp_path / "r.ubus"), "--to", "json", "-o", str(tmp_path / "r.json")]) == 0
    assert main(["import", str(tmp_path / "r.json"), "--to", "ubus", "-o", str(tmp_path / "back.ubus")]) == 0
    back = (tmp_path / "back.ubus").read_text()
    assert "port osfp[8, 2] : Eth x4 @open @cage(2)" in back
    done = compiler.compile_text(back + "\nexpect count(all link) == 8\n")
    assert done.ok, done.diagnostics
