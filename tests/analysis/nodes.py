"""Nodes of two GPUs that leave by NICs: racks of two nodes, two racks, a leaf each, `up` spines."""

from __future__ import annotations

HEAD = """ubus 1
protocol E { lane = 100 Gbps }
protocol Bus { lane = 200 Gbps }
protocol Scale { lane = 800 Gbps }
link L : E { medium = optical }
link B : Bus { medium = pcb }
link V : Scale { medium = pcb }
"""

# two GPUs on a scale-up switch, each behind a NIC, or both behind one; a leaf with `up` cables up
NODES = """
npu G { port v : Scale x1; port b : Bus x1 }
switch N { port p[2] : Scale x1 }
nic A { port host[BUSES] : Bus x1; port net : E x1; transit host, net }
switch Leaf(up) { port d[DOWN] : E x1; port u[up] : E x1 }
switch Spine { port p[2] : E x1 }
node Node {
  g[2] : G; n : N; a[NICS] : A
  connect g[i].v -- n.p[i] over V(1 m) for i
  connect g[i].b -- a[PLACE].host[HOST] over B(1 m) for i
  port net = a.net
}
rack Rack(up = 2) {
  node[2] : Node; leaf : Leaf(up = up)
  connect node[i].net[k] -- leaf.d[NICS*i + k] over L(1 m) for i, k
  port up = leaf.u
}
superpod Pod(up = 2) {
  rack[2] : Rack(up = up); spine[up] : Spine
  connect rack[r].up[k] -- spine[k].p[r] over L(1 m) for r, k
}
system m : Pod(up = UP)
"""


def nodes(*, nics: int, up: int) -> str:
    one = nics == 2
    words = {"BUSES": 1 if one else 2, "DOWN": 2 * nics, "NICS": nics, "UP": up}
    text = NODES.replace("PLACE", "i" if one else "0").replace("HOST", "0" if one else "i")
    for word, value in words.items():
        text = text.replace(word, str(value))
    return HEAD + text
