"""An end point as a workload sees it: peaks by precision, memory, and the constants of an estimate.

Peaks, memory and its rate are those of the data sheet, and all that a bound knows. The constants say which part of
them kernels reach; they are measured or fitted, and only estimates rest on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

ELEMENT_BYTES: Final[Mapping[str, float]] = {
    "fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5
}  # fmt: skip
"""Bytes of an element of a matrix by precision."""
PRECISIONS: Final = tuple(ELEMENT_BYTES)
WIDE: Final = ("bf16", "fp16")
"""Precisions of attention and the output embedding, whatever that of the other matrices."""


@frozen
class Constants:
    """What an estimate assumes of an end point.

    gemm_efficiency: part of the peak that a large matrix product reaches.
    hbm_efficiency: part of the memory's rate that a large kernel reaches.
    launch_s: what a kernel takes beside its work. A product of peak * gemm_efficiency * launch_s FLOPs takes twice the
        time of its work: that is the knee of the size dependence.
    fabric_efficiency: part of the rate of cables that collectives reach.
    """

    gemm_efficiency: float
    hbm_efficiency: float
    launch_s: float
    fabric_efficiency: float


@frozen
class Chip:
    """An end point: FLOPS by precision, bytes of memory and their rate, and the constants of an estimate."""

    peaks: Mapping[str, float] = field(hash=False)
    memory_bytes: float
    memory_Bps: float  # noqa: N815
    constants: Constants
    name: str = ""

    def peak(self, precision: str) -> float:
        """Return the dense peak of a precision, FLOPS; of the two of 16 bits either stands for the other.

        Raises:
            KeyError: the part states none.
        """
        if precision in WIDE:
            precision = next((each for each in (precision, *WIDE) if each in self.peaks), precision)
        return self.peaks[precision]

    def wide_peak(self, precision: str) -> float:
        """Return the peak of what is kept in 16 bits; that of `precision` where the part states none for 16 bits."""
        if precision != "fp32" and any(each in self.peaks for each in WIDE):
            return self.peak(WIDE[0])
        return self.peak(precision)
