"""What hwloc's `lstopo --of xml` writes of a machine: packages, PCI bridges and devices, with the names that the system
has for them.

A package is a CPU, a bridge with several devices below it a PCIe switch, a device of class 03 a GPU, of class 02 a NIC.
Other PCI devices are left out. A link has the rate that hwloc knows (`pci_link_speed`, GB/s).
"""

from __future__ import annotations

from xml.etree import ElementTree

from attrs import define, field

from unifiedbus_dsl.importer.doubts import Doubts
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table, number
from unifiedbus_dsl.importer.xmls import xml_root


def is_it(head: str) -> bool:
    """Return whether a text begins as a topology of hwloc."""
    return "<topology" in head and "<object" in head and 'type="Machine"' in head


@define(eq=False)
class _Reader:
    table: Table
    cpus: list[int] = field(factory=list)
    ports: dict[int, int] = field(factory=dict)

    def join(self, a: int, b: int, kind: Kind) -> None:
        """Lay a link."""
        ends = []
        for device in (a, b):
            self.ports[device] = self.ports.get(device, -1) + 1
            ends.append(str(self.ports[device]))
        self.table.cable(a, ends[0], b, ends[1], self.table.kind_of(kind), 0)

    def cpu(self) -> int:
        """Take a package."""
        device = self.table.add(Device(f"CPU{len(self.cpus)}", "cpu", role="forwards"))
        self.cpus.append(device)
        return device

    def inside(self, element: ElementTree.Element, cpu: int | None) -> None:
        """Take what is in an object."""
        for each in element.findall("object"):
            kind = each.get("type")
            if kind in ("Package", "Socket"):  # hwloc 1 says socket
                self.inside(each, self.cpu())
            elif kind in ("Bridge", "PCIDev"):
                self._pci(each, cpu if cpu is not None else (self.cpus[0] if self.cpus else self.cpu()))
            else:
                self.inside(each, cpu)

    def _pci(self, element: ElementTree.Element, above: int) -> None:
        """Take a bridge or a device of PCI."""
        link = number(element.get("pci_link_speed") or None, "rate", self.table.doubts, 0, 1e9)
        kind = Kind("PCIe", "", None, link or None)
        inside = [each for each in element.findall("object") if _counts(each)]
        if element.get("type") == "Bridge":
            if len(inside) == 1 or element.get("bridge_type", "").startswith("0"):
                for each in inside:
                    self._pci(each, above)
            elif inside:
                bus = element.get("pci_busid", "")
                switch = self.table.add(Device(f"PCIe {bus}".strip(), "switch", id=bus))
                self.join(above, switch, kind)
                for each in inside:
                    self._pci(each, switch)
            return
        what = _what(element)
        if what:
            bus = element.get("pci_busid", "")
            names = [each.get("name", "") for each in element.findall("object") if each.get("type") == "OSDev"]
            named = [
                n for n in names if n.startswith(("mlx", "hfi", "bnxt", "cuda", "rsmi", "nvml", "ib", "eth", "en"))
            ]
            name = (named or names or [f"PCI {bus}"])[0]
            if any(device.name == name for device in self.table.devices):
                name = f"{name} {bus}"
            self.join(above, self.table.add(Device(name, what, id=bus)), kind)


def _what(element: ElementTree.Element) -> str:
    """`npu` or `nic` for a device of those classes."""
    class_ = element.get("pci_type", "")[:4]
    return "npu" if class_[:2] == "03" or class_ == "1200" else "nic" if class_[:2] == "02" else ""


def _counts(element: ElementTree.Element) -> bool:
    """Return whether a GPU or NIC is in an object, or it is one."""
    if element.get("type") == "PCIDev":
        return bool(_what(element))
    return element.get("type") == "Bridge" and any(map(_counts, element.findall("object")))


def read(source: Source, doubts: Doubts) -> Table:
    """Return the CPUs, PCIe switches, GPUs and NICs of a machine.

    Raises:
        ImportFailed: it is no topology of hwloc, or has none of these.
        OSError: the file can't be read.
    """
    reader = _Reader(Table(source.stem, doubts))
    reader.inside(xml_root(source, doubts), None)
    if not reader.table.devices:
        raise ImportFailed(f"`{source.title}` has no package and no PCI device in it")
    for place, one in enumerate(reader.cpus):
        for two in reader.cpus[:place]:
            reader.join(one, two, Kind("Socket"))
    return reader.table
