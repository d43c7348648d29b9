"""Virtual lanes that are enough, shown on the fabric: channels in an order, a lane more wherever packets go against it;
or a lane that each pair keeps.

A packet begins on lane 0; on a channel of a later block it is on lane 0 again, within a block it keeps its lane where
the rank rises and takes the next one where it does not. Never may it go on to an earlier block. So (block, lane, rank)
rises along every path: each lane of each channel has a place, and what waits there waits for a later one.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import match
from unifiedbus_dsl.verify.cables import Cables, Ids, Ints
from unifiedbus_dsl.verify.channels import RoutedTraffic, begins, crossed, goals_alike, levels_of
from unifiedbus_dsl.verify.deadlock import CycleCertificate, check_rank
from unifiedbus_dsl.verify.symmetries import Move
from unifiedbus_dsl.verify.ways import NONE, Ways


@frozen(eq=False)
class LanesCertificate:
    """Blocks and ranks of arcs, [A] each, by which `lanes` are enough; and a cycle, which shows that one is not."""

    traffic: RoutedTraffic
    block: Ints
    rank: Ints
    lanes: int
    cycle: CycleCertificate
    moves: tuple[Move, ...] = ()

    def prove(self, cables: Cables) -> Proved:
        """Return how many lanes are needed at least, and how many are enough."""
        traffic = self.traffic
        match(traffic.arcs, cables)
        require(self.cycle.traffic is traffic, "the cycle is of another traffic")
        self.cycle.prove(cables)
        require(not (traffic.turns and self.block.any()), "packets that turn have one block")
        wide = int(self.rank.max(initial=0)) + 1
        orbit, goals = goals_alike(cables, traffic, self.block * wide + self.rank, self.moves), traffic.goals()
        came = _Comes.nothing(self.lanes, cables.vertices)
        for goal in traffic.intermediates(cables):
            came.join(self._first_leg(cables, goal))
        between = came.most[0] >= 0
        for goal in goals[np.unique(orbit[goals], return_index=True)[1]].tolist():
            ways = traffic.ways_to_end(cables, goal)
            if traffic.turns:
                self._follow(crossed(ways, between & (ways.rank > 0)), came)
            else:
                self._follow(crossed(ways, begins(cables, ways, traffic.senders_to(goal))), None)
        return Proved(2, self.lanes)

    def _first_leg(self, cables: Cables, goal: Ints) -> _Comes:
        """Return what comes to the vertices of an intermediate."""
        ways = self.traffic.ways_to(cables, goal)
        used = crossed(ways, begins(cables, ways, self.traffic.matrix.sent() > 0))
        lane = self._follow(used, None)
        nothing = _Comes.nothing(self.lanes, cables.vertices)
        there = used.rank[used.head] == 0
        nothing.add(used.head[there], self.rank[used.arc[there]], lane[there])
        return nothing

    def _follow(self, ways: Ways, came: _Comes | None) -> Ints:
        """Return the highest lane on each arc of ways, where `came` is what comes to vertices before.

        Raises:
            VerificationError: lanes are not enough, or packets go on to an earlier block.
        """
        block, rank = self.block[ways.arc], self.rank[ways.arc]
        self._check_blocks(ways, block)
        wide = int(self.block.max(initial=0)) + 1
        places = np.unique(np.concatenate([ways.head * wide + block, ways.tail * wide + block]))
        into, out = np.searchsorted(places, ways.head * wide + block), np.searchsorted(places, ways.tail * wide + block)
        held = _Comes.nothing(self.lanes, len(places)) if came is None else came.at(places)
        lane = np.zeros(len(ways.arc), dtype=np.int64)
        for some in levels_of(ways):
            lane[some] = held.next_lane(out[some], rank[some])
            require((lane[some] < self.lanes).all(), f"{self.lanes} lanes are not enough")
            held.add(into[some], rank[some], lane[some])
        return lane

    def _check_blocks(self, ways: Ways, block: Ints) -> None:
        max_rank, min_rank = np.full(len(ways.rank), -1), np.full(len(ways.rank), NONE)
        np.maximum.at(max_rank, ways.head, block)
        np.minimum.at(min_rank, ways.tail, block)
        require((max_rank <= min_rank)[ways.rank > 0].all(), "packets go on to an earlier block")


@frozen(eq=False)
class LayersCertificate:
    """The lane of what each end point sends to each, `lane[E, E]`, which it keeps, and a rank of arcs for each lane,
    `rank[lanes, A]`, that rises along the dependencies of its pairs; and a cycle, which shows that one lane is not
    enough."""

    traffic: RoutedTraffic
    lane: Ids
    rank: Ints
    cycle: CycleCertificate

    def prove(self, cables: Cables) -> Proved:
        """Return how many lanes are needed at least, and how many are enough."""
        traffic = self.traffic
        match(traffic.arcs, cables)
        require(self.cycle.traffic is traffic, "the cycle is of another traffic")
        self.cycle.prove(cables)
        require(not traffic.turns, "packets that turn keep no lane")
        for goal in traffic.goals().tolist():
            ways, sends, lane = traffic.ways_to_end(cables, goal), traffic.senders_to(goal), self.lane[:, goal]
            require((lane[sends] >= 0).all() and (lane[sends] < len(self.rank)).all(), "a pair has no lane")
            for number in np.unique(lane[sends]).tolist():
                check_rank(self.rank[number], crossed(ways, begins(cables, ways, sends & (lane == number))))
        return Proved(2, len(self.rank))


@frozen(eq=False)
class _Comes:
    """Of what comes to places on lane l or a higher one: the least and the largest rank of the channels that it comes
    by, [lanes, places] each; nothing comes where the least is above the largest."""

    least: Ints
    most: Ints

    @classmethod
    def nothing(cls, lanes: int, places: int) -> _Comes:
        return cls(np.full((lanes, places), NONE), np.full((lanes, places), -1))

    def at(self, places: Ints) -> _Comes:
        """Return the same at some places, to be added to."""
        return _Comes(self.least[:, places], self.most[:, places])

    def add(self, place: Ints, rank: Ints, lane: Ints) -> None:
        """Add what comes to places by channels of some ranks, on some lanes."""
        for level in range(len(self.least)):
            on = lane >= level
            np.minimum.at(self.least[level], place[on], rank[on])
            np.maximum.at(self.most[level], place[on], rank[on])

    def join(self, other: _Comes) -> None:
        np.minimum(self.least, other.least, out=self.least)
        np.maximum(self.most, other.most, out=self.most)

    def next_lane(self, place: Ints, rank: Ints) -> Ints:
        """Return the highest lane on which packets leave places by channels of some ranks."""
        lane = np.zeros(len(place), dtype=np.int64)
        for level in range(len(self.least)):
            if level:
                lane[self.least[level, place] < rank] = level
            lane[self.most[level, place] >= rank] = level + 1
        return lane
