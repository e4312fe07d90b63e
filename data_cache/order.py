"""The one fixed order of a benchmark's samples: shuffled, stratified, groups kept together."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from data_cache.samples import Sample


def _rank(seed: int, *parts: str) -> str:
    return hashlib.sha256("\x1f".join((str(seed), *parts)).encode()).hexdigest()


def fixed_order(samples: Sequence[Sample], *, seed: int = 0) -> tuple[Sample, ...]:
    """Shuffle by a seeded hash so that every prefix holds subsets and splits in their proportions.

    Within a stratum (subset, split) groups are shuffled and stay together; the strata are then
    merged so that the k-th of n samples of a stratum lands at the fraction (k + 1/2) / n of the
    whole. The order depends on ids only, so it is the same on every machine and for every file
    order.

    Parameters
    ----------
    samples
        Any order.
    seed
        Seed of the shuffle; part of the identity of the order.
    """
    strata: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        strata[sample.subset, sample.split].append(sample)
    placed: list[tuple[float, str, Sample]] = []
    for (subset, split), members in strata.items():
        members.sort(key=lambda s: (_rank(seed, s.group_id), s.group_id, _rank(seed, s.id), s.id))
        placed.extend(
            ((index + 0.5) / len(members), _rank(seed, subset, split), sample)
            for index, sample in enumerate(members)
        )
    placed.sort(key=lambda item: (item[0], item[1]))
    return tuple(sample for _, _, sample in placed)
