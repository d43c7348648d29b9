"""Event times of pipelines against a plain event simulator, and bubbles against their formulas."""

from __future__ import annotations

import heapq
import random

import numpy as np
import pytest

from unifiedbus_dsl.workload.pipeline import BACKWARD, FORWARD, WEIGHT, Name, Schedule, make_schedule, run_schedule

NAMES: tuple[Name, ...] = ("gpipe", "1f1b", "interleaved", "zero_bubble")


def simulate(schedule: Schedule, times: list[list[float]], send: list[float]) -> dict[tuple[int, int, int], float]:
    """Return the end of each pass (sort, part, microbatch): events in order of time, one heap, no arrays."""
    stages, parts = schedule.stages, len(send)
    queue = [
        [
            (int(s), int(c) * stages + stage, int(m))
            for s, m, c in zip(schedule.sort[stage], schedule.microbatch[stage], schedule.chunk[stage], strict=True)
        ]
        for stage in range(stages)
    ]
    arrived: dict[tuple[int, int, int], float] = {}
    end: dict[tuple[int, int, int], float] = {}
    events: list[tuple[float, int, tuple[int, int, int] | None, int]] = [
        (0.0, stage, None, stage) for stage in range(stages)
    ]
    heapq.heapify(events)
    busy = [False] * stages
    number = stages
    for m in range(schedule.microbatches):
        arrived[FORWARD, 0, m] = 0.0
    while events:
        now, _, what, stage = heapq.heappop(events)
        if what is not None and what[0] < 10:  # a pass ends
            busy[stage] = False
            sort, part, m = what
            end[what] = now
            follow = []
            if sort == FORWARD:
                follow.append(((FORWARD, part + 1, m), send[part]) if part + 1 < parts else ((BACKWARD, part, m), 0.0))
            elif sort == BACKWARD:
                arrived[WEIGHT, part, m] = now
                if part:
                    follow.append(((BACKWARD, part - 1, m), send[part - 1]))
            for (s, p, k), after in follow:
                number += 1
                heapq.heappush(events, (now + after, number, (s + 10, p, k), p % stages))
        elif what is not None:  # data arrives
            arrived[what[0] - 10, what[1], what[2]] = now
        if not busy[stage] and queue[stage] and queue[stage][0] in arrived:
            ready = queue[stage][0]
            if ready[0] == BACKWARD and (FORWARD, *ready[1:]) not in end:
                continue
            queue[stage].pop(0)
            busy[stage] = True
            number += 1
            heapq.heappush(events, (now + times[ready[0]][ready[1]], number, ready, stage))
    assert not any(queue)
    return end


@pytest.mark.parametrize("seed", range(200))
def test_times_are_those_of_an_event_simulator(seed: int) -> None:
    """Stages of unequal time, sends of unequal time."""
    rng = random.Random(seed)
    name = NAMES[seed % 4]
    stages = rng.randint(1, 6)
    chunks = rng.randint(2, 4) if name == "interleaved" else 1
    microbatches = stages * rng.randint(1, 4) if name == "interleaved" else rng.randint(1, 14)
    parts = stages * chunks
    times = [[rng.uniform(0.5, 2) for _ in range(parts)] for _ in range(3)]
    send = [rng.choice((0.0, rng.uniform(0, 0.5))) for _ in range(parts)]
    schedule = make_schedule(name, stages, microbatches, chunks)
    found = run_schedule(schedule, *(np.array(each) for each in (*times[:2], send, times[2])))
    wanted = simulate(schedule, times, send)
    for stage in range(stages):
        for k, sort in enumerate(schedule.sort[stage].tolist()):
            key = (sort, int(schedule.chunk[stage, k]) * stages + stage, int(schedule.microbatch[stage, k]))
            assert found.end_s[stage, k] == pytest.approx(wanted[key], rel=1e-12)
    assert found.step_s == pytest.approx(max(wanted.values()), rel=1e-12)


@pytest.mark.parametrize(("stages", "microbatches", "chunks"), [(4, 8, 1), (8, 8, 1), (4, 8, 2), (8, 32, 4), (1, 5, 1)])
def test_every_pass_is_there_once(stages: int, microbatches: int, chunks: int) -> None:
    for name in NAMES:
        if (chunks > 1) == (name == "interleaved"):
            schedule = make_schedule(name, stages, microbatches, chunks)
            kinds = 3 if name == "zero_bubble" else 2
            for stage in range(stages):
                rows = zip(schedule.sort[stage], schedule.microbatch[stage], schedule.chunk[stage], strict=True)
                assert len(set(rows)) == len(schedule.sort[stage]) == kinds * microbatches * chunks


@pytest.mark.parametrize(("stages", "microbatches"), [(4, 8), (8, 16), (8, 64), (2, 3)])
def test_bubbles_of_equal_stages(stages: int, microbatches: int) -> None:
    """(p - 1)(F + B) of GPipe and 1F1B, a v-th of it interleaved by v chunks: arXiv:2104.04473, 2.2; with weight parts
    of the length of both others a third of it: arXiv:2401.10241, table 1: (p - 1)(F + B - W)."""
    one, two = np.ones(stages), 2 * np.ones(stages)
    for name in ("gpipe", "1f1b"):
        assert run_schedule(make_schedule(name, stages, microbatches), one, two).bubble_s == pytest.approx(
            3 * (stages - 1)
        )
    zero = run_schedule(make_schedule("zero_bubble", stages, microbatches), one, one, weight_s=one)
    if microbatches >= 2 * stages - 1:
        assert zero.bubble_s == pytest.approx(stages - 1)
    if not microbatches % stages:
        for chunks in (2, 4):
            parts = stages * chunks
            found = run_schedule(
                make_schedule("interleaved", stages, microbatches, chunks),
                np.ones(parts) / chunks,
                np.ones(parts) * 2 / chunks,
            )
            assert found.bubble_s == pytest.approx(3 * (stages - 1) / chunks)


def test_microbatches_in_flight() -> None:
    """p - s at stage s of 1F1B, all of GPipe; interleaved p (1 + (p - 1) / (p v)) of whole models at the first."""
    assert run_schedule(make_schedule("1f1b", 4, 8), np.ones(4), np.ones(4)).in_flight().tolist() == [4, 3, 2, 1]
    assert run_schedule(make_schedule("gpipe", 4, 8), np.ones(4), np.ones(4)).in_flight().tolist() == [8] * 4
    found = run_schedule(make_schedule("interleaved", 8, 64, 3), np.ones(24), np.ones(24)).in_flight()
    assert found[0] / 3 == pytest.approx(8 * (1 + 7 / 24))


def test_what_no_schedule_can_be() -> None:
    with pytest.raises(ValueError, match="no multiple of 4 stages"):
        make_schedule("interleaved", 4, 6, 2)
    with pytest.raises(ValueError, match="one chunk a stage"):
        make_schedule("1f1b", 4, 6, 2)
