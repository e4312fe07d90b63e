"""The fixed order: same on every machine, and every prefix is a fair sample."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from data_cache.order import fixed_order
from data_cache.samples import Sample


def make(subset: str, split: str, number: int) -> Sample:
    return Sample(
        id=f"{subset}-{split}-{number}",
        group_id=f"group-{number // 2}",
        question="?",
        options=("a", "b"),
        answer=0,
        subset=subset,
        split=split,  # pyright: ignore[reportArgumentType]
    )


@pytest.fixture
def samples() -> list[Sample]:
    return [
        make(subset, split, number)
        for subset, count in (("large", 60), ("small", 20))
        for split, share in (("train", 3), ("test", 1))
        for number in range(count * share // 4)
    ]


def test_order_does_not_depend_on_the_order_of_the_file(samples: list[Sample]) -> None:
    shuffled = samples[:]
    random.Random(1).shuffle(shuffled)
    assert fixed_order(samples) == fixed_order(shuffled)


def test_another_seed_gives_another_order_of_the_same_samples(samples: list[Sample]) -> None:
    one, two = fixed_order(samples, seed=0), fixed_order(samples, seed=1)
    assert one != two
    assert {s.id for s in one} == {s.id for s in two} == {s.id for s in samples}


@pytest.mark.parametrize("length", [8, 20, 40, 80])
def test_every_prefix_has_the_proportions_of_the_whole(samples: list[Sample], length: int) -> None:
    prefix = fixed_order(samples)[:length]
    found = Counter((s.subset, s.split) for s in prefix)
    for stratum, count in Counter((s.subset, s.split) for s in samples).items():
        assert abs(found[stratum] - count * length / len(samples)) <= 1


def test_members_of_a_group_stand_together_within_their_stratum(samples: list[Sample]) -> None:
    stratum = [
        s.group_id for s in fixed_order(samples) if (s.subset, s.split) == ("large", "train")
    ]
    changes = sum(a != b for a, b in pairwise(stratum))
    assert changes == len(set(stratum)) - 1
