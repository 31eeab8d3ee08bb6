"""The best day to post: no discoveries in noise, real effects found (A2; facts 4.1)."""

from __future__ import annotations

import random

from core.advisor.slots import SURE, pooled


def _channel(chance: random.Random, posts: int, effect: float) -> dict[int, list[float]]:
    groups: dict[int, list[float]] = {day: [] for day in range(7)}
    for _ in range(posts):
        day = chance.randrange(7)
        groups[day].append(7 + chance.gauss(0, 0.9) + (effect if day == 2 else 0.0))
    return groups


def test_noise_is_hardly_ever_taken_for_a_best_day() -> None:
    chance = random.Random(1)
    claims = sum(pooled(_channel(chance, 60, 0.0))[0].probability > SURE for _ in range(300))
    assert claims <= 15


def test_a_large_effect_with_many_posts_is_found() -> None:
    chance = random.Random(2)
    right = 0
    for _ in range(60):
        best = pooled(_channel(chance, 400, 1.1))[0]
        right += best.group == 2 and best.probability > SURE
    assert right >= 50


def test_too_few_posts_say_nothing() -> None:
    assert pooled({0: [1.0, 2.0], 1: [3.0]}) == []
    assert pooled({0: [1.0] * 20}) == []
