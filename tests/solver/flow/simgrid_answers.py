"""`python simgrid_answers.py < QUESTIONS > ANSWERS`: flows on shared links, worked out by SimGrid 4.1.

A process of its own, as SimGrid has one engine a process; all machines of the input lie in it side by side. It needs
nothing but SimGrid. Its network model `raw` is plain max-min sharing: no latency or bandwidth factors, no TCP window,
no cross traffic.

Input: `{"machines": [{"links": [[rate, split], ...], "flows": [[route, size], ...], "early": time}, ...]}` in byte/s,
whole bytes and seconds. A route is a list of `[link, way]`: way 0 or 1 along a link that is split by direction, 0 along
one that is not; a link twice takes twice. With `"cables": [[a, b, link], ...]` a flow is `[[from, to], size]` instead,
and SimGrid finds its route. Output, a machine each: `{"finish": [time, ...], "left": [bytes at `early`, ...]}`.
"""

import ctypes
import json
import sys
from importlib.util import find_spec
from pathlib import Path

RAW = {
    "network/model": "raw",
    "network/latency-factor": 1,
    "network/bandwidth-factor": 1,
    "network/weight-S": 0,
    "network/TCP-gamma": 0,
    "network/crosstraffic": 0,
}


def load():
    """SimGrid, whose module looks for its library beside itself only if that is loaded already."""
    spec = find_spec("simgrid")
    if spec is None or spec.origin is None:
        raise SystemExit("no SimGrid here")
    for library in Path(spec.origin).parent.glob("libsimgrid.so.*"):
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    import simgrid

    return simgrid


def engine(simgrid):
    made = simgrid.Engine(["sim", "--log=root.threshold:error"])
    for key, value in RAW.items():
        simgrid.Engine.set_config(f"{key}:{value}")
    return made


class Machine:
    """A zone of its own: links, two hosts a flow (or one a vertex, where SimGrid routes), and who sends what."""

    def __init__(self, simgrid, root, number, asked):
        self.simgrid, self.name, self.asked = simgrid, f"m{number}", asked
        routed = "cables" in asked
        self.zone = root.add_netzone_dijkstra(self.name, False) if routed else root.add_netzone_full(self.name)
        self.links = [self._link(i, *link) for i, link in enumerate(asked["links"])]
        self.pairs = self._routed() if routed else [self._pair(f, route) for f, (route, _) in enumerate(asked["flows"])]
        self.zone.seal()
        self.flows, self.left = [], []

    def _link(self, i, rate, split):
        add = self.zone.add_split_duplex_link if split else self.zone.add_link
        return add(f"{self.name}.{i}", rate), split

    def _host(self, name):
        return self.zone.add_host(f"{self.name}.{name}", 1.0)

    def _along(self, link, way):
        made, split = self.links[link]
        if not split:
            return self.simgrid.LinkInRoute(made)
        direction = self.simgrid.LinkInRoute.Direction
        return self.simgrid.LinkInRoute(made, direction.DOWN if way else direction.UP)

    def _pair(self, f, route):
        one, two = self._host(f"s{f}"), self._host(f"t{f}")
        self.zone.add_route(one, two, [self._along(*step) for step in route], False)
        return one, two

    def _routed(self):
        hosts = [self._host(f"v{v}") for v in range(1 + max(max(a, b) for a, b, _ in self.asked["cables"]))]
        for a, b, link in self.asked["cables"]:
            self.zone.add_route(hosts[a], hosts[b], [self._along(link, 0)], False)
            self.zone.add_route(hosts[b], hosts[a], [self._along(link, 1)], False)
        return [(hosts[a], hosts[b]) for (a, b), _ in self.asked["flows"]]

    def run(self):
        """The actor: all flows at once; a look at them while none can have finished; then wait for all."""
        for (one, two), (_, size) in zip(self.pairs, self.asked["flows"], strict=True):
            self.flows.append(self.simgrid.Comm.sendto_async(one, two, int(size)))
        self.simgrid.this_actor.sleep_for(self.asked["early"])
        self.left = [flow.remaining for flow in self.flows]
        for flow in self.flows:
            flow.wait()

    def answer(self):
        return {"finish": [flow.finish_time for flow in self.flows], "left": self.left}


def main():
    asked = json.load(sys.stdin)
    simgrid = load()
    world = engine(simgrid)
    machines = [Machine(simgrid, world.netzone_root, i, one) for i, one in enumerate(asked["machines"])]
    world.netzone_root.seal()
    for machine in machines:
        machine.pairs[0][0].add_actor(machine.name, machine.run)
    world.run()
    json.dump([machine.answer() for machine in machines], sys.stdout)


if __name__ == "__main__":
    main()
