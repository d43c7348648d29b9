"""The machines that are measured, as texts."""

from __future__ import annotations

from unifiedbus_dsl import compiler
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan

PODS = 65
"""Pods of the Atlas 960 SuperCluster: 1,006,720 NPUs."""


def supercluster(pods: int = PODS) -> str:
    """The Atlas 960 SuperCluster with this many of its pods, 15,488 NPUs each."""
    return (
        'ubus 1\nuse Atlas960SuperCluster from "huawei/atlas-960-supercluster.ubus"\n'
        f"system cluster : Atlas960SuperCluster(pods = {pods})\n"
    )


def scaled(pods: int) -> str:
    """A machine of `pods` times 1,024 NPUs that grows in one direction only: racks of 64 NPUs in a mesh of two
    dimensions, 16 racks a pod, and sixteen planes between pods."""
    return f"""ubus 1
use std.clos
protocol UB {{ lane = 112 Gbps; latency = 100 ns }}
link Copper : UB {{ medium = copper; reach = 2 m; delay = 4.5 ns/m }}
link Optic : UB {{ medium = optical; delay = 5 ns/m }}
npu Chip {{ port x[7] : UB x4; port y[7] : UB x4; port up[4] : UB x4 }}
switch Plane {{ latency = 250 ns; port down[64] : UB x4; port up[16] : UB x4 }}
switch Inter {{ latency = 250 ns; port p[16] : UB x4; port out[4] : UB x4 }}
switch Outer(ports) {{ latency = 250 ns; port p[ports] : UB x4 }}
rack Cabinet {{
  npu[8, 8] : Chip
  plane[4]  : Plane
  connect npu[b, *].x as fullmesh over Copper(0.4 m) for b
  connect npu[*, s].y as fullmesh over Copper(0.8 m) for s
  connect npu[b, s].up[k] -- plane[k].down[8*b + s] over Copper(1 m) for b, s, k
  port up = plane.up
}}
superpod Pod {{
  cabinet[16]  : Cabinet
  inter[4, 16] : Inter
  connect cabinet[c].up[k, u] -- inter[k, u].p[c] over Optic for c, k, u
  place cabinet as grid(columns = 8, pitch = [0.6 m, 2.4 m])
  place inter as grid(columns = 16, pitch = [0.6 m, 2.4 m], origin = [0 m, 10 m])
  port out = inter.out
}}
supercluster Machine(pods) {{
  pod[pods] : Pod
  plane[16] : std.clos.LeafSpine(leaves = pods, spines = 8, hosts = 16, switch = Outer, link = Optic, length = 30 m)
  connect pod[p].out[k, u, o] -- plane[u].host[p, 4*k + o] over Optic for p, k, u, o
  place pod as grid(columns = 64, pitch = [10 m, 20 m])
  place plane as grid(columns = 16, pitch = [18 m, 10 m], origin = [0 m, -30 m])
}}
system machine : Machine(pods = {pods})
"""


def plan_of(text: str) -> Plan:
    return compiler.compile_text(text).plan


def fabric_of(text: str) -> Fabric:
    """From text to fabric."""
    return compiler.compile_text(text).fabric()
