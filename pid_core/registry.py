"""The estimators by name: one line each, imported when first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import cast

from pid_core.certified import Settings
from pid_core.channels import Channels
from pid_core.errors import PidError, UnknownName
from pid_core.spectrum import Spectrum

Estimator = Callable[[Channels, Settings], Spectrum]

_TABLE = {
    "certified": "pid_core.certified:estimate_certified",
    "ipfp": "pid_core.ipfp:estimate_ipfp",
    "batch": "pid_core.batch:estimate_batch",
    "batch_reference": "pid_core.batch_reference:estimate_batch_reference",
}


ON_FEATURES = frozenset({"ipfp"})
"""Estimators that read embeddings and no masked run, so that draws of noise do not matter."""

TRAINED = frozenset({"batch", "batch_reference"})
"""Estimators that fit a network, on features and on samples of their own where there are some."""


class Estimators(Mapping[str, Estimator]):
    """Name -> function; the module is imported when the name is looked up.

    >>> list(ESTIMATORS)
    ['certified', 'ipfp', 'batch', 'batch_reference']
    >>> ESTIMATORS["certifed"]
    Traceback (most recent call last):
        ...
    pid_core.errors.UnknownName: no estimator is called 'certifed'; did you mean 'certified'? \
known: batch, batch_reference, certified, ipfp
    """

    def __getitem__(self, name: str) -> Estimator:
        if name not in _TABLE:
            raise UnknownName.of("estimator", name, _TABLE)
        module, function = _TABLE[name].split(":")
        return cast("Estimator", getattr(import_module(module), function))

    def __iter__(self) -> Iterator[str]:
        return iter(_TABLE)

    def __len__(self) -> int:
        return len(_TABLE)

    def __contains__(self, name: object) -> bool:
        return name in _TABLE


ESTIMATORS = Estimators()
"""Every estimator by name."""


def estimate(
    channels: Channels,
    estimator: str = "certified",
    *,
    seed: int = 0,
    marginals: str = "calibrate",
    pool_candidates: bool = False,
    pointwise: str = "own",
    tolerance_bits: float = 1e-3,
    max_steps: int = 60,
    clusters: int = 64,
    hard_answers: bool = False,
    train: Channels | None = None,
    throw: bool = False,
) -> Spectrum:
    """Decompose what the answers are worth into redundant, unique and synergistic information.

    Parameters
    ----------
    channels : three predictive distributions per sample.
    estimator : a name in `ESTIMATORS`.
    seed : for estimators that draw random numbers (``ipfp``: where k-means begins;
        ``batch`` and ``batch_reference``: weights and order of training).
    marginals : what to do when the probes' priors differ from the joint run's: ``calibrate``
        (default), ``couple`` or ``reference``.
    pool_candidates : put samples with different candidate sets into one problem.
    pointwise : how I* is shared out over samples: ``own`` (default), ``half`` or ``x1``.
    tolerance_bits : largest certified gap to accept, in bits.
    max_steps : steps of the iterative solver.
    clusters : codes per source, for ``ipfp``.
    hard_answers : most likely answers instead of distributions, for ``ipfp``.
    train : other samples to fit on, for estimators that train a network; None splits `channels`.
    throw : raise `NotConverged` instead of reporting it in the diagnostics.

    Returns
    -------
    Spectrum
        Atoms in bits; `diagnostics.gap_bits` bounds their error.

    References
    ----------
    Bertschinger, Rauh, Olbrich, Jost, Ay 2014 (the definition, "BROJA"); docs/method.md.

    Examples
    --------
    Each source alone says nothing, both together say everything: one bit of synergy.

    >>> half = [[0.5, 0.5]] * 4
    >>> xor = Channels(full=[[1, 0], [0, 1], [0, 1], [1, 0]], only_1=half, only_2=half)
    >>> spectrum = estimate(xor)
    >>> {name: round(value, 6) for name, value in spectrum.atoms.items()}
    {'redundancy': 0.0, 'unique_1': 0.0, 'unique_2': 0.0, 'synergy': 1.0}
    """
    settings = Settings(
        seed=seed,
        marginals=marginals,
        pool_candidates=pool_candidates,
        pointwise=pointwise,
        tolerance_bits=tolerance_bits,
        max_steps=max_steps,
        clusters=clusters,
        hard_answers=hard_answers,
        train=train,
        throw=throw,
    )
    if channels.condition is not None and estimator in TRAINED:
        raise PidError(
            f"{estimator!r} fits one network to all samples and cannot condition; leave the "
            "condition out, or estimate with 'certified'"
        )
    return ESTIMATORS[estimator](channels, settings)
