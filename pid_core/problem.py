"""An estimate as a function of which samples it is made of: what resampling needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from pid_core.certified import Settings
from pid_core.channels import Channels
from pid_core.draws import FEWEST_DRAWS, estimate_over_draws
from pid_core.predictive import DEFAULT_TAU, RawScores
from pid_core.registry import ON_FEATURES, estimate
from pid_core.reweighted import TOLERANCE_BITS, Reweighted
from pid_core.spectrum import ATOMS, Spectrum

Weighted = Callable[[Int[np.ndarray, " samples"]], Float[np.ndarray, " numbers"]]
"""From how often each sample counts to the four atoms and the total, in bits."""


class AbstractProblem(ABC):
    """Samples and settings; the estimate from any of the samples."""

    channels: Channels
    """Every sample, with the mean over draws where there are several."""
    estimator: str
    settings: Mapping[str, Any]

    @abstractmethod
    def estimate(self, rows: Int[np.ndarray, " chosen"] | None = None) -> Spectrum:
        """Estimate from the samples named, each as often as it is named; None takes all."""

    @property
    def n_samples(self) -> int:
        """Number of samples N."""
        return self.channels.n_samples

    @property
    def valid(self) -> Bool[np.ndarray, "samples candidates"]:
        """Which candidates each sample offers."""
        return self.channels.valid

    @property
    def clusters(self) -> Int[np.ndarray, " samples"] | None:
        """Index of each sample's group of dependent samples; None where independent."""
        return self.channels.clusters

    def weighted(self) -> Weighted:
        """Return a function of how often each sample counts; ready to be called many times.

        Numbers of ``certified`` lie within the tolerance of `pid_core.reweighted`.
        """

        def numbers(weights: np.ndarray) -> np.ndarray:
            return numbers_of(self.estimate(np.repeat(np.arange(self.n_samples), weights)))

        return numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class OfChannels(AbstractProblem):
    """What `estimate` solves.

    >>> copy = [[1, 0], [0, 1]] * 2
    >>> problem = OfChannels(channels=Channels(full=copy, only_1=copy, only_2=copy))
    >>> round(problem.estimate(np.array([0, 1])).redundancy, 6)
    1.0
    >>> problem.weighted()(np.array([3, 1, 0, 0])).round(3).tolist()
    [0.811, 0.0, 0.0, 0.0, 0.811]
    """

    channels: Channels
    estimator: str = "certified"
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def estimate(self, rows: Int[np.ndarray, " chosen"] | None = None) -> Spectrum:
        """Estimate from the samples named."""
        chosen = self.channels if rows is None else self.channels.at(rows)
        return estimate(chosen, self.estimator, **self.settings)

    def weighted(self) -> Weighted:
        """Start each solution from that of all samples, where the estimator can."""
        return self.weighted_within(TOLERANCE_BITS)

    def weighted_within(self, tolerance_bits: float) -> Weighted:
        """Return `weighted` with another certified gap, where the estimator has one."""
        if self.estimator != "certified":
            return super().weighted()
        settings = Settings(**self.settings)
        again = Reweighted(self.channels, settings, tolerance_bits=tolerance_bits)

        def numbers(weights: np.ndarray) -> np.ndarray:
            found = again.atoms(weights)
            return np.append(found.atoms, found.total)

        return numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class OfDraws(AbstractProblem):
    """What `estimate_over_draws` solves: atoms jackknifed over draws of noise.

    >>> half = np.full((4, 3, 2), 0.5)
    >>> xor = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> means = Channels(full=xor, only_1=half[:, 0], only_2=half[:, 0])
    >>> problem = OfDraws(channels=means, full=xor, only_1=half, only_2=half)
    >>> round(problem.estimate().synergy, 6)
    1.0
    """

    channels: Channels
    """The mean over draws."""
    full: np.ndarray
    """(N, K) or (N, D', K)."""
    only_1: np.ndarray
    """(N, D, K)"""
    only_2: np.ndarray
    """(N, D, K)"""
    estimator: str = "certified"
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @staticmethod
    def of_scores(
        scores: RawScores,
        *,
        tau: float = DEFAULT_TAU,
        estimator: str = "certified",
        features_1: object = None,
        features_2: object = None,
        **settings: Any,
    ) -> OfDraws:
        """Apply tau once; the arguments are those of `estimate_over_draws`."""
        predicted = scores.predict(tau)
        channels = Channels(
            **{name: predicted[name].mean() for name in ("full", "only_1", "only_2")},
            features_1=features_1,
            features_2=features_2,
            valid=scores.valid,
            group_id=scores.group_id,
            condition=scores.condition,
        )
        full, only_1, only_2 = (
            predicted[name].probabilities for name in ("full", "only_1", "only_2")
        )
        return OfDraws(
            channels=channels,
            full=full,
            only_1=only_1,
            only_2=only_2,
            estimator=estimator,
            settings=settings,
        )

    def plain(self) -> OfChannels:
        """Return the problem of the mean over draws, without a jackknife."""
        return OfChannels(channels=self.channels, estimator=self.estimator, settings=self.settings)

    def weighted(self) -> Weighted:
        """Jackknife solutions that start from those of all samples."""
        draws = self.only_1.shape[1]
        if self.estimator in ON_FEATURES or draws < FEWEST_DRAWS:
            return self.plain().weighted()
        whole, *left_out = (
            OfChannels(
                channels=self._with_draws([d for d in range(draws) if d != out]),
                estimator=self.estimator,
                settings=self.settings,
            ).weighted_within(TOLERANCE_BITS / (2 * draws - 1))
            for out in (None, *range(draws))
        )

        def numbers(weights: np.ndarray) -> np.ndarray:
            fewer = np.mean([one(weights) for one in left_out], axis=0)
            return draws * whole(weights) - (draws - 1) * fewer

        return numbers

    def _with_draws(self, kept: list[int]) -> Channels:
        return Channels(
            full=self.channels.full,
            only_1=self.only_1[:, kept].mean(axis=1),
            only_2=self.only_2[:, kept].mean(axis=1),
            valid=self.valid,
            group_id=self.channels.group_id,
            condition=self.channels.condition,
        )

    def estimate(self, rows: Int[np.ndarray, " chosen"] | None = None) -> Spectrum:
        """Estimate from the samples named, with all their draws."""
        if self.estimator in ON_FEATURES:
            return self.plain().estimate(rows)
        chosen = np.arange(self.n_samples) if rows is None else rows
        means = self.channels.at(chosen)
        return estimate_over_draws(
            self.full[chosen],
            self.only_1[chosen],
            self.only_2[chosen],
            valid=means.valid,
            group_id=means.group_id,
            condition=means.condition,
            features_1=means.features_1,
            features_2=means.features_2,
            estimator=self.estimator,
            **self.settings,
        )


def as_problem(
    channels: Channels | AbstractProblem, estimator: str, settings: Mapping[str, Any]
) -> AbstractProblem:
    """Take a problem as it is, and channels with an estimator and its settings."""
    if isinstance(channels, Channels):
        return OfChannels(channels=channels, estimator=estimator, settings=dict(settings))
    return channels


def numbers_of(spectrum: Spectrum) -> Float[np.ndarray, " numbers"]:
    """Return the four atoms and the total, in bits."""
    return np.array([*(spectrum.atoms[name] for name in ATOMS), spectrum.total])
