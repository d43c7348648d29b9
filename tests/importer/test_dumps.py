"""Dumps as tools of several versions print them: what they say is taken, what is in doubt is counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unifiedbus_dsl.importer import Found, read
from unifiedbus_dsl.ir.fabric.physical import count_whole


@pytest.fixture
def taken(tmp_path: Path) -> Callable[..., Found]:
    """Return a function that reads a text as a file of a name."""

    def take(name: str, text: str, encoding: str = "utf-8") -> Found:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return read(path)

    return take


Take = Callable[..., Found]


def ends(found: Found) -> set[tuple[str, str]]:
    """The devices at both ends of each cable."""
    return {(min(c.a[0], c.b[0]), max(c.a[0], c.b[0])) for c in found.listing().cables}


def kinds(found: Found) -> dict[str, str]:
    return {device.name: device.kind for device in found.listing().devices}


def test_heads_of_iblinkinfo_without_a_colon(taken: Take) -> None:
    """Older versions print the GUID right behind the word."""
    found = taken(
        "old.txt",
        "Switch 0x0002c902004885f0 Infiniscale-IV:\n"
        '           1    1[  ] ==( 4X          10.0 Gbps Active/  LinkUp)==>       4    1[  ] "n1 HCA-1" ( )\n'
        "CA: n1 HCA-1:\n"
        "      0x0002c903000a1b2d      4    1[  ] ==( 4X          10.0 Gbps Active/  LinkUp)==>"
        '       1    1[  ] "Infiniscale-IV" ( )\n',
    )
    assert not found.doubts
    assert ends(found) == {("Infiniscale-IV", "n1 HCA-1")}
    assert [cable.rate for cable in found.listing().cables] == [4 * 10e9 / 8]


NDT = """rack #,U height,#Fields:StartDevice,StartPort,StartDeviceLocation,EndDevice,EndPort,EndDeviceLocation,Speed
,,MF0;sw13:MSX6036/U1,Port 26,,h51 mlx5_0,Port 1,,4xFDR
,,MF0;sw13:MSX6036/U1,Port 25,,h51 mlx5_1,Port 1,,4X FDR
,,MF0;sw13:MSX6036/U1,Port 1,,SwitchX-2,Port 3,,
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_ndt_lists_of_ufm(encoding: str, taken: Take) -> None:
    found = taken("links.csv", NDT, encoding)
    assert not found.doubts
    assert kinds(found)["MF0;sw13:MSX6036/U1"] == kinds(found)["SwitchX-2"] == "switch"
    assert {device.host for device in found.listing().devices if device.kind == "nic"} == {"h51"}
    assert sorted(cable.rate or 0 for cable in found.listing().cables) == [0, 4 * 14e9 / 8, 4 * 14e9 / 8]


@pytest.mark.parametrize(("speed", "gbps"), [("400GbE", 400), ("4xNDR", 400), ("2x HDR", 100), ("8x XDR", 1600)])
def test_rates_by_their_names(speed: str, gbps: int, taken: Take) -> None:
    found = taken("a.csv", f"a_device,a_port,b_device,b_port,speed\na,1,b,1,{speed}\n")
    assert [cable.rate for cable in found.listing().cables] == [gbps * 1e9 / 8]
    assert not found.doubts


@pytest.mark.parametrize("speed", ["NDR", "4xABC", "0xNDR", "fast"])
def test_rates_that_say_nothing_for_certain(speed: str, taken: Take) -> None:
    found = taken("a.csv", f"a_device,a_port,b_device,b_port,speed\na,1,b,1,{speed}\n")
    assert [cable.rate for cable in found.listing().cables] == [None]
    assert found.doubts.total == 1


NETBOX = """ID,Label,Termination A,Device A,Termination B,Device B,Type,Length
1,b1,swp1,leaf1,"eth0,eth0","srv1,srv2",DAC,3 Meters
2,b2,"Ethernet2/1,Ethernet2/2",leaf1,"eth0,eth0","srv3,srv4",DAC,10 ft
3,b3,swp3,leaf1,eth0,srv5,DAC,2.5 m
"""


def test_tables_that_netbox_exports(taken: Take) -> None:
    """A cable with several ends is one, with its ports in one cage, whichever side has one port."""
    found = taken("cables.csv", NETBOX)
    assert not found.doubts
    assert ends(found) == {("leaf1", f"srv{n}") for n in range(1, 6)}
    assert count_whole(found.fabric()) == 3
    assert {cable.length for cable in found.listing().cables} == {3.0, 10 * 0.3048, 2.5}


def test_which_port_is_of_which_device_is_not_guessed(taken: Take) -> None:
    found = taken("c.csv", 'Device A,Termination A,Device B,Termination B\nl1,p1,"s1,s2","a,b,c"\nl1,p2,s3,a\n')
    assert ends(found) == {("l1", "s3")}
    assert [doubt.line for first in found.doubts.first.values() for doubt in first] == [2]


def test_dot_with_sets_defaults_comments_and_a_prompt(taken: Take) -> None:
    found = taken(
        "f.dot",
        "ops@mgmt:~$ cat f.dot\n"
        'strict graph "f" { // one\n'
        "  # two\n"
        "  node [kind=switch]; s1; s2\n"
        "  node [kind=npu];\n"
        "  s1 -- {a b}; s1 -- a\n"
        "  subgraph cluster_x { node [kind=cpu]; c } -- s2\n"
        "  d -- s2\n}\n",
    )
    assert found.doubts.total == 1
    assert ends(found) == {("a", "s1"), ("b", "s1"), ("c", "s2"), ("d", "s2")}
    assert len(found.listing().cables) == 4
    assert kinds(found) == {"s1": "switch", "s2": "switch", "a": "npu", "b": "npu", "c": "cpu", "d": "npu"}


def test_dot_that_is_cut_off_in_an_edge(taken: Take) -> None:
    found = taken("f.dot", "graph {\n a -- b\n c -- ")
    assert ends(found) == {("a", "b")}
    assert found.doubts.total == 2


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("router 0 node 0 node 1 router 1 15\nrouter 1 router 0 15 node 2\n", 0),
        ("node 0 router 0\nnode 1 router 0 3\nnode 2 router 1\nrouter 0 router 1\n", 0),
        ("# by hand\n\nRouter 0 Node 0 Node 1   Router 1   15  \r\nROUTER 1 node 2 rout", 1),
        ("$ cat net\nrouter 0 node 0 node 1 router 1\nrouter 1 node 2\n", 1),
    ],
)
def test_anynet_by_routers_and_by_nodes(text: str, doubts: int, taken: Take) -> None:
    found = taken("net.txt", text)
    assert ends(found) == {
        ("node 0", "router 0"), ("node 1", "router 0"), ("node 2", "router 1"), ("router 0", "router 1"),
    }  # fmt: skip
    assert len(found.listing().cables) == 4
    assert found.doubts.total == doubts


def test_containerlab_as_json_with_a_link_to_the_host(taken: Take) -> None:
    found = taken(
        "lab.json",
        '{"name": "l", "topology": {"nodes": {"a": {"kind": "linux"}, "b": {"kind": "ceos"}}, "links": '
        '[{"endpoints": ["a:eth1", "b:eth1"]}, {"endpoints": ["b:eth2", "host:veth0"]}]}}',
    )
    assert kinds(found) == {"a": "device", "b": "switch"}
    assert ends(found) == {("a", "b")}


def test_what_stands_before_xml_is_counted(taken: Take) -> None:
    text = '<topology version="2.0"><object type="Machine"><object type="Socket"/></object></topology>'
    found = taken("m.xml", f"root@n1:~# lstopo --of xml\n{text}")
    assert found.doubts.total == 1
    assert kinds(found) == {"CPU0": "cpu"}


def test_peers_that_are_announced_and_not_there(taken: Take) -> None:
    found = taken(
        "t.json",
        '{"version": "2.0", "peer_count": 3, "peer_list": [{"local_id": 0}, {"local_id": 1}], "edge_count": 1, '
        '"edge_list": [{"net_layer": 0, "link_type": "PEER2PEER", "protocols": ["UB_CTP"], "local_a": 0, '
        '"local_a_ports": ["0/0"], "local_b": 1, "local_b_ports": ["0/0"]}]}',
    )
    assert found.doubts.total == 1
    assert ends(found) == {("npu[0]", "npu[1]")}
