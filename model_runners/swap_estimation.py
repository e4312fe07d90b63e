"""From stored swapped pairs to stored interventional spectra (docs/method.md, section 21)."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from data_cache import estimates, queries
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import ATOMS, POINTWISE_SCHEMA, SpectrumRecord, estimate_key
from data_cache.swapped_pairs import NOBODY, SwappedPairs, swapped_pairs
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, chosen_of, how_to_get
from model_runners.swapping import Within, stratum
from pid_core import answer_quality, predictive
from pid_core.interventional import (
    InterventionalSpectrum,
    convergence,
    estimate_interventional,
)

if TYPE_CHECKING:
    from data_cache.queries import RunRow

RESAMPLES = 50
"""Two-way bootstrap samples, where nobody says."""
NORMAL = 1.96
"""Standard errors on each side of a 95 % interval."""
EVERYTHING = "all"
OF_THE_PAIRING = ("observed_total", "correlation_part")


def choose_swap_run(
    cache: Path, *, model: str, benchmark: str, run_key: str | None = None
) -> "RunRow":
    """Return the newest run of swaps of a model on a benchmark, or the one with a given key.

    Raises
    ------
    BadOption
        If there is none; the message says how to make one.
    """
    found = [
        run
        for run in queries.runs(cache, probe="swap")
        if run.model == model
        and run.benchmark == benchmark
        and (run_key is None or run.run_key.startswith(run_key))
    ]
    if not found:
        raise BadOption(
            f"the cache {cache} has no run of {model!r} on {benchmark!r} with swapped pairs"
            + (f" and key {run_key}" if run_key else "")
            + f"; {how_to_get('', benchmark).replace('--model ', f'--model {model}')} --probe swap"
        )
    return max(found, key=lambda run: run.ingested_at)


def estimate_swapped(
    cache: Path,
    run: "RunRow",
    options: EstimateOptions,
    *,
    progress: Callable[[int, int], None] | None = None,
    reuse: bool = False,
) -> list[SpectrumRecord]:
    """Estimate the interventional spectra of a run of swaps and store them.

    Parameters
    ----------
    cache
        The cache folder.
    run
        A row of `choose_swap_run`.
    options
        How to estimate; `draws` are rounds, `evidence.bootstrap` the two-way bootstrap samples.
    progress
        Called with spectra done and in all.
    reuse
        Take a stored estimate of the same question and the same number of samples as it is.

    Raises
    ------
    BadOption
        If something is asked for that swapped pairs do not have.
    PidError
        If the estimator refuses the predictions.
    """
    within = within_of(run)
    if options.layers or options.layer != OUTPUT_LAYER or options.limit is not None:
        raise BadOption(
            "swapped pairs are estimated whole and of the model's output; leave out --layers, "
            "--layer and --limit"
        )
    if within != "subset" and (options.by == "subset" or options.subset is not None):
        raise BadOption(
            f"the run {run.run_key} pairs samples of different subsets (--partners-within "
            f"{within}), so only all of them have a spectrum; leave out --by and --subset"
        )
    subsets = [options.subset or EVERYTHING]
    if options.by == "subset" and options.subset is None:
        there = swapped_pairs(cache, run.run_key, split=options.split)
        subsets = sorted(set(there.subsets.tolist()))
    records: list[SpectrumRecord] = []
    for subset in subsets:
        pairs = swapped_pairs(
            cache,
            run.run_key,
            split=options.split,
            subset=None if subset == EVERYTHING else subset,
            rounds=options.draws,
        )
        stored = estimates.find(cache, key_of(run, pairs, subset, options)) if reuse else None
        if stored is None or stored.n != len(pairs.sample_ids):
            stored = _record(run, pairs, subset, options)
            estimates.save(cache, stored, POINTWISE_SCHEMA.empty_table())
        records.append(stored)
        if progress is not None:
            progress(len(records), len(subsets))
    return records


def within_of(run: "RunRow") -> Within:
    """Return who could be a partner in a run of swaps."""
    return cast("Within", run.config.get("partners_within", "subset"))


def settings_of(run: "RunRow", pairs: SwappedPairs, options: EstimateOptions) -> dict[str, Any]:
    """Return what else an estimate's numbers depend on; part of its key."""
    return {
        "tau": options.tau,
        "draws": pairs.rounds,
        "seed": options.seed,
        "bootstrap": options.evidence.bootstrap or RESAMPLES,
        "probe": "swap",
        "partners_within": within_of(run),
        "swap_seed": run.config.get("seed"),
        "dtype": run.config.get("dtype"),
        **chosen_of(run),
        **{name: run.environment["slice"][name] for name in run.environment.get("slice", {})},
    }


def key_of(run: "RunRow", pairs: SwappedPairs, subset: str, options: EstimateOptions) -> str:
    """Return the key under which an estimate is stored."""
    return estimate_key(
        run_key=run.run_key,
        subset=subset,
        split=options.split,
        layer=OUTPUT_LAYER,
        estimator=estimates.INTERVENTIONAL,
        settings=settings_of(run, pairs, options),
    )


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """The spectrum of samples that could be each other's partners."""

    rows: np.ndarray
    """(n,) places among the pairs' samples."""
    spectrum: InterventionalSpectrum
    steps: tuple[InterventionalSpectrum, ...]
    meanings: int
    """Different lists of options."""


def strata_of(pairs: SwappedPairs, within: Within, options: EstimateOptions) -> list[Stratum]:
    """Decompose each set of samples that could be each other's partners."""
    members: dict[tuple[str | int, ...], list[int]] = defaultdict(list)
    for row, texts in enumerate(pairs.options):
        key = stratum(
            within,
            subset=str(pairs.subsets[row]),
            split=str(pairs.splits[row]),
            options=texts,
        )
        members[key].append(row)
    found: list[Stratum] = []
    for _, places in sorted(members.items(), key=lambda item: item[1][0]):
        rows = np.array(places)
        asked = pairs.partners[:, rows] != NOBODY
        if not asked.any():
            continue
        k = int(pairs.k[rows[0]])
        inside = np.full(len(pairs.k), NOBODY)
        inside[rows] = np.arange(len(rows))
        partners = np.where(asked, inside[pairs.partners[:, rows]], 0)
        swapped = _hats(pairs.swapped[:, rows, :k], asked, options.tau)
        own = np.isfinite(pairs.full[rows, :k]).all(axis=1)
        observed = predictive(pairs.full[rows, :k], tau=options.tau).probabilities
        spectrum = estimate_interventional(
            swapped,
            partners,
            asked=asked,
            observed=observed if own.all() else None,
            resamples=options.evidence.bootstrap or RESAMPLES,
            seed=options.seed,
        )
        found.append(
            Stratum(
                rows=rows,
                spectrum=spectrum,
                steps=convergence(swapped, partners, asked=asked),
                meanings=len({pairs.options[row] for row in places}),
            )
        )
    return found


def _hats(scores: np.ndarray, asked: np.ndarray, tau: float) -> np.ndarray:
    """Return P-hat of (M, N, K) scores; uniform where a pair was not asked, which nobody reads."""
    filled = np.where(asked[..., None], scores, np.log(1 / scores.shape[2]))
    rounds, n, k = filled.shape
    return predictive(filled.reshape(rounds * n, k), tau=tau).probabilities.reshape(rounds, n, k)


def _record(
    run: "RunRow", pairs: SwappedPairs, subset: str, options: EstimateOptions
) -> SpectrumRecord:
    strata = strata_of(pairs, within_of(run), options)
    if not strata:
        raise BadOption(f"the run {run.run_key} has no swapped pairs in {subset!r}")
    weights = np.array([len(one.rows) for one in strata], dtype=np.float64)
    weights = weights / weights.sum()

    def mean(values: Sequence[float]) -> float:
        return float(weights @ np.array(values))

    spectra = [one.spectrum for one in strata]
    values = {name: mean([one.corrected[name] for one in spectra]) for name in spectra[0].corrected}
    plug_in = {name: mean([_plain(one)[name] for one in spectra]) for name in values}
    pairing = {
        name: mean([getattr(one, name) for one in spectra])
        for name in OF_THE_PAIRING
        if all(np.isfinite(one.observed_total) for one in spectra)
    }
    # Strata share no sample, so their errors are independent.
    deviation = {
        name: float(np.sqrt(sum((weights * [one.deviation[name] for one in spectra]) ** 2)))
        for name in spectra[0].deviation
        if all(name in one.deviation for one in spectra)
    }
    shown = {**values, **pairing}
    rows = np.concatenate([one.rows for one in strata])
    k = int(pairs.k[rows].max())
    valid = np.arange(k) < pairs.k[rows][:, None]
    own = np.isfinite(pairs.full[rows, 0])
    full = predictive(np.where(valid, pairs.full[rows, :k], -np.inf), valid, tau=options.tau)
    quality = answer_quality(full.probabilities[own], pairs.answers[rows][own])
    strict = float((pairs.strict_choice[rows] == pairs.answers[rows])[own].mean())
    swapped = pairs.swapped[pairs.partners != NOBODY]
    return SpectrumRecord(
        estimate_key=key_of(run, pairs, subset, options),
        run_key=run.run_key,
        model=run.model,
        family=run.family,
        benchmark=run.benchmark,
        subset=subset,
        split=options.split,
        layer=OUTPUT_LAYER,
        estimator=estimates.INTERVENTIONAL,
        n=len(pairs.sample_ids),
        candidates=k,
        **{name: values[name] for name in ATOMS},
        total=values["total"],
        information_1=values["information_1"],
        information_2=values["information_2"],
        gap_bits=mean([one.plug_in.gap for one in spectra]),
        interval={
            name: (value - NORMAL * deviation[name], value + NORMAL * deviation[name])
            for name, value in shown.items()
            if name in deviation and name in (*ATOMS, "total", *OF_THE_PAIRING)
        },
        accuracy=strict,
        accuracy_forced=quality.accuracy_forced,
        mean_confidence=quality.mean_confidence,
        calibration_error=quality.expected_calibration_error,
        accuracy_by_condition={"full": strict},
        fallback_rate={
            "full": float(full.fallback[own].mean()),
            "swap": float((np.exp(swapped).sum(axis=1) < options.tau).mean()),
        },
        settings=settings_of(run, pairs, options),
        diagnostics={
            "plug_in": plug_in,
            "deviation": deviation,
            **pairing,
            "prior_shift": mean([one.prior_shift for one in spectra]) if pairing else None,
            "missing_pairs": sum(one.missing for one in spectra),
            "strata": [len(one.rows) for one in strata],
            "convergence": [
                *_steps(strata, mean),
                {
                    "rounds": pairs.rounds,
                    "plug_in": {name: plug_in[name] for name in ATOMS},
                    "corrected": {name: values[name] for name in ATOMS},
                },
            ],
        },
        warnings=_warnings(run, strata, pairs),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _plain(spectrum: InterventionalSpectrum) -> Mapping[str, float]:
    found = spectrum.plug_in
    return {
        **found.atoms,
        "total": found.total,
        "information_1": found.information_1,
        "information_2": found.information_2,
    }


def _steps(
    strata: Sequence[Stratum], mean: Callable[[Sequence[float]], float]
) -> list[dict[str, Any]]:
    """Return the atoms after fewer rounds, over all strata; JSON values."""
    count = min(len(one.steps) for one in strata)
    return [
        {
            "rounds": strata[0].steps[step].rounds,
            "plug_in": {
                name: mean([one.steps[step].plug_in.atoms[name] for one in strata])
                for name in ATOMS
            },
            "corrected": {
                name: mean([one.steps[step].corrected[name] for one in strata]) for name in ATOMS
            },
        }
        for step in range(count)
    ]


def _warnings(run: "RunRow", strata: Sequence[Stratum], pairs: SwappedPairs) -> tuple[str, ...]:
    said: list[str] = []
    answers = str(run.config.get("candidates", "letters"))
    if any(one.meanings > 1 for one in strata) and answers.startswith("letters"):
        said.append(
            "questions offer different options, so that a letter means another answer in each, and "
            "an image alone can say little of a letter; pair within the same options "
            "(--partners-within candidates)"
        )
    if pairs.rounds < 3:
        said.append(
            f"{pairs.rounds} rounds of swaps allow no correction of their bias, which looks like "
            "redundancy; profile with --partners 8"
        )
    missing = sum(one.spectrum.missing for one in strata)
    if missing:
        said.append(f"{missing} pairs of the design could not be asked and carry no weight")
    return tuple(said)
