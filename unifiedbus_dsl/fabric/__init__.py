"""The fabric: the machine at its own size, in NumPy columns.

Device ids and cable ids follow the numbering of the plan (see `unifiedbus_dsl.plan`), so every assembly instance is a
contiguous range of device ids and the cables inside it a contiguous range of cable ids. Names are a function of the
id and back; none is stored.
"""

from __future__ import annotations

from attrs import field, frozen
from numpy.typing import NDArray
import numpy as np

from unifiedbus_dsl.plan import Plan


@frozen(eq=False)
class CableKinds:
    """What cables have in common; one row for each distinct combination.

    `link` indexes the plan's links in order of key; `lanes` is the width; `length_m` the length in metres (float64).
    """

    link: NDArray[np.uint16]
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
    device_type: NDArray[np.unsignedinteger]
    a_device: NDArray[np.unsignedinteger]
    a_port: NDArray[np.unsignedinteger]
    b_device: NDArray[np.unsignedinteger]
    b_port: NDArray[np.unsignedinteger]
    kind: NDArray[np.unsignedinteger]
    kinds: CableKinds
    sources_hash: str = field(default="")
