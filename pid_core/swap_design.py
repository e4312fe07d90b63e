"""Which images each question is asked about when images are swapped: a balanced, seeded design."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Int

from pid_core.errors import PidError


def swap_design(
    images: Sequence[Hashable], rounds: int, *, seed: int = 0
) -> Int[np.ndarray, "rounds samples"]:
    """Pair every question with the images of other samples, every image with as many questions.

    Each round is a permutation: question i is asked about the image of sample `design[m, i]`. No
    question meets its own image, nor one image twice as far as there are images enough; any first
    rounds of a design are a design. So p(y|x1) and p(y|x2), averaged over the same pairs, have one
    prior, whatever the number of rounds.

    Parameters
    ----------
    images : of each sample, what says which image it shows; samples may share one.
    rounds : M, partners of each question.
    seed : decides the order.

    Returns
    -------
    (M, N) indices of samples.

    Raises
    ------
    PidError
        If there are too few samples, or one image is shown by so many that a question cannot be
        kept from its own.

    Examples
    --------
    >>> design = swap_design(["a", "a", "b", "c"], 1, seed=1)
    >>> bool((np.sort(design, axis=1) == np.arange(4)).all())
    True
    """
    n = len(images)
    if rounds < 1:
        raise PidError(f"a swap design needs at least one round, got {rounds}")
    names = list(dict.fromkeys(images))
    random = np.random.default_rng([seed, n])
    rank = {
        name: int(place) for name, place in zip(names, random.permutation(len(names)), strict=True)
    }
    # Samples of one image stand side by side, so that shifts of at least as many never meet it.
    order = np.array(sorted(range(n), key=lambda i: rank[images[i]]), dtype=np.int64)
    most = max((sum(image == name for image in images) for name in names), default=0)
    shifts = np.arange(most, n - most + 1)
    if len(shifts) < rounds:
        raise PidError(
            f"{n} samples of {len(names)} images, at most {most} of one, allow "
            f"{len(shifts)} rounds of swaps, not {rounds}; take more samples or fewer rounds"
        )
    chosen = random.permutation(shifts)[:rounds]
    design = np.empty((rounds, n), dtype=np.int64)
    for m, shift in enumerate(chosen):
        design[m, order] = np.roll(order, -int(shift))
    return design
