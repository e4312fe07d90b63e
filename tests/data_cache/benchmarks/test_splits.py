"""Train and test: 3 to 1, groups together, the papers' counts at random."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cache.benchmarks.splits import divide
from data_cache.errors import BenchmarkError
from data_cache.samples import Sample


def samples(groups: list[int], subsets: int = 1) -> list[Sample]:
    """Groups of so many samples, each with its subset."""
    return [
        Sample(
            id=f"{group}-{member}",
            group_id=f"g{group}",
            question="?",
            options=("a", "b"),
            answer=0,
            subset=f"s{group % subsets}",
        )
        for group, size in enumerate(groups)
        for member in range(size)
    ]


def sizes(divided: list[Sample]) -> tuple[int, int]:
    train = sum(sample.split == "train" for sample in divided)
    return train, len(divided) - train


@pytest.mark.parametrize(
    ("count", "train", "test"),
    [(4329, 3246, 1083), (3000, 2250, 750), (2150, 1612, 538), (2000, 1500, 500)],
    ids=["MMBench", "POPE", "Reefknot", "PMC-VQA"],
)
def test_random_gives_the_counts_of_the_papers(count: int, train: int, test: int) -> None:
    assert sizes(divide(samples([1] * count), "random")) == (train, test)


def test_a_random_split_tears_groups_apart_and_a_group_split_does_not() -> None:
    everything = samples([4] * 100)

    def torn(divided: list[Sample]) -> int:
        sides: dict[str, set[str]] = {}
        for sample in divided:
            sides.setdefault(sample.group_id, set()).add(sample.split)
        return sum(len(found) > 1 for found in sides.values())

    assert torn(divide(everything, "random")) > 50
    assert torn(divide(everything, "group")) == 0
    assert sizes(divide(everything, "group")) == (300, 100)


@pytest.mark.parametrize("groups", [[1, 2], [1, 10], [2, 1, 1], [1, 1], [9, 9, 1]])
def test_of_several_groups_some_are_for_training_and_some_for_testing(groups: list[int]) -> None:
    for shift in range(4):
        assert all(sizes(divide(samples([0] * shift + groups), "group")))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(1, 4))
def test_a_group_split_keeps_groups_together_and_is_near_three_to_one_in_each_subset(
    groups: list[int], subsets: int
) -> None:
    divided = divide(samples(groups, subsets), "group")
    for subset in {sample.subset for sample in divided}:
        part = [sample for sample in divided if sample.subset == subset]
        by_group: dict[str, set[str]] = {}
        for sample in part:
            by_group.setdefault(sample.group_id, set()).add(sample.split)
        assert all(len(sides) == 1 for sides in by_group.values())
        assert abs(sizes(part)[0] - 0.75 * len(part)) <= 4.5 + 1


def test_the_split_does_not_depend_on_the_order_of_the_file() -> None:
    everything = samples([3] * 40, subsets=3)
    for policy in ("group", "random"):
        there = {s.id: s.split for s in divide(everything, policy)}
        back = {s.id: s.split for s in divide(everything[::-1], policy)}
        assert there == back
        assert {s.split for s in divide(everything, policy, seed=1)} == {"train", "test"}
        assert there != {s.id: s.split for s in divide(everything, policy, seed=1)}


def test_own_takes_what_the_file_says_and_names_what_is_neither() -> None:
    one, two = (
        dataclasses.replace(sample, meta={"split": said})
        for sample, said in zip(samples([1, 1]), ("Train", "test"), strict=True)
    )
    assert [sample.split for sample in divide([one, two], "own")] == ["train", "test"]
    with pytest.raises(BenchmarkError, match="'0-0' has the split 'dev', neither train nor test"):
        divide([dataclasses.replace(one, meta={"split": "dev"})], "own")
