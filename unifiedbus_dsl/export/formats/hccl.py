"""HCCL's topology file 2.0 and rank table 2.0 (Ascend 950: hiascend.com, "Rank Table Configuration", hcclug_000065).

A server is a node (`--node` says of which kind) with at most 64 NPUs and a spare one. The spare has the local id 64,
which HCCL keeps for it, and no rank: a rank with that id has to say whose place it has taken.

Layer 0 are the cables between the NPUs of a server: each full mesh is an instance of `1DMESH`, as a two-dimensional
mesh is written as one for each row and column. Layer 1 is the Clos inside a SuperPoD, layer 2 that of the cluster (over
UBoE, RoCE or a NIC); layers are numbered without gaps.
A port is "die/port": the die is the number in `die0`, else that of the `transit` line, else that of the port array.

Addresses (EIDs) are given by the hardware: those written here are placeholders, from 1 on, as 0 is no address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape.paths import file_name
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, left_out, refuse, remark, too_large
from unifiedbus_dsl.export.common.devices import of_kind
from unifiedbus_dsl.export.common.names import plain, stems
from unifiedbus_dsl.export.common.provenance import cable_provenance
from unifiedbus_dsl.export.common.servers import Server, servers_of
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.graph.network import connected_components
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import cable_source, spares
from unifiedbus_dsl.ir.plan import DeviceType

MOST_RANKS, MOST_ADDRESSES, MOST_PORTS, MOST_LETTERS = 65_536, 24, 16, 1024
SPARE_ID = 64
"""The local id of the spare of a server (`BACKUP_LOCAL_ID`); those of the others are below it."""
PROTOCOLS = {"UBOE": "UBOE", "UB": "UB_CTP", "ROCE": "ROCE", "HCCS": "HCCS", "TCP": "TCP", "ETHERNET": "TCP"}
"""HCCL's protocol for the beginning of the name of ours."""
CLUSTER = ("UBOE", "ROCE", "TCP")
MESH, POD, BEYOND = 0, 1, 2

Ints = NDArray[np.int64]


@frozen
class Peers:
    """The NPUs of a type of server, as offsets of devices: those with a rank in order of local id, and the spare."""

    ranks: list[int]
    spare: int | None

    @property
    def local_ids(self) -> dict[int, int]:
        """The local id of each offset."""
        local_of = {offset: local for local, offset in enumerate(self.ranks)}
        return local_of if self.spare is None else local_of | {self.spare: SPARE_ID}


@frozen
class Edge:
    """A line of the topology file; `far` is None for a cable into the network. Ports are (die, port)."""

    layer: int
    protocol: str
    near: int
    far: int | None
    instance: int
    near_ports: list[tuple[int, int]] = field(factory=list)
    far_ports: list[tuple[int, int]] = field(factory=list)


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    plan, fabric = subject.plan, subject.fabric
    servers, npus = npu_servers(subject, sink)
    topologies, origin, unknown = {}, cable_provenance(fabric), set[str]()
    for server in servers:
        if server.type not in topologies:
            topologies[server.type] = _edges(fabric, origin, server, npus[server.type], unknown, sink)
    if unknown and not any(topologies.values()):
        raise _refuse_protocol(fabric, min(unknown), sink)
    if unknown:
        names = ", ".join(f"`{name}`" for name in sorted(unknown))
        left_out(sink, f"HCCL does not know {names}: cables of NPUs to hosts and switches over it are left out", "json")
    used = sorted({edge.layer for edges in topologies.values() for edge in edges})
    layers = {layer: n for n, layer in enumerate(used)}
    own = stems(list(topologies))
    for key, edges in topologies.items():
        name = "topology.json" if len(topologies) == 1 else file_name(f"topology-{own[key]}", ".json")
        write_text(path / name, _topology(npus[key], edges, layers))
    ranks = sum(len(npus[server.type].ranks) for server in servers)
    if ranks > MOST_RANKS:
        left_out(
            sink, f"a rank table holds {MOST_RANKS:,} ranks and the machine has {ranks:,}: none was written", "json"
        )
        return
    longest = max((name for server in servers for name in (server.name, server.pod)), key=len)
    if len(longest) > MOST_LETTERS:
        raise too_large(sink, f"a name of {len(longest):,} letters is too long for a network instance", "shorten names")
    tables = {key: _addresses(edges, len(npus[key].ranks), layers, sink) for key, edges in topologies.items()}
    write_text(path / "rank_table.json", _rank_table(servers, tables, used, ranks, plain(plan.system)))
    remark(
        sink, "UB0806", "addresses (EIDs) are placeholders: the hardware gives the real ones", "fill them in on site"
    )


# ---- servers ------------------------------------------------------------------------------------------------------


def npu_servers(subject: ExportInput, sink: Sink) -> tuple[list[Server], dict[str, Peers]]:
    """Return the servers with NPUs, and for each type of them its NPUs.

    Raises:
        CannotExportError: there are none, or too many in a server.
    """
    plan, servers, peers_of = subject.plan, servers_of(subject), dict[str, Peers]()
    is_npu, idle = of_kind(subject.fabric, "npu"), spares(plan)
    for server in servers:
        if server.type not in peers_of:
            here = slice(server.start, server.stop)
            peers_of[server.type] = _peers(server.type, is_npu[here], idle[here], sink)
    if not any(peers.ranks for peers in peers_of.values()):
        raise refuse(
            sink, "HCCL describes servers with NPUs, and this machine has none", "json", plan.type(plan.root).span
        )
    return [s for s in servers if peers_of[s.type].ranks], {
        key: peers for key, peers in peers_of.items() if peers.ranks
    }


def _peers(key: str, is_npu: NDArray[np.bool_], idle: NDArray[np.bool_], sink: Sink) -> Peers:
    ranks, extra = np.flatnonzero(is_npu & ~idle).tolist(), np.flatnonzero(is_npu & idle).tolist()
    if len(ranks) > SPARE_ID:
        raise too_large(
            sink,
            f"a server of HCCL has at most {SPARE_ID} NPUs and a spare, and `{key}` has {len(ranks):,}",
            "name a smaller part by `--node`",
        )
    if len(extra) > 1:
        left_out(sink, f"a server of HCCL has one spare NPU, and `{key}` has {len(extra):,}: the first is in", "json")
    return Peers(ranks, extra[0] if extra else None)


# ---- the topology file --------------------------------------------------------------------------------------------


def _edges(fabric: Fabric, origin: Ints, server: Server, npus: Peers, unknown: set[str], sink: Sink) -> list[Edge]:
    """Return the cables of the NPUs of a server, parallel ones together; `origin` is the connect of each cable.

    Those to hosts and switches over a protocol that HCCL does not know are left out; `unknown` then gets its name."""
    local = {server.start + offset: local_id for offset, local_id in npus.local_ids.items()}
    ids = np.flatnonzero(_within(fabric.a_device, server) | _within(fabric.b_device, server))
    meshes = _Meshes(fabric, sink, origin)
    edges: dict[tuple[object, ...], Edge] = {}
    devices = list(fabric.plan.devices.values())
    dies = {device.key: die_ports(device) for device in devices}
    for cable in ids.tolist():
        ends = []
        for device, port in ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port)):
            of = devices[int(fabric.device_type[device[cable]])]
            ends.append((int(device[cable]), of, dies[of.key][int(port[cable])]))
        ends.sort(key=lambda end: (end[0] not in local, end[0]))
        (a, a_type, a_port), (b, b_type, b_port) = ends
        if a not in local or (b_type.kind == "npu" and b not in local and server.start <= b < server.stop):
            continue  # none of its NPUs, or a spare that has no place
        protocol = _protocol(fabric, cable)
        if protocol is None and b_type.kind == "nic":
            protocol = _protocol_behind(fabric, b)
        if protocol is None and b_type.kind == "npu":
            raise _refuse_protocol(fabric, _protocol_name(fabric, cable), sink)
        if protocol is None:
            unknown.add(_protocol_name(fabric, cable))
            continue
        if b in local:
            instance = meshes.instance(cable)
            edge = edges.setdefault((MESH, a, b, instance), Edge(MESH, protocol, local[a], local[b], instance))
            edge.far_ports.append(b_port)
        elif b_type.kind == "npu":
            raise refuse(
                sink,
                f"HCCL joins NPUs of different servers over switches; `{a_type.key}` has a cable to one outside",
                "ns3",
                fabric.plan.type(server.type).span,
            )
        else:
            layer = BEYOND if protocol in CLUSTER or b_type.kind == "nic" else POD
            edge = edges.setdefault((layer, a, a_port[0]), Edge(layer, protocol, local[a], None, 0))
        edge.near_ports.append(a_port)
    return sorted(edges.values(), key=lambda e: (e.layer, e.instance, e.near, -1 if e.far is None else e.far))


def _within(devices: object, server: Server) -> NDArray[np.bool_]:
    column = np.asarray(devices)
    return np.asarray((column >= server.start) & (column < server.stop))


def die_ports(device: DeviceType) -> list[tuple[int, int]]:
    """Die and port on it of each port of a device."""
    every = (*device.transit, *(one + two for one, two in device.between))
    lines = {port: n for n, line in enumerate(every) for port in line}
    counts: dict[int, int] = {}
    places: list[tuple[int, int]] = []
    for n, array in enumerate(device.ports):
        match = re.fullmatch(r"die_?(\d+)", array.name)
        for _ in range(array.count):
            die = int(match[1]) if match else lines.get(len(places), len(every) if lines else n)
            places.append((die, counts.get(die, 0)))
            counts[die] = counts.get(die, 0) + 1
    return places


def _protocol_name(fabric: Fabric, cable: int) -> str:
    """Return the key of the protocol of a cable."""
    return list(fabric.plan.links.values())[int(fabric.kinds.link[fabric.kind[cable]])].protocol


def _protocol(fabric: Fabric, cable: int) -> str | None:
    """Return what HCCL calls the protocol of a cable, None where it does not know it."""
    name = fabric.plan.protocols[_protocol_name(fabric, cable)].name.upper()
    return next((known for start, known in PROTOCOLS.items() if name.startswith(start)), None)


def _protocol_behind(fabric: Fabric, nic: int) -> str | None:
    """Return the protocol of the cables of a NIC that HCCL knows, None where there is none."""
    cables = np.flatnonzero((fabric.a_device == nic) | (fabric.b_device == nic)).tolist()
    return next((known for cable in cables if (known := _protocol(fabric, cable)) is not None), None)


def _refuse_protocol(fabric: Fabric, name: str, sink: Sink) -> CannotExportError:
    message = f"HCCL knows the protocols UB, UBoE, RoCE, HCCS and TCP, not `{name}`"
    return refuse(sink, message, "json", fabric.plan.protocols[name].span)


@frozen(eq=False)
class _Meshes:
    """The full meshes that cables belong to: those of one connect that hang together."""

    fabric: Fabric
    sink: Sink
    origin: Ints
    numbers: dict[tuple[int, int], int] = field(factory=dict)
    known: dict[int, Ints] = field(factory=dict)

    def instance(self, cable: int) -> int:
        """Return the number of the mesh of a cable, in order of asking.

        Raises:
            CannotExportError: it is of no full mesh.
        """
        origin = int(self.origin[cable])
        if origin not in self.known:
            self.known[origin] = self._meshes(origin)
        mesh = int(self.known[origin][self.fabric.a_device[cable]])
        return self.numbers.setdefault((origin, mesh), len(self.numbers))

    def _meshes(self, origin: int) -> Ints:
        """Return the mesh of each device on cables of this connect."""
        fabric = self.fabric
        mine = np.flatnonzero(self.origin == origin)
        a, b = fabric.a_device[mine].astype(np.int64), fabric.b_device[mine].astype(np.int64)
        mesh = connected_components(fabric.device_count, a, b)
        members = np.bincount(mesh)
        pairs = np.unique(np.minimum(a, b) * fabric.device_count + np.maximum(a, b))
        if (members * (members - 1) // 2).sum() != len(pairs):
            source = cable_source(fabric.plan, int(mine[0]))
            span = fabric.plan.assemblies[source.assembly].rules[source.rule].span
            raise refuse(self.sink, "of meshes inside a server, HCCL knows the full mesh only", "ns3", span)
        return mesh.astype(np.int64)


def _topology(npus: Peers, edges: list[Edge], layers: Mapping[int, int]) -> Iterator[str]:
    peers = [{"local_id": local_id} for local_id in npus.local_ids.values()]
    yield '{\n"version": "2.0",\n'
    yield f'"peer_count": {len(peers)},\n"peer_list": {json.dumps(peers)},\n'
    yield f'"edge_count": {len(edges)},\n"edge_list": [\n'
    yield ",\n".join(json.dumps(_edge(edge, layers)) for edge in edges)
    yield "\n]}\n"


def _edge(edge: Edge, layers: Mapping[int, int]) -> dict[str, object]:
    data: dict[str, object] = {
        "net_layer": layers[edge.layer],
        "link_type": "PEER2NET" if edge.far is None else "PEER2PEER",
        "protocols": [edge.protocol, *(["UB_MEM"] if edge.far is not None and edge.protocol == "UB_CTP" else [])],
        "local_a": edge.near,
        "local_a_ports": [f"{die}/{port}" for die, port in edge.near_ports],
    }
    if edge.far is not None:
        data |= {"local_b": edge.far, "local_b_ports": [f"{die}/{port}" for die, port in edge.far_ports]}
    kind = "CLOS" if edge.far is None else "1DMESH"
    return data | {"topo_type": kind, "topo_instance_id": edge.instance, "position": "DEVICE"}


# ---- the rank table -----------------------------------------------------------------------------------------------


def _addresses(
    edges: list[Edge], ranks: int, layers: Mapping[int, int], sink: Sink
) -> list[dict[int, list[tuple[int, list[str]]]]]:
    """For each NPU with a rank and each layer: die and ports of each address."""
    ports: list[dict[tuple[int, int], list[tuple[int, int]]]] = [{} for _ in range(ranks)]
    for edge in edges:
        ends = [(edge.near, edge.near_ports)]
        if edge.far is not None:
            ends.append((edge.far, edge.far_ports))
        for local, own in ends:
            for port in own if local < ranks else ():
                ports[local].setdefault((layers[edge.layer], port[0]), []).append(port)
    table = []
    for mine in ports:
        addresses_of: dict[int, list[tuple[int, list[str]]]] = {layer: [] for layer in layers.values()}
        for (layer, die), numbers in sorted(mine.items()):
            texts = [f"{d}/{p}" for d, p in sorted(numbers)]
            addresses_of[layer] += [(die, texts[n : n + MOST_PORTS]) for n in range(0, len(texts), MOST_PORTS)]
        max_addresses = max((len(addresses) for addresses in addresses_of.values()), default=0)
        if max_addresses > MOST_ADDRESSES:
            raise too_large(
                sink,
                f"a rank has at most {MOST_ADDRESSES} addresses in a layer, here {max_addresses}",
                "use `--to json`",
            )
        table.append(addresses_of)
    return table


def _rank_table(
    servers: list[Server],
    tables: Mapping[str, list[dict[int, list[tuple[int, list[str]]]]]],
    used: list[int],
    ranks: int,
    system: str,
) -> Iterator[str]:
    yield f'{{\n"version": "2.0",\n"status": "completed",\n"rank_count": {ranks},\n"rank_list": [\n'
    rank, comma = 0, ""
    for server in track(servers, "write ranks"):
        lines = []
        for local, levels in enumerate(tables[server.type]):
            places = {MESH: server.name, POD: server.pod, BEYOND: system}
            data = {
                "rank_id": rank,
                "local_id": local,
                "device_id": local,
                "level_list": [_level(rank, n, places[layer], levels[n]) for n, layer in enumerate(used)],
            }
            lines.append(json.dumps(data))
            rank += 1
        yield comma + ",\n".join(lines)
        comma = ",\n"
    yield "\n]}\n"


def _level(rank: int, layer: int, place: str, addresses: list[tuple[int, list[str]]]) -> dict[str, object]:
    return {
        "net_layer": layer,
        "net_instance_id": place,
        "net_type": "CLOS" if layer else "TOPO_FILE_DESC",
        "net_attr": "",
        "rank_addr_list": [
            {
                "addr_type": "EID",
                "addr": f"{rank + 1:024x}{layer:04x}{n:04x}",
                "ports": ports,
                "plane_id": f"plane{die}",
            }
            for n, (die, ports) in enumerate(addresses)
        ],
    }


FORMAT = Format(
    "hccl",
    "HCCL's topology file 2.0 and rank table 2.0 (Ascend 950)",
    "fabric",
    "hccl",
    write,
    ("rates", "latencies", "lengths", "switches"),
    "ns3",
    file_patterns=("topology.json", "topology-*.json", "rank_table.json"),
    nodes=True,
)
