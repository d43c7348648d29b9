"""What ibnetdiscover prints: read, solved, drawn, and held against a design.

`printed` writes a fabric as `ibnetdiscover` would (rdma-core, infiniband-diags/ibnetdiscover.c).
"""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from tests.export.machines import PODS, compiled
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.importer import doubts, read, read_fabric
from unifiedbus_dsl.importer.diff import compare_listings
from unifiedbus_dsl.importer.listing import ImportFailed, listing_of
from unifiedbus_dsl.ir.fabric import Fabric

NDR = PODS.replace("protocol UB { lane = 112 Gbps", "protocol UB { lane = 100 Gbps")
SAMPLE = """#
# Topology file: generated on Mon Nov 16 09:12:01 2026
#
# Initiated from node b8599f0300aa0001 port b8599f0300aa0001

Chassis 1 (guid 0xb8599f0300cc0001)

# Spine Nodes
vendid=0x2c9
devid=0xd2f2
sysimgguid=0xb8599f0300bb0002\t\t# Chassis 1
switchguid=0xb8599f0300bb0002(b8599f0300bb0002)\t# Spine 1 Chip 1
Switch\t65 "S-b8599f0300bb0002"\t\t# "MF0;spine0:MQM9700/U1" enhanced port 0 lid 6 lmc 0
[1][ext 11]\t"S-b8599f0300bb0001"[33][ext 4]\t\t# "MF0;leaf0:MQM9700/U1" lid 5 4xNDR s=4 w=2 v=4

Non-Chassis Nodes

vendid=0x2c9
devid=0xd2f2
switchguid=0xb8599f0300bb0001(b8599f0300bb0001)
Switch\t65 "S-b8599f0300bb0001"\t\t# "MF0;leaf0:MQM9700/U1" base port 0 lid 5 lmc 0
[1]\t"H-b8599f0300aa0001"[1](b8599f0300aa0001) \t\t# "host0 mlx5_0" lid 7 4xNDR
[2]\t"H-b8599f0300aa0002"[2](b8599f0300aa0002) \t\t# "host1 mlx5_0" lid 8 2xHDR
[33][ext 4]\t"S-b8599f0300bb0002"[1][ext 11]\t\t# "MF0;spine0:MQM9700/U1" lid 6 4xNDR
[65]\t"H-b8599f0300bb0009"[1](b8599f0300bb0009) \t\t# "host1 mlx5_0" lid 9 1xSDR

vendid=0x2c9
devid=0x1021
sysimgguid=0xb8599f0300aa0001
caguid=0xb8599f0300aa0001
Ca\t1 "H-b8599f0300aa0001"\t\t# "host0 mlx5_0"
[1](b8599f0300aa0001) \t"S-b8599f0300bb0001"[1]\t\t# lid 7 lmc 0 "MF0;leaf0:MQM9700/U1" lid 5 4xNDR

caguid=0xb8599f0300aa0002
Ca\t2 "H-b8599f0300aa0002"\t\t# "host1 mlx5_0"
[2](b8599f0300aa0002) \t"S-b8599f0300bb0001"[2]\t\t# lid 8 lmc 0 "MF0;leaf0:MQM9700/U1" lid 5 2xHDR

caguid=0xb8599f0300bb0009
Ca\t1 "H-b8599f0300bb0009"\t\t# "host1 mlx5_0"
[1](b8599f0300bb0009) \t"S-b8599f0300bb0001"[65]\t\t# lid 9 lmc 0 "MF0;leaf0:MQM9700/U1" lid 5 1xSDR

rtguid=0xb8599f0300dd0001
Rt\t2 "R-b8599f0300dd0001"\t\t# ""
"""


def printed(fabric: Fabric, names: list[str] | None = None, speed: dict[int, str] | None = None) -> str:
    """A fabric as `ibnetdiscover` prints it; NPUs are channel adapters. `speed` is that of single cables."""
    names = names or Slugs(fabric.plan).devices(np.arange(fabric.device_count)).tolist()
    types = list(fabric.plan.devices.values())
    switch = [types[t].kind == "switch" for t in fabric.device_type.tolist()]
    lines: list[list[str]] = [[] for _ in names]
    guid = [f"{'S' if is_switch else 'H'}-{device + 1:016x}" for device, is_switch in enumerate(switch)]
    columns = (fabric.a_device, fabric.a_port, fabric.b_device, fabric.b_port)
    for cable, (a, ap, b, bp) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        rate = (speed or {}).get(cable, "4xNDR")
        for (one, port), (two, far) in (((a, ap), (b, bp)), ((b, bp), (a, ap))):
            own = "" if switch[one] else f"({one + 1:x}) "
            back = "" if switch[two] else f"({two + 1:x}) "
            said = f'"{names[two]}" lid {two}' if switch[one] else f'lid {one} lmc 0 "{names[two]}" lid {two}'
            lines[one].append(f'[{port + 1}]{own}\t"{guid[two]}"[{far + 1}]{back}\t\t# {said} {rate}\n')
    text = "#\n# Topology file: generated on Mon Nov 16 09:12:01 2026\n#\n# Initiated from node 1 port 1\n"
    for device in sorted(range(len(names)), key=lambda n: not switch[n]):
        word, more = ("Switch", " enhanced port 0 lid 1 lmc 0") if switch[device] else ("Ca", "")
        radix = types[fabric.device_type[device]].radix
        text += f"\nvendid=0x2c9\ndevid=0x1\nsysimgguid=0x{device + 1:x}\n{word.lower()}guid=0x{device + 1:x}\n"
        text += f'{word}\t{radix} "{guid[device]}"\t\t# "{names[device]}"{more}\n' + "".join(lines[device])
    return text


def test_the_grammar(tmp_path: Path) -> None:
    (tmp_path / "lab.txt").write_text(SAMPLE)
    found = read(tmp_path / "lab.txt").listing()
    assert [(d.name, d.kind, d.ports) for d in found.devices] == [
        ("MF0;spine0:MQM9700/U1", "switch", 65),
        ("MF0;leaf0:MQM9700/U1", "switch", 65),
        ("host0 mlx5_0", "nic", 1),
        ("host1 mlx5_0 H-b8599f0300aa0002", "nic", 2),
        ("host1 mlx5_0 H-b8599f0300bb0009", "nic", 1),
        ("R-b8599f0300dd0001", "switch", 2),
    ]
    assert sorted((cable.lanes, cable.link, cable.rate) for cable in found.cables) == [
        (1, "SDR", 2.5e9 / 8),
        (2, "HDR", 100e9 / 8),
        (4, "NDR", 400e9 / 8),
        (4, "NDR", 400e9 / 8),
    ]
    back = read_fabric(tmp_path / "lab.txt")
    assert (back.device_count, back.cable_count) == (6, 4)
    assert sorted(device.radix for device in back.plan.devices.values()) == [0, 1, 2, 65]  # the router has no link


D = doubts


@pytest.mark.parametrize(
    ("old", "new", "sorts", "cables"),
    [
        ("vendid=0x2c9", "vendor 0x2c9", {D.STRANGE: 1}, 4),
        ('Ca\t1 "H-b8599f0300bb0009"', 'Ca\t1 "H-b8599f"', {D.CUT_OFF: 2, D.UNKNOWN_END: 1, D.ONE_END: 1}, 4),
        ('"H-b8599f0300aa0001"[1](', '"H-aa0001"[1](', {D.CUT_OFF: 1, D.ONE_END: 1}, 4),
        ("4xNDR", "4xWDR", {D.BAD_VALUE: 1, D.ONE_RATE: 1}, 4),
        ('[65]\t"H-b8599f0300bb0009"', '[66]\t"H-b8599f0300bb0009"', {D.BEYOND: 1, D.CONTRADICTION: 2}, 3),
        ('[2]\t"H-b8599f0300aa0002"', '[1]\t"H-b8599f0300aa0002"', {D.CONTRADICTION: 1, D.ONE_END: 1}, 4),
        ('"H-b8599f0300aa0001"[1](', '"H-b8599f0300aa0009"[1](', {D.UNKNOWN_END: 1, D.CONTRADICTION: 2}, 3),
        ("lid 9 1xSDR", "lid 9 4xSDR", {D.TWO_RATES: 1}, 4),
        ('"S-b8599f0300bb0001"[2]\t', '"S-b8599f0300bb0001"[65]\t', {D.CONTRADICTION: 1, D.ONE_END: 1}, 4),
        (
            'Ca\t1 "H-b8599f0300bb0009"', 'Ca\t1 "H-b8599f0300aa0002"',
            {D.TWICE: 1, D.UNKNOWN_END: 1, D.CONTRADICTION: 2}, 3,
        ),
        ('Rt\t2 "R-', '[1]\t"S-b8599f0300bb0001"[2]\t# "a" lid 1 4xNDR\nRt\t2 "R-', {D.CUT_OFF: 1}, 4),
    ],
)  # fmt: skip
def test_what_is_in_doubt_is_counted_and_the_rest_taken(
    old: str, new: str, sorts: dict[doubts.Sort, int], cables: int, tmp_path: Path
) -> None:
    assert old in SAMPLE
    (tmp_path / "lab.txt").write_text(SAMPLE.replace(old, new, 1))
    found = read(tmp_path / "lab.txt")
    assert (found.doubts.counts, len(found.table)) == (sorts, cables)


def test_a_file_without_a_node_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lab.txt").write_text("# nothing\n")
    with pytest.raises(ImportFailed, match="is of no format that can be read"):
        read(tmp_path / "lab.txt")


def test_a_discovered_network_is_a_machine_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    design = compiled(NDR).fabric()
    Path("pod.ubus").write_text(NDR)
    Path("found.txt").write_text(printed(design))
    assert main(["diff", "pod.ubus", "found.txt"]) == 0
    assert capsys.readouterr().out == "no difference\n"
    assert main(["import", "found.txt"]) == 0
    assert "latencies" in capsys.readouterr().err
    back = Fabric.load("found.npz")
    # names such as cabinet0-server1-npu2 are those of a regular machine, and stay to the letter
    legal = Slugs(design.plan).devices(np.arange(design.device_count)).tolist()
    assert sorted(listing.name for listing in listing_of(back).devices) == sorted(legal)
    ours, theirs = nx.Graph(design.to_networkx()), nx.Graph(back.to_networkx())
    slug = dict(zip(design.device_names(np.arange(design.device_count)).tolist(), legal, strict=True))
    assert {frozenset(map(slug.get, edge)) for edge in ours.edges()} == {frozenset(edge) for edge in theirs.edges()}
    assert main(["analyze", "found.npz"]) == 0
    assert "diameter(all nic)" in capsys.readouterr().out
    assert main(["render", "found.npz", "-o", "found.svg"]) == 0
    assert "<svg" in Path("found.svg").read_text()
    assert main(["export", "found.npz", "--to", "slurm-tree", "--node", "rack", "-o", "-"]) == 0
    assert "cabinet[0-3]" in capsys.readouterr().out
    Path("bad.npz").write_bytes(b"no fabric")
    assert main(["analyze", "bad.npz"]) == 1
    assert "UB0807" in capsys.readouterr().err


def test_what_is_wrong_in_the_network_is_told_in_the_words_of_the_design(tmp_path: Path) -> None:
    design = compiled(NDR).fabric()
    wanted = listing_of(design)
    copper = [n for n, cable in enumerate(wanted.cables) if cable.link == "Copper"]
    slow, moved, gone = copper[5], copper[17], copper[40]
    b_device, b_port = design.b_device.copy(), design.b_port.copy()
    b_device[moved], b_port[moved] = b_device[copper[18]], b_port[copper[18]]
    b_device[copper[18]], b_port[copper[18]] = design.b_device[moved], design.b_port[moved]
    from attrs import evolve

    crossed = evolve(design, b_device=b_device, b_port=b_port)
    text = printed(crossed, speed={slow: "4xHDR"})
    guid = f"H-{int(design.a_device[gone]) + 1:016x}"
    number = int(design.a_port[gone]) + 1
    kept = [line for line in text.splitlines(keepends=True) if f'"{guid}"[{number}]' not in line]
    record = "".join(kept).split(f'Ca\t5 "{guid}"')
    record[1] = "\n".join(line for line in record[1].split("\n") if not line.startswith(f"[{number}]("))
    (tmp_path / "found.txt").write_text(
        f'Ca\t5 "{guid}"'.join(record).replace("cabinet0-server0-npu0", "Cabinet0 server0 npu0")
    )
    found = compare_listings(wanted, read(tmp_path / "found.txt").listing())
    assert {sort: count for sort, count in found.counts().items() if count} == {
        "missing cables": 1,
        "swapped pairs of cables": 1,
        "cables at another rate": 1,
    }
    assert found.missing == (wanted.cables[gone],)
    assert {str(c) for c in found.swapped[0].wanted} == {str(wanted.cables[moved]), str(wanted.cables[copper[18]])}
    assert found.rates[0].wanted == wanted.cables[slow]
    assert "400 Gbps wanted, 200 Gbps found" in found.text()


@pytest.mark.parametrize(("lane", "differ"), [("106.25 Gbps", 0), ("100 Gbps", 0), ("112 Gbps", 240), ("50 Gbps", 240)])
def test_nominal_rates(lane: str, differ: int, tmp_path: Path) -> None:
    """4xNDR is 400 Gbps by name and 425 on the wire: both are the same; x4 of 112 and of 50 Gbps are not."""
    design = compiled(PODS.replace("112 Gbps", lane)).fabric()
    (tmp_path / "found.txt").write_text(printed(design))
    found = read(tmp_path / "found.txt").listing()
    assert compare_listings(listing_of(design), found).counts()["cables at another rate"] == differ


def test_only_what_the_network_can_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The full mesh inside servers is no InfiniBand: `--only` leaves it out."""
    text = NDR.replace("link Trace : UB", "protocol In { lane = 100 Gbps }\nlink Trace : In")
    text = text.replace("port x[3] : UB x4", "port x[3] : In x4")
    design = compiled(text).fabric()
    (tmp_path / "pod.ubus").write_text(text)
    lines = printed(design).split("\n")
    inside = [
        n for n, line in enumerate(lines) if line.startswith("[") and line.count("H-") and "(" in line.split("\t")[0]
    ]
    (tmp_path / "found.txt").write_text("\n".join(line for n, line in enumerate(lines) if n not in inside))
    command = ["diff", str(tmp_path / "pod.ubus"), str(tmp_path / "found.txt"), "--json"]
    assert main(command) == 1
    assert len(json.loads(capsys.readouterr().out)["missing"]) == 96
    assert main([*command, "--only", "UB"]) == 0
    assert json.loads(capsys.readouterr().out)["same"]
    assert main([*command, "--only", "Copper"]) == 1  # the optics are extra
    capsys.readouterr()
    assert main([*command, "--only", "Cupper"]) == 2
    assert "no link or protocol `Cupper`" in capsys.readouterr().err
