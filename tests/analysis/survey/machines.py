"""A small machine for surveys, and measures that can travel to other processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from attrs import frozen

from unifiedbus_dsl import compiler
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext

POD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 9 m; delay = 5 ns/m }
link Optic : UB { medium = optical; reach = 90 m; delay = 5 ns/m }
npu Chip { port x[3] : UB x4; port up[2] : UB x4; transit up }
switch Leaf { port down[4] : UB x4; port up[2] : UB x4 }
switch Spine(n) { port p[n] : UB x4 }
rack Cabinet {
  npu[4] : Chip
  leaf[2] : Leaf
  connect npu.x as fullmesh over Copper(1 m)
  connect npu[i].up[k] -- leaf[k].down[i] over Copper(1 m) for i, k
  port z = leaf.up
}
superpod Pod(racks = 3) {
  cabinet[racks] : Cabinet
  spine[2, 2] : Spine(n = racks)
  connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(20 m) for r, k, j
}
system pod : Pod
traffic moe of pod = alltoall(all npu)
traffic hot of pod = incast(all npu -> cabinet[0].npu[0])
traffic next of pod = shift(all npu, k = 1)
"""


def compiled(text: str = POD) -> compiler.Compilation:
    found = compiler.compile_text(text)
    assert not found.diagnostics, [d.message for d in found.diagnostics]
    return found


def machine() -> NetworkContext:
    return NetworkContext(compiled().fabric("pod"))


def mark(m: NetworkContext) -> float:
    """A number that tells losses apart; switches 4 and 5 leave none."""
    assert m.lost is not None
    lost = [int(d) for d in m.lost.nonzero()[0]]
    if lost == [5]:
        raise NotAdmittedError("not without switch 5")
    return float(sum(7**d % 10007 for d in lost)) + len(m.network.head)


@frozen
class DiesOnce:
    """Kills the process that measures the loss of a device, the first time that one does; slow otherwise."""

    folder: Path
    device: int
    pause_s: float = 0.0

    def __call__(self, m: NetworkContext) -> float:
        assert m.lost is not None
        if m.lost[self.device]:
            try:
                (self.folder / "died").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.pause_s)
        return mark(m)


def always_dies(m: NetworkContext) -> float:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


def wrong(m: NetworkContext) -> float:
    raise ZeroDivisionError("a fault of the measure")


@frozen
class Waits:
    """Says who it is, then takes its time."""

    folder: Path

    def __call__(self, m: NetworkContext) -> float:
        (self.folder / f"{os.getpid()}").touch()
        if m.lost is not None and m.lost[:6].any():
            return 1.0
        time.sleep(60)
        return 2.0
