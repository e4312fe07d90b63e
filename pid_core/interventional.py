"""The interventional spectrum: what a model does with sources that are independent by design.

Every question is asked about the images of other samples (pid_core.swap_design). Under that product
design p(y|x1) and p(y|x2) are true margins of one joint distribution, no probe has to stand for
them, and all four atoms are non-negative. docs/method.md, section 21.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pid_core.broja import solve_broja
from pid_core.channels import as_float64
from pid_core.errors import ChannelError, PidError
from pid_core.information import entropy, row_entropy, to_bits, to_nats
from pid_core.spectrum import ATOMS

FEWEST_FOR_CORRECTION = 3
"""Rounds below which leaving one out says little."""
RESAMPLED_BITS = 5e-3
"""Gap that is good enough for a resample: a hundredth of what it varies by."""


@dataclass(frozen=True, kw_only=True)
class DesignAtoms:
    """The decomposition of one design, in bits. Exact for the pairs that were asked."""

    redundancy: float
    unique_1: float
    unique_2: float
    synergy: float
    total: float
    """I(X1,X2;Y) over the pairs of the design."""
    information_1: float
    information_2: float
    gap: float
    """Certified distance between the bounds on I*."""

    @property
    def atoms(self) -> dict[str, float]:
        """R, U1, U2, S by name."""
        return {name: getattr(self, name) for name in ATOMS}


@dataclass(frozen=True, kw_only=True)
class InterventionalSpectrum:
    """Atoms of the product design of N images and N questions, in bits."""

    plug_in: DesignAtoms
    """Of the M rounds as they are: non-negative to the gap, biased by 1/M."""
    corrected: dict[str, float]
    """Atoms, total and both informations without the bias of first order in 1/M; may be slightly
    negative. Of fewer than three rounds the same as plug-in."""
    deviation: dict[str, float]
    """Standard errors from resampling images and questions; empty where none was asked for."""
    rounds: int
    n: int
    missing: int
    """Pairs of the design that were not asked; the others carry the weight."""
    prior_shift: float
    """Total variation between the answers' prior under the design and that of the observed pairs;
    NaN where those were not given."""
    observed_total: float
    """I(X1,X2;Y) of the observed pairs, bits; NaN where they were not given."""

    @property
    def correlation_part(self) -> float:
        """Total of the observed pairs minus that of the design: what the dataset's pairing adds."""
        return self.observed_total - self.corrected["total"]


def estimate_interventional(
    swapped: object,
    partners: object,
    *,
    asked: object | None = None,
    observed: object | None = None,
    resamples: int = 0,
    seed: int = 0,
    tolerance_bits: float = 1e-3,
) -> InterventionalSpectrum:
    """Decompose the answers to swapped pairs.

    Parameters
    ----------
    swapped : (M, N, K) p(y | image of sample partners[m, i], question i), rows summing to 1. All
        questions must offer the same K answers, or the image's own p(y|x1) would mix meanings.
    partners : (M, N) as `swap_design` gives them; each round a permutation.
    asked : (M, N) bool, False where a pair was not asked; its answer is then not read, and a round
        needs to show no image twice. None where all were.
    observed : (N, K) p(y | own image, own question), for the part of the dataset's pairing.
    resamples : two-way bootstrap over images and questions; 0 gives no standard errors.
    seed : of the bootstrap.
    tolerance_bits : largest certified gap to accept.

    Raises
    ------
    ChannelError
        If shapes disagree or a row is no distribution.
    PidError
        If a round is no permutation.
    """
    p, who, there = _checked(swapped, partners, asked)
    rounds, n, _ = p.shape
    whole = decompose_design(p, who, asked=there, tolerance_bits=tolerance_bits)
    corrected = _values(whole)
    if rounds >= FEWEST_FOR_CORRECTION:
        less = [
            _values(
                decompose_design(
                    np.delete(p, m, axis=0),
                    np.delete(who, m, axis=0),
                    asked=np.delete(there, m, axis=0),
                    tolerance_bits=tolerance_bits,
                )
            )
            for m in range(rounds)
        ]
        corrected = {
            name: rounds * value - (rounds - 1) * float(np.mean([one[name] for one in less]))
            for name, value in corrected.items()
        }
    prior_shift = observed_total = float("nan")
    own: Float[np.ndarray, "samples classes"] | None = None
    if observed is not None:
        own = _distributions(
            as_float64(observed, "the observed answers", 2), "the observed answers"
        )
        if own.shape != p.shape[1:]:
            raise ChannelError(
                f"the observed answers have shape {own.shape}, one round of the swapped ones "
                f"{p.shape[1:]}"
            )
        prior_shift = 0.5 * float(np.abs(own.mean(axis=0) - p[there].mean(axis=0)).sum())
        observed_total = _total(own, np.ones(n) / n)
    return InterventionalSpectrum(
        plug_in=whole,
        corrected=corrected,
        deviation=_deviations(p, who, there, own, resamples, seed, tolerance_bits),
        rounds=rounds,
        n=n,
        missing=int((~there).sum()),
        prior_shift=prior_shift,
        observed_total=observed_total,
    )


def convergence(
    swapped: object,
    partners: object,
    *,
    asked: object | None = None,
    tolerance_bits: float = 1e-3,
) -> tuple[InterventionalSpectrum, ...]:
    """Decompose the first 2, 4, 8, ... rounds: any first rounds of a design are a design.

    Parameters
    ----------
    swapped, partners, asked
        As for `estimate_interventional`.
    tolerance_bits
        Largest certified gap to accept.

    Returns
    -------
    tuple
        For each number of rounds below M, without standard errors.
    """
    p, who, there = _checked(swapped, partners, asked)
    steps = [2**power for power in range(1, 8) if 2**power < len(p)]
    return tuple(
        estimate_interventional(
            p[:rounds], who[:rounds], asked=there[:rounds], tolerance_bits=tolerance_bits
        )
        for rounds in steps
        if there[:rounds].any()
    )


def decompose_design(
    swapped: Float[np.ndarray, "rounds samples classes"],
    partners: Int[np.ndarray, "rounds samples"],
    *,
    asked: Bool[np.ndarray, "rounds samples"] | None = None,
    image_weights: Float[np.ndarray, " samples"] | None = None,
    question_weights: Float[np.ndarray, " samples"] | None = None,
    tolerance_bits: float = 1e-3,
) -> DesignAtoms:
    """Decompose the joint distribution that puts equal mass on each asked pair.

    Its margins (x1, y) and (x2, y) are those of one distribution, so U1, U2 >= 0, and that
    distribution has them itself, so I* <= I(X1,X2;Y) and S >= -gap.

    Parameters
    ----------
    swapped, partners
        As for `estimate_interventional`, checked already.
    asked
        False where a pair carries no weight.
    image_weights, question_weights
        A pair weighs their product; None weighs all alike.
    tolerance_bits
        Largest certified gap to accept.
    """
    rounds, n, classes = swapped.shape
    image = np.ones(n) if image_weights is None else image_weights
    question = np.ones(n) if question_weights is None else question_weights
    weights = image[partners] * question[None, :]
    if asked is not None:
        weights = weights * asked
    weights = weights / weights.sum()
    mass = weights[:, :, None] * swapped
    joint_2 = mass.sum(axis=0)
    joint_1 = np.zeros((n, classes))
    np.add.at(joint_1, partners.reshape(-1), mass.reshape(rounds * n, classes))
    prior = joint_2.sum(axis=0)
    solution = solve_broja(joint_1, joint_2, tolerance=to_nats(tolerance_bits))
    information_1, information_2 = _information(joint_1, prior), _information(joint_2, prior)
    total = entropy(prior) - float(
        (weights * row_entropy(swapped.reshape(-1, classes)).reshape(rounds, n)).sum()
    )
    shared = solution.information
    return DesignAtoms(
        redundancy=to_bits(information_1 + information_2 - shared),
        unique_1=to_bits(shared - information_2),
        unique_2=to_bits(shared - information_1),
        synergy=to_bits(total - shared),
        total=to_bits(total),
        information_1=to_bits(information_1),
        information_2=to_bits(information_2),
        gap=to_bits(solution.gap),
    )


def _information(
    joint: Float[np.ndarray, "rows classes"], prior: Float[np.ndarray, " classes"]
) -> float:
    mass = joint.sum(axis=1)
    kept = mass > 0.0
    rows = joint[kept] / mass[kept, None]
    return entropy(prior) - float(mass[kept] @ row_entropy(rows))


def _values(found: DesignAtoms) -> dict[str, float]:
    return {
        **found.atoms,
        "total": found.total,
        "information_1": found.information_1,
        "information_2": found.information_2,
    }


def _deviations(
    p: Float[np.ndarray, "rounds samples classes"],
    who: Int[np.ndarray, "rounds samples"],
    there: Bool[np.ndarray, "rounds samples"],
    own: Float[np.ndarray, "samples classes"] | None,
    resamples: int,
    seed: int,
    tolerance_bits: float,
) -> dict[str, float]:
    if resamples < 2:
        return {}
    random = np.random.default_rng(seed)
    n = p.shape[1]
    drawn: list[dict[str, float]] = []
    while len(drawn) < resamples:
        image, question = (random.multinomial(n, np.full(n, 1 / n)).astype(float) for _ in range(2))
        weights = image * question
        if not (image[who] * question * there).any() or (own is not None and not weights.any()):
            continue
        found = decompose_design(
            p,
            who,
            asked=there,
            image_weights=image,
            question_weights=question,
            tolerance_bits=max(tolerance_bits, RESAMPLED_BITS),
        )
        values = _values(found)
        if own is not None:
            values["observed_total"] = _total(own, weights / weights.sum())
            values["correlation_part"] = values["observed_total"] - found.total
        drawn.append(values)
    return {name: float(np.std([one[name] for one in drawn], ddof=1)) for name in drawn[0]}


def _total(
    p: Float[np.ndarray, "samples classes"], weights: Float[np.ndarray, " samples"]
) -> float:
    """Return I(X1,X2;Y) of weighted pairs, bits."""
    return to_bits(entropy(weights @ p) - float(weights @ row_entropy(p)))


def _checked(
    swapped: object, partners: object, asked: object | None
) -> tuple[
    Float[np.ndarray, "rounds samples classes"],
    Int[np.ndarray, "rounds samples"],
    Bool[np.ndarray, "rounds samples"],
]:
    p = as_float64(swapped, "the swapped answers", 3)
    who: np.ndarray = np.asarray(partners)
    if who.shape != p.shape[:2] or not np.issubdtype(who.dtype, np.integer):
        raise ChannelError(
            f"partners must be whole numbers of shape {p.shape[:2]}, one for each swapped pair, "
            f"got {who.dtype} of shape {who.shape}"
        )
    there: np.ndarray = np.ones(who.shape, dtype=bool) if asked is None else np.asarray(asked)
    if there.shape != who.shape or there.dtype != bool or not there.any():
        raise ChannelError(
            f"asked must be true or false for each of the {who.shape} pairs, and true for one, got "
            f"{there.dtype} of shape {there.shape}"
        )
    for one, held in zip(who, there, strict=True):
        shown = one[held]
        if len(set(shown.tolist())) < len(shown) or shown.min() < 0 or shown.max() >= len(held):
            raise PidError(
                "a round of swaps must show each image once; make the design with swap_design"
            )
    p = np.where(there[..., None], p, 1 / p.shape[2])
    return (
        _distributions(p, "the swapped answers"),
        np.where(there, who, 0).astype(np.int64),
        there,
    )


def _distributions(p: np.ndarray, name: str) -> np.ndarray:
    if p.size == 0 or not np.isfinite(p).all() or (p < 0.0).any():
        raise ChannelError(f"{name} need finite, non-negative probabilities and at least one row")
    sums = p.sum(axis=-1, keepdims=True)
    if np.abs(sums - 1.0).max() > 1e-4:
        raise ChannelError(f"{name} must sum to 1 in each row, one sums to {sums.flat[0]:.6g}")
    return p / sums
