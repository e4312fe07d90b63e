"""How samples are divided into train and test: 3 to 1, by group, at random, or as the file says."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from data_cache.errors import BenchmarkError
from data_cache.samples import SPLITS, Sample, Split

SplitPolicy = Literal["group", "random", "own"]
SPLIT_POLICIES: tuple[SplitPolicy, ...] = ("group", "random", "own")
TRAIN_SHARE = (3, 4)
"""Numerator and denominator; Xiu26 has 3246 of 4329, 2250 of 3000, 1612 of 2150, 1500 of 2000."""


def divide(samples: Sequence[Sample], policy: SplitPolicy, *, seed: int = 0) -> list[Sample]:
    """Return the samples, each with its split, in the order given.

    Parameters
    ----------
    samples
        Of one benchmark.
    policy
        `group`: samples of a group stay together, in each subset (more exactly: among the groups
        that have the same subsets) as near to 3 : 1 as whole groups allow, and of several groups
        one at least for testing. `random`: exactly the floor of 3/4 of all samples are for
        training, whatever their groups (the papers'). `own`: what each sample's meta says under
        `split`.
    seed
        Of the shuffle. The same ids give the same split, whatever the order of the file.

    Raises
    ------
    BenchmarkError
        If the samples have no splits of their own.
    """
    if policy == "own":
        return [replace(sample, split=_own(sample)) for sample in samples]
    if policy == "random":
        order = sorted(samples, key=lambda sample: (_rank(seed, sample.id), sample.id))
        train = {sample.id for sample in order[: _train_count(len(samples))]}
    else:
        train = _by_group(samples, seed)
    return [replace(sample, split="train" if sample.id in train else "test") for sample in samples]


def _by_group(samples: Sequence[Sample], seed: int) -> set[str]:
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.group_id].append(sample)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, members in groups.items():
        strata[tuple(sorted({sample.subset for sample in members}))].append(name)
    train: set[str] = set()
    for names in strata.values():
        names.sort(key=lambda name: (_rank(seed, name), name))
        wanted = _train_count(sum(len(groups[name]) for name in names))
        taken = 0
        chosen: list[str] = []
        for name in names:
            size = len(groups[name])
            # The group that crosses the border falls on the side where more of it lies.
            if taken + size / 2 > wanted:
                break
            taken += size
            chosen.append(name)
        if len(chosen) == len(names) > 1:  # of several groups one is for testing
            chosen.remove(min(chosen, key=lambda name: len(groups[name])))
        train.update(sample.id for name in chosen for sample in groups[name])
    return train


def _own(sample: Sample) -> Split:
    said = str(sample.meta.get("split", "")).strip().lower()
    for split in SPLITS:
        if said == split:
            return split
    raise BenchmarkError(
        f"sample {sample.id!r} has the split {said!r}, neither train nor test; choose the split "
        "policy group or random"
    )


def _train_count(count: int) -> int:
    return count * TRAIN_SHARE[0] // TRAIN_SHARE[1]


def _rank(seed: int, name: str) -> str:
    return hashlib.sha256(f"split\x1f{seed}\x1f{name}".encode("utf-8", "replace")).hexdigest()
