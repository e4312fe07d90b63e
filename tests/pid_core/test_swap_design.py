from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pid_core import PidError
from pid_core.swap_design import swap_design


@given(st.lists(st.integers(0, 12), min_size=8, max_size=40), st.integers(1, 4), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_each_image_meets_as_many_questions_and_never_its_own(
    images: list[int], rounds: int, seed: int
) -> None:
    most = max(images.count(image) for image in images)
    if len(images) - 2 * most + 1 < rounds:
        with pytest.raises(PidError, match="more samples or fewer rounds"):
            swap_design(images, rounds, seed=seed)
        return
    design = swap_design(images, rounds, seed=seed)
    assert (np.sort(design, axis=1) == np.arange(len(images))).all()
    assert all(images[design[m, i]] != images[i] for m in range(rounds) for i in range(len(images)))
    assert all(len(set(column)) == rounds for column in design.T)  # no pair twice


def test_the_seed_decides_the_design_and_fewer_rounds_are_its_beginning() -> None:
    images = list(range(30))
    assert (swap_design(images, 4, seed=1) == swap_design(images, 4, seed=1)).all()
    assert (swap_design(images, 4, seed=1) != swap_design(images, 4, seed=2)).any()
    assert (swap_design(images, 8, seed=1)[:4] == swap_design(images, 4, seed=1)).all()


def test_no_round_is_a_sentence() -> None:
    with pytest.raises(PidError, match="at least one round"):
        swap_design([1, 2, 3], 0)
