"""Cables between the same two devices as one link, for simulators that know one link between two nodes."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.export.common.stream import kind_facts
from unifiedbus_dsl.ir.fabric import Fabric


@frozen(eq=False)
class Pairs:
    """Joined devices `a` < `b`, in order: cables between them, their added rate after coding (byte/s each way) and the
    longest latency of one (s)."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    count: NDArray[np.int64]
    rate: NDArray[np.float64]
    latency: NDArray[np.float64]


def pairs_of(fabric: Fabric) -> Pairs:
    """Return the joined pairs of devices of a fabric; cables from a device to itself are none."""
    facts = kind_facts(fabric)
    rates = np.asarray([kind.capacity for kind in facts], dtype=np.float64)
    times = np.asarray([kind.latency for kind in facts], dtype=np.float64)
    a, b = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    apart = np.flatnonzero(a != b)
    low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
    keys, where, count = np.unique(low * fabric.device_count + high, return_inverse=True, return_counts=True)
    latency = np.zeros(len(keys))
    kind = fabric.kind[apart]
    np.maximum.at(latency, where, times[kind])
    rate = np.zeros(len(keys))
    np.add.at(rate, where, rates[kind])
    return Pairs(keys // fabric.device_count, keys % fabric.device_count, count, rate, latency)
