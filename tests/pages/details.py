"""Distributions of one sample, for tests of figures."""

import numpy as np

from data_cache.conditions import Condition
from data_cache.sample_detail import Distribution

K = 4


def distribution(*draws: tuple[float, ...], fallback: bool = False) -> Distribution:
    """The distribution whose draws are given."""
    rows = np.array(draws)
    return Distribution(
        probabilities=rows.mean(axis=0),
        draws=rows,
        fallback=np.array([fallback] * len(rows)),
        strict_choice=tuple(int(row.argmax()) for row in rows),
    )


def synergy() -> dict[Condition, Distribution]:
    """What a sample looks like that needs image and text: the right option is the first."""
    uniform = (0.25,) * K
    return {
        Condition.FULL: distribution((1.0, 0.0, 0.0, 0.0)),
        Condition.ONLY_1: distribution((0.3, 0.3, 0.2, 0.2), (0.1, 0.3, 0.4, 0.2)),
        Condition.ONLY_2: distribution(uniform, uniform, fallback=True),
        Condition.NO_IMAGE: distribution(uniform),
    }
