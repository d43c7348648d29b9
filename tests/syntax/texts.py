"""Machines and questions as people write them, for the tests of the reader and the printer."""

from __future__ import annotations

SMALL = """\
ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }      # per lane, each direction
link Copper : UB { medium = copper; reach = 2 m; delay = 4.5 ns/m }

npu Chip {
  port x[7]  : UB x4                                   # board mesh
  port up[4] : UB x4                                   # one per switch plane
}
switch Plane { port p[64] : UB x4; latency = 250 ns }

rack Cabinet {
  npu[8, 8] : Chip                                     # board, slot
  plane[4]  : Plane
  connect npu[b, *].x as fullmesh over Copper(0.4 m) for b
  connect npu[b, s].up[k] -- plane[k].p[8*b + s] over Copper(1 m) for b, s, k
  expect count(all npu) == 64
}

system cab : Cabinet
traffic a2a of cab = alltoall(all npu)
analyze speed of cab { bisection(all npu); latency(all npu -> all npu); throughput(a2a) }
scenario PlaneDown of cab { fail plane[0]; expect bisection(all npu) >= 70% of base }
view plan of cab { fold npu keep 2; label link by bandwidth }
"""

PARTS = """\
ubus 1

protocol UB   { lane = 112 Gbps; latency = 100 ns; efficiency = 93.75% }   # efficiency is optional
protocol UBoE { lane = 112 Gbps; latency = 400 ns }

link Trace : UB   { medium = pcb;     reach = 0.6 m; delay = 6 ns/m }
link Optic : UB   { medium = optical; reach = 200 m; delay = 5 ns/m; latency = 90 ns; cost = 900 USD; power = 12 W }

## Ascend 950DT, decode and training NPU.
npu Ascend950DT {
  fp8    = 1 PFLOPS
  memory = 144 GB
  hbm    = 4 TB/s
  io     = 2 TB/s bidir               # the datasheet figure: both directions added

  port x[7]  : UB x4                  # along the board
  port y[7]  : UB x4                  # across the boards of a cabinet
  port up[4] : UB x4
  transit x, up[0..1]                 # ports of one IO die forward among themselves
  transit y, up[2..3]

  expect lanes(ports) == 72
  expect bandwidth(ports) == io within 2%
}

npu Ascend950PR extends Ascend950DT { memory = 128 GB; hbm = 1.6 TB/s }
switch LRS(n = 64) { latency = 250 ns; port down[n] : UB x4; port up[n] : UB x4 }
nic UBNic { port net : UBoE x4; port host : UB x4 @open; transit net -- host }
"""

ASSEMBLIES = """\
ubus 1

board NpuBoard(chip = Ascend950DT) {
  npu[8] : chip
  connect npu.x as fullmesh over Trace(0.4 m)
  port y  = npu.y                     # [8, 7]
  port up = npu.up                    # [8, 4]
}

rack Cabinet {
  board[8] : NpuBoard
  plane[4] : LRS(n = 64)
  connect board[*].y[n] as fullmesh over Copper(1.2 m) for n
  connect board[b].up[n, k] -- plane[k].down[8*b + n] over Copper(1 m) for b, n, k
  port z = plane.up                   # [4, 64]
}

switch HRS(n) { latency = 300 ns; port p[n] : UB x4 }        # high radix: one port to each rack

rack Interconnect(racks) {
  hrs[8] : HRS(n = racks)
  port p = hrs.p                      # [8, racks]
}

superpod Atlas950(racks = 128) {
  cabinet[racks] : Cabinet
  inter[4, 8]    : Interconnect(racks = racks)               # plane, rack of the plane
  connect cabinet[r].z[p, 8*i + h] -- inter[p, i].p[h, r] over Optic for r, p, i, h    # length from the floor plan
  place cabinet as grid(columns = 16, pitch = [0.6 m, 2.4 m])
  place inter   as grid(columns = 16, pitch = [0.6 m, 2.4 m], origin = [0 m, 20 m])
  expect count(all npu) == 64 * racks
}
"""

QUESTIONS = """\
ubus 1

system superpod : Atlas950
system lab      : Atlas950(racks = 2)

traffic dp  of superpod = allreduce(all npu, within = rack, size = 512 MiB)
traffic moe of superpod = alltoall(all npu)
traffic hot of superpod = incast(all npu -> cabinet[0].board[0].npu[0])        # paths start at the system

analyze fabric of superpod {
  bisection(all npu)
  latency(all npu -> all npu, message = 8 KiB)
  throughput(moe, routing = ecmp)
  throughput(moe, routing = optimal)
  time(dp, algorithm = ring)
  expect worst(load(moe)) <= 90%
}

scenario CabinetDown of superpod {
  fail cabinet[17]
  expect connected(all npu)
  expect bisection(all npu) >= 98% of base            # base: the undamaged system
}

scenario DirtyOptics of superpod {
  let seed = 7
  fail any 64 of all link where medium == optical
  degrade inter[0, *].hrs to 75%
}

view floor of superpod {
  collapse rack
  fold inter keep 2
  color link by medium
  label link by bandwidth
}
"""

EVERYTHING = """\
# Every statement and every expression, once.
ubus 1

use std.clos as clos
use "parts.ubus" as parts; use LRS, HRS as H from "switches.ubus"
use Dragonfly from std.dragonfly
use shared

let size = 512 MiB/n + 4.5 ns/m*3 m - 112 Gbps/2
let table = {a = 1, b = [1, 2,],}
link Copper : UB extends Base { medium = copper }
link Same extends Copper { }

rack R(chip = X, n = 4) extends std.clos.FatTree(k = 4) @draw(ring) {
  ## The one that waits.
  ## It is not counted.
  spare npu : T
  open hrs.p[96..], hrs.q[0.. step 2]
  connect cables("cables.csv") over Optic
  connect a.x[i, 2*i + 1]
    -- b[0..7, *, 0..<8, 0..63 step 8]   # both ends

    # by the floor plan
    over Optic(3 m)
    for i in 0..7, j
    where i < j and
      j != 3 @open
  connect a
    to b
    as all(width = 2)
  npu[2] : T if n mod 2 == 0 @open
  port port[4] : UB x4 @open
  port : T
  link[3] : T
  x4 : x4
  if n == 1 { a : T }
  else if n == 2 { b : T }
  else { c : T }
  place cabinet as grid(
    columns = 16,   # across
    pitch = [0.6 m, 2.4 m],
  )
  expect bandwidth(ports) == io within 2% "keynote" differs "an older part"
  expect count(all npu.memory in cabinet[0] where x == y) >= 70% of base
  let pick = if a then b else c
  let sign = -x^2 + not_a
  w = f(a -> b, within = rack, all npu where z -> all link)
}

scenario X of s extends Y {
  fail any 64 of all link where medium == optical
  fail a -- b, c[0] where z
  fail any.x
  degrade inter[0, *].hrs to 75%
  degrade all link where q to 3 where z
  bisection(all npu); fail(x); set.y(all npu -> z)
  set a.b = 3;
}
view v of s @big {
  hide all npu where z; color link by medium; show a, b; layout grid(3)
  title "a \\"b\\" \\\\ c\\n"
}
"""
