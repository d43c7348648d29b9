"""The fabric: the machine at its own size, in NumPy columns.

Device ids and cable ids follow the numbering of the plan (see `unifiedbus_dsl.plan`), so every assembly instance is a
contiguous range of device ids and the cables inside it a contiguous range of cable ids. Names are a function of the
id and back; none is stored.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.ir.plan import Plan

if TYPE_CHECKING:
    import networkx as nx

    from unifiedbus_dsl.ir.fabric.names import CableSource, Texts
    from unifiedbus_dsl.ir.plan.index import IntArray


@frozen(eq=False)
class CableKinds:
    """What cables have in common; one row for each distinct combination.

    `link` indexes the plan's links in order of key; `lanes` is the width; `length_m` the length in metres (float64).
    """

    link: NDArray[np.unsignedinteger[Any]]
    lanes: NDArray[np.uint16]
    length_m: NDArray[np.float64]


@frozen(eq=False, slots=False)
class Fabric:
    """A system down to each cable. All columns are read-only.

    `device_type[d]` indexes the plan's devices in order of key. Cable c joins port `a_port[c]` of device `a_device[c]`
    with port `b_port[c]` of device `b_device[c]` (port numbers of the device type) and is of kind `kind[c]`. Columns
    have the smallest unsigned type that fits, at least 16 bits: 14 bytes a cable up to 65,536 kinds and ports.
    `sources_hash` is the SHA-256 of the texts it was compiled from.
    """

    plan: Plan
    device_type: NDArray[np.unsignedinteger[Any]]
    a_device: NDArray[np.unsignedinteger[Any]]
    a_port: NDArray[np.unsignedinteger[Any]]
    b_device: NDArray[np.unsignedinteger[Any]]
    b_port: NDArray[np.unsignedinteger[Any]]
    kind: NDArray[np.unsignedinteger[Any]]
    kinds: CableKinds
    sources_hash: str = field(default="")

    @property
    def device_count(self) -> int:
        return len(self.device_type)

    @property
    def cable_count(self) -> int:
        return len(self.a_device)

    def _repr_svg_(self) -> str | None:
        """Return the overview of its plan, which notebooks show."""
        return self.plan._repr_svg_()

    # ---- names

    def device_names(self, devices: ArrayLike) -> Texts:
        """`pod[3].cabinet[17].board[5].npu[7]` of each device id."""
        from unifiedbus_dsl.ir.fabric.names import device_names

        return device_names(self.plan, devices)

    def device_name(self, device: int) -> str:
        return str(self.device_names([device])[0])

    def device_id(self, name: str) -> int:
        """Return id of the device at a path; ValueError with a sentence if there is none."""
        from unifiedbus_dsl.ir.fabric.names import device_id

        return device_id(self.plan, name)

    def end_names(self, cables: ArrayLike) -> tuple[Texts, Texts]:
        """`pod[0].npu[3].up[1]` of both ends of each cable."""
        from unifiedbus_dsl.ir.fabric.names import end_names

        ids = np.asarray(cables, dtype=np.int64)
        sides = ((self.a_device, self.a_port), (self.b_device, self.b_port))
        a, b = (end_names(self.plan, self.device_type[dev[ids]], dev[ids], port[ids]) for dev, port in sides)
        return a, b

    def cable_names(self, cables: ArrayLike) -> Texts:
        """`a.x[1] -- b.y[2]` of each cable id."""
        a, b = self.end_names(cables)
        return np.asarray(a + " -- " + b, dtype=object)

    def cable_name(self, cable: int) -> str:
        return str(self.cable_names([cable])[0])

    def cable_source(self, cable: int) -> CableSource:
        """Assembly instance, rule and index values that a cable comes from."""
        from unifiedbus_dsl.ir.fabric.names import cable_source

        return cable_source(self.plan, cable)

    # ---- parts

    def blocks(self, selector: str) -> tuple[IntArray, IntArray]:
        """First and one past the last device id of each instance of a kind (`rack`, `npu`) or of a type by its key."""
        from unifiedbus_dsl.ir.fabric.names import blocks

        return blocks(self.plan, selector)

    def slice(self, scope: str) -> Slice:
        """Return the devices of one or several instances, and the cables with both ends among them.

        `pod[3].cabinet[0..3]`, `pod[*].inter[0, *]`: subscripts as in the language, trailing ones may be left out.
        Several are joined and parted as selections are: `rack[0] | rack[2]`, `all npu - rack[3]`, `all cpu in (A | B)`.
        """
        from unifiedbus_dsl.ir.fabric.scope import make_slice

        return make_slice(self, scope)

    def to_networkx(self, scope: str = "") -> nx.MultiGraph[str]:
        """Return a NetworkX graph of the machine or of a part of it, see `unifiedbus_dsl.ir.fabric.graph`."""
        from unifiedbus_dsl.ir.fabric.graph import to_networkx

        return to_networkx(self.slice(scope))

    # ---- files

    def save(self, path: str | PathLike[str]) -> None:
        """Writes one file; see `docs/ir-file.md`."""
        from unifiedbus_dsl.ir.fabric.file import save

        save(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str], *, check: bool = False) -> Fabric:
        """Reads such a file; columns are mapped, not read. `check` reads all and compares checksums."""
        from unifiedbus_dsl.ir.fabric.file import load

        return load(path, check=check)


@frozen(eq=False)
class Slice:
    """A part of a fabric, with columns as the fabric has them.

    `devices` and `cables` are the ids in the fabric, ascending. `a_device` and `b_device` are places in `devices`, so
    0..<len(devices).
    """

    fabric: Fabric
    scope: str
    devices: IntArray
    cables: IntArray
    device_type: NDArray[np.unsignedinteger[Any]]
    a_device: NDArray[np.unsignedinteger[Any]]
    a_port: NDArray[np.unsignedinteger[Any]]
    b_device: NDArray[np.unsignedinteger[Any]]
    b_port: NDArray[np.unsignedinteger[Any]]
    kind: NDArray[np.unsignedinteger[Any]]
