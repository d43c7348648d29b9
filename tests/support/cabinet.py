"""A cabinet of sixteen end points, each of which has two cables to each of four switches."""

from __future__ import annotations

CAB = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m; delay = 5 ns/m }
npu Chip { port up[8] : UB x4 @open }
switch Plane { port p[32] : UB x4 @open }
rack Cabinet {
  npu[16]  : Chip
  plane[4] : Plane
  connect npu[n].up[2 * k + h] -- plane[k].p[2 * n + h] over Wire(1 m) for n, k, h in 0..1
}
system cab : Cabinet
"""
