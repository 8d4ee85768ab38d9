"""Adaptive concurrency: slow start by throughput, halved when a server is overloaded."""

import heapq
import random
from collections import deque

from steertui.server.concurrency import AdaptiveConcurrency


def simulate(
    capacity: int, maximum: int, answers: int, slots: int = 0, seed: int = 1
) -> tuple[int, float]:
    """Simulate a server that works on `capacity` requests, about one second each.

    Returns the final limit and the server's utilisation, 0 to 1.
    """
    rng = random.Random(seed)
    now = 0.0
    control = AdaptiveConcurrency("vLLM", slots, maximum=maximum, now=now)
    in_work: list[tuple[float, float, int]] = []  # end time, request time, tokens
    queue: deque[float] = deque()

    def begin(requested: float) -> None:
        tokens = rng.randint(150, 450)
        heapq.heappush(in_work, (now + tokens / 300, requested, tokens))

    for _ in range(answers):
        while len(in_work) + len(queue) < control.limit:
            if len(in_work) < capacity:
                begin(now)
            else:
                queue.append(now)
        full = len(in_work) + len(queue) >= control.limit
        now, requested, tokens = heapq.heappop(in_work)
        if queue:
            begin(queue.popleft())
        control.answered(tokens, now - requested, now, full=full)
    return control.limit, answers / now / capacity


def test_the_limit_settles_near_the_servers_capacity() -> None:
    for capacity in (8, 16, 64, 200):
        for seed in range(3):
            limit, utilisation = simulate(capacity, 512, 6000, seed=seed)
            assert capacity * 0.95 <= limit <= capacity * 2
            assert utilisation > 0.9


def test_reported_slots_are_filled_with_a_quarter_more() -> None:
    assert simulate(4, 128, 200, slots=4)[0] == 5


def test_the_limit_never_exceeds_the_maximum() -> None:
    assert simulate(100, 64, 2000)[0] == 64


def test_overload_halves_the_limit_once_per_second_and_it_grows_back() -> None:
    control = AdaptiveConcurrency("unknown", 0, maximum=128, now=0.0)
    assert control.limit == 16
    control.overloaded(5.0)
    control.overloaded(5.1)
    assert control.limit == 8
    for second in range(7, 20):
        control.overloaded(float(second))
    assert control.limit == 1
    limits = []
    now = 20.0
    for _ in range(18):
        now += 1.0
        for _ in range(control.limit):
            control.answered(100, 1.0, now, full=True)
        limits.append(control.limit)
    assert limits == sorted(limits)
    assert limits[-1] == 16
