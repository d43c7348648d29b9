"""NCCL's topology of a node (`NCCL_TOPO_DUMP_FILE`; nccl/src/graph/xml.cc): CPUs, PCIe switches, GPUs and NICs in each
other, and NVLinks by the address of what they go to.

A PCIe link has the rate of its speed and width; an NVLink that of the GPU's generation (`sm`), as nccl/src/graph/topo.h
has it. CPUs are joined to each other by links of an unknown rate. CPUs and PCIe switches forward."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from attrs import define, evolve, field

from unifiedbus_dsl.importer.doubts import Doubts
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table, number
from unifiedbus_dsl.importer.xmls import xml_root

NVLINK_GBYTES = {60: 18.0, 61: 18.0, 70: 20.0, 80: 20.0, 86: 12.0, 89: 12.0, 90: 20.6, 100: 40.1}
"""GB/s of an NVLink each way, by compute capability."""
_GPU, _SWITCH, _NIC = ("0x0302", "0x0300"), ("0x0604", "0x0680"), ("0x02",)


def is_it(head: str) -> bool:
    """Return whether a text begins as a topology of NCCL."""
    return (
        re.search(r"<system\b[^>]*\bversion=", head) is not None
        and re.search(r"<(cpu|pci|gpu|nic)\b", head) is not None
    )


@define(eq=False)
class _Reader:
    table: Table
    lines: list[tuple[int, str, str, int, int]] = field(factory=list)
    """NVLinks: GPU, address and class of the target, how many, compute capability."""
    of_bus: dict[str, int] = field(factory=dict)
    cpus: list[int] = field(factory=list)
    ports: dict[int, int] = field(factory=dict)

    def device(self, name: str, kind: str, bus: str, *, forwards: bool = False) -> int:
        """Take a device."""
        device = self.table.add(Device(name, kind, id=bus, role="forwards" if forwards else ""))
        if bus:
            self.of_bus[bus.lower()] = device
        return device

    def join(self, above: int, below: int, kind: Kind) -> None:
        """Lay a link; the ports of what is above are numbered."""
        table = self.table
        table.cable(above, self._port(above), below, self._port(below), table.kind_of(kind), 0)

    def _port(self, device: int) -> str:
        self.ports[device] = self.ports.get(device, -1) + 1
        return str(self.ports[device])

    def inside(self, element: ElementTree.Element, above: int) -> None:
        """Take what is in an element."""
        for each in element:
            if each.tag == "pci":
                self._pci(each, above)
            elif each.tag == "nic":
                self._nic(each, above, Kind(), "")
            elif each.tag == "gpu":
                self._gpu(each, above, Kind(), "")

    def _pci(self, element: ElementTree.Element, above: int) -> None:
        bus, kind = element.get("busid", ""), _pcie(element, self.table.doubts)
        gpu, nic = element.find("gpu"), element.find("nic")
        class_ = element.get("class", "").lower()
        if gpu is not None:
            self._gpu(gpu, above, kind, bus)
        elif nic is not None:
            self._nic(nic, above, kind, bus)
        elif class_.startswith(_SWITCH) or element.find("pci") is not None:
            switch = self.device(f"PCIe {bus}", "switch", bus)
            self.join(above, switch, kind)
            self.inside(element, switch)
        else:
            what = "npu" if class_.startswith(_GPU) else "nic" if class_.startswith(_NIC) else "device"
            self.join(above, self.device(f"PCI {bus}", what, bus), kind)

    def _gpu(self, element: ElementTree.Element, above: int, kind: Kind, bus: str) -> None:
        name = f"GPU{element.get('dev')}" if element.get("dev") else f"GPU {bus}"
        gpu = self.device(name, "npu", bus)
        self.join(above, gpu, kind)
        sm = element.get("sm", "")
        for link in element.iter("nvlink"):
            count = link.get("count", "1")
            self.lines.append((
                gpu, link.get("target", "").lower(), link.get("tclass", "").lower(),
                min(int(count), 1024) if count.isdigit() else 1, int(sm) if sm.isdigit() else 0,
            ))  # fmt: skip

    def _nic(self, element: ElementTree.Element, above: int, kind: Kind, bus: str) -> None:
        names = [net.get("name", "") for net in element.iter("net") if net.get("name")]
        name = "+".join(dict.fromkeys(names)) or f"NIC {bus or len(self.table.devices)}"
        guid = next((net.get("guid", "") for net in element.iter("net")), "")
        nic = self.device(name, "nic", bus)
        if guid and guid not in ("0x0", "0"):
            self.table.devices[nic] = evolve(self.table.devices[nic], id=guid)
        self.join(above, nic, kind)

    def nvlinks(self) -> None:
        """Lay the NVLinks: of two GPUs both tell of each."""
        laid: set[tuple[int, int]] = set()
        for gpu, target, class_, count, sm in self.lines:
            neighbour = self.of_bus.get(target)
            if neighbour is None:
                name = f"NVSwitch {target}" if target and not target.startswith("ffff") else "NVSwitch"
                neighbour = self.table.device(name, "switch") if class_.startswith("0x0680") or not class_ else None
            if neighbour is None or (neighbour, gpu) in laid:
                continue
            laid.add((gpu, neighbour))
            rate = NVLINK_GBYTES.get(sm, NVLINK_GBYTES.get(sm // 10 * 10))
            for _ in range(count):
                self.join(gpu, neighbour, Kind("NVLink", "", 1, None if rate is None else rate * 1e9))

    def sockets(self) -> None:
        """Join the CPUs, each to each."""
        for place, one in enumerate(self.cpus):
            for two in self.cpus[place + 1 :]:
                self.join(one, two, Kind("Socket"))
        if len(self.cpus) > 1:
            self.table.doubts.remark("CPUs are joined to each other by links of an unknown rate")


def _pcie(element: ElementTree.Element, doubts: Doubts) -> Kind:
    """Return the link of a device to what is above it."""
    speed = re.match(r"([\d.]+)\s*GT/s", element.get("link_speed", ""))
    width = element.get("link_width", "")
    if speed is None or not width.isdigit() or not int(width):
        return Kind("PCIe")
    rate = number(speed[1], "rate", doubts, 0, 1.25e8 * int(width))
    return Kind("PCIe", "", int(width), rate)


def read(source: Source, doubts: Doubts) -> Table:
    """Return the devices and links of a node.

    Raises:
        ImportFailed: it is no topology of NCCL.
        OSError: the file can't be read.
    """
    reader = _Reader(Table(source.stem, doubts))
    root = xml_root(source, doubts)
    systems = [root] if root.tag == "system" else list(root.iter("system"))
    for system in systems:
        for cpu in system.iter("cpu"):
            numa = cpu.get("numaid", str(len(reader.cpus)))
            host = f" {cpu.get('host_hash')}" if len({c.get("host_hash") for c in system.iter("cpu")}) > 1 else ""
            number_ = reader.device(f"CPU{numa}{host}", "cpu", "", forwards=True)
            reader.cpus.append(number_)
            reader.inside(cpu, number_)
    if not reader.table.devices:
        raise ImportFailed(f"`{source.title}` has no CPU in it")
    reader.nvlinks()
    reader.sockets()
    return reader.table
