"""How many answers at once: found by a server's throughput, halved when it says so."""

import heapq
import random
from collections import deque

from steertui.server.concurrency import AdaptiveConcurrency


def simulate(room: int, most: int, answers: int, told: int = 0, seed: int = 1) -> tuple[int, float]:
    """Let a server of `room` places, a second an answer, work; return the limit and its use."""
    rng, now = random.Random(seed), 0.0
    pace = AdaptiveConcurrency("vLLM", told, most, now)
    ends: list[tuple[float, float, int]] = []
    waiting: deque[float] = deque()

    def begin(asked: float) -> None:
        tokens = rng.randint(150, 450)
        heapq.heappush(ends, (now + tokens / 300, asked, tokens))

    for _ in range(answers):
        while len(ends) + len(waiting) < pace.limit:
            if len(ends) < room:
                begin(now)
            else:
                waiting.append(now)
        full = len(ends) + len(waiting) >= pace.limit
        now, asked, tokens = heapq.heappop(ends)
        if waiting:
            begin(waiting.popleft())
        pace.answered(tokens, now - asked, now, full=full)
    return pace.limit, answers / now / room


def test_the_limit_comes_to_what_a_server_can_do_and_not_far_above() -> None:
    for room in (8, 16, 64, 200):
        for seed in range(3):
            limit, use = simulate(room, 512, 6000, seed=seed)
            assert room * 0.95 <= limit <= room * 2
            assert use > 0.9


def test_a_server_that_says_how_many_it_writes_is_kept_full_from_the_first() -> None:
    assert simulate(4, 128, 200, told=4)[0] == 5
    assert simulate(100, 64, 2000)[0] == 64


def test_a_refusal_halves_the_limit_once_a_second_and_calm_brings_it_back() -> None:
    pace = AdaptiveConcurrency("unknown", 0, 128, 0.0)
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
            pace.answered(100, 1.0, now, full=True)
        limits.append(pace.limit)
    assert limits == sorted(limits)
    assert limits[-1] == 16
