"""How many answers at once: found by a server's throughput, halved when it says so."""

import heapq
import random

from steertui.server.pace import Pace


def simulate(room: int, most: int, answers: int, told: int = 0, seed: int = 1) -> tuple[int, float]:
    """Let a server of `room` places, a second an answer, work; return the limit and its use."""
    rng, now, busy = random.Random(seed), 0.0, 0
    pace = Pace("vLLM", told, most, now)
    ends: list[float] = []
    waiting = done = 0
    last = 0.0
    while done < answers:
        while busy + waiting < pace.limit:
            if busy < room:
                busy += 1
                heapq.heappush(ends, now + rng.uniform(0.5, 1.5))
            else:
                waiting += 1
        now = heapq.heappop(ends)
        done += 1
        full = busy + waiting >= pace.limit
        busy -= 1
        if waiting:
            waiting, busy = waiting - 1, busy + 1
            heapq.heappush(ends, now + rng.uniform(0.5, 1.5))
        pace.answered(100, now, full=full)
        last = now
    return pace.limit, answers / last / room


def test_the_limit_climbs_to_what_a_server_can_do() -> None:
    for room in (16, 64, 200):
        for seed in range(3):
            limit, use = simulate(room, 512, 6000, seed=seed)
            assert max(64, room * 0.9) <= limit <= max(128, room * 3)
            assert use > 0.9


def test_a_server_that_says_how_many_it_writes_is_kept_full_from_the_first() -> None:
    assert simulate(4, 128, 200, told=4)[0] == 5
    assert simulate(100, 64, 2000)[0] == 64


def test_a_refusal_halves_the_limit_once_a_second_and_calm_brings_it_back() -> None:
    pace = Pace("unknown", 0, 128, 0.0)
    assert pace.limit == 16
    pace.refused(5.0)
    pace.refused(5.1)
    assert pace.limit == 8
    for second in range(7, 20):
        pace.refused(float(second))
    assert pace.limit == 1
    limits, now = [], 20.0
    for _ in range(18):
        now += 1.0
        for _ in range(pace.limit):
            pace.answered(100, now, full=True)
        limits.append(pace.limit)
    assert limits == sorted(limits)
    assert limits[-1] == 16
