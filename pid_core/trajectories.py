"""A trajectory drawn anew: what the atoms of all layers would be on other samples of the same kind.

The bootstrap takes the same samples in every layer, so that what a sample does to one layer it does
to the next, and takes the estimates to first order: with weights w_i instead of 1, atom k of layer
l is its estimate plus the mean of (w_i - 1) times the influence of sample i on it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pid_core.association import bootstrap_counts
from pid_core.errors import PidError


def drawn_trajectories(
    atoms: object,
    influences: object,
    *,
    groups: object = None,
    resamples: int = 500,
    seed: int = 0,
) -> Float[np.ndarray, "B L 4"]:
    """Draw trajectories by a bootstrap over samples.

    Parameters
    ----------
    atoms : (L, 4) bits, the estimates of each layer.
    influences : (N, L, 4) bits, what each sample adds to them (`Spectrum.influence`).
    groups : (N,), whole groups of samples are drawn; None draws samples.
    resamples : how many trajectories.
    seed : of the draws.

    Returns
    -------
    (B, L, 4) bits

    Raises
    ------
    PidError
        If the shapes do not fit, there are fewer than two samples, or a value is not finite.
    """
    values = np.asarray(atoms, dtype=np.float64)
    added: NDArray[np.float64] = np.asarray(influences, dtype=np.float64)
    if values.ndim != 2 or added.ndim != 3 or added.shape[1:] != values.shape:
        raise PidError(
            f"atoms of shape (L, 4) and influences of shape (N, L, 4) are needed; "
            f"these have {values.shape} and {added.shape}"
        )
    if len(added) < 2 or resamples < 1:
        raise PidError(f"{len(added)} samples and {resamples} resamples; take at least 2 and 1")
    if not (np.isfinite(values).all() and np.isfinite(added).all()):
        raise PidError("atoms or influences hold a value that is not finite; leave that layer out")
    counts, _ = bootstrap_counts(len(added), groups, resamples=resamples, seed=seed)
    # Groups differ in size: the weights of a draw are made to sum to the number of samples.
    weights = counts / counts.sum(axis=1, keepdims=True) - 1.0 / len(added)
    return values + (weights @ added.reshape(len(added), -1)).reshape(-1, *values.shape)
