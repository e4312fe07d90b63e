"""From stored predictions to stored spectra: choose a run, form P-hat, estimate, score, save."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from data_cache import estimates, queries
from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice
from data_cache.conditions import Condition
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import ATOMS, INFLUENCES, SCORES, SpectrumRecord, estimate_key
from model_runners.benchmark_choice import arguments_of
from model_runners.certainty import Detail, Evidence, intervals_of, measure
from model_runners.circular import circular_accuracy
from model_runners.conditioning import conditions_of, given_of
from model_runners.errors import BadOption
from model_runners.training_samples import training_samples
from pid_core import (
    AnswerQuality,
    Channels,
    Diagnostics,
    Marginals,
    Pointwise,
    RawScores,
    Spectrum,
    answer_quality,
    estimate_over_draws,
    fusion_scores,
)
from pid_core.conditional import Conditions
from pid_core.problem import OfDraws
from pid_core.registry import ON_FEATURES, TRAINED

if TYPE_CHECKING:
    from data_cache.queries import Predictions, RunRow

By = Literal["subset", "none"]

OVERCONFIDENCE = 0.15
"""How much a probe's mean confidence may exceed its accuracy before a reader is told."""


@dataclass(frozen=True, kw_only=True)
class EstimateOptions:
    """What a person can choose about an estimate; all but `by` and `layers` is part of its key."""

    estimator: str = "certified"
    split: str = "test"
    """`train`, `test` or `all`."""
    by: By = "subset"
    """One spectrum per subset, or one for all samples."""
    subset: str | None = None
    layer: int = OUTPUT_LAYER
    """-1 is the model's own output."""
    layers: bool = False
    """The model's own output and every layer that the run has, instead of one layer."""
    tau: float = 0.3
    """Candidates' mass below which a prediction counts as uniform (Xiu26 eq. 5)."""
    draws: int | None = None
    """How many of the run's draws to use; None takes all."""
    limit: int | None = None
    """Only the first N samples of each spectrum."""
    marginals: Marginals = "calibrate"
    pointwise: Pointwise = "own"
    seed: int = 0
    clusters: int = 64
    """Codes per source, for estimators on embeddings; no part of the others' keys."""
    given: str | None = None
    """What the atoms are conditioned on: `question`, `subset` or an entry of the samples' meta, as
    `template`; None is as usual (`conditioning.given_of`), and `nothing` does not condition."""
    evidence: Evidence = field(default_factory=Evidence)
    """What is measured beside it."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is read."""
        if not 0 <= self.tau <= 1:
            raise BadOption(f"tau is a probability, not {self.tau}")
        if self.by not in {"subset", "none"}:
            raise BadOption(f"spectra are made by subset or by none, not by {self.by!r}")
        if self.layers and self.layer != OUTPUT_LAYER:
            raise BadOption(f"either every layer or layer {self.layer} can be asked for, not both")
        for name, value in (("draws", self.draws), ("limit", self.limit)):
            if value is not None and value < 1:
                raise BadOption(f"{name} must be 1 or more, not {value}")


def choose_run(cache: Path, *, model: str, benchmark: str, run_key: str | None = None) -> "RunRow":
    """Return the newest run of a model on a benchmark, or the one with a given key.

    Raises
    ------
    BadOption
        If there is none; the message says how to make one.
    """
    benchmark = BenchmarkChoice(name=benchmark).title  # of a file of one's own, its name
    runs = queries.runs(cache)
    found = [run for run in runs if run.model == model and run.benchmark == benchmark]
    if run_key is not None:
        found = [run for run in found if run.run_key.startswith(run_key)]
    if not found:
        there = sorted({f"{run.model} on {run.benchmark}" for run in runs})
        raise BadOption(
            f"the cache {cache} has no run of {model!r} on {benchmark!r}"
            + (f" with key {run_key}" if run_key else "")
            + (f"; it has {', '.join(there)}" if there else "")
            + f"; {how_to_get(model, benchmark)}"
        )
    return max(found, key=lambda run: run.ingested_at)


def how_to_get(model: str, benchmark: str) -> str:
    """Return the command that puts a run into the cache."""
    if model.startswith("demo/"):
        return "load the shipped one with: python -m model_runners demo load"
    is_known = BenchmarkChoice(name=benchmark).base in BENCHMARKS
    return (
        f"make one with: python -m model_runners profile --model {model} "
        f"--benchmark {benchmark if is_known else 'FILE'}"
    )


def estimate_run(
    cache: Path,
    run: "RunRow",
    options: EstimateOptions,
    *,
    progress: Callable[[int, int], None] | None = None,
    detail: Detail | None = None,
    reuse: bool = False,
) -> "list[SpectrumRecord]":
    """Estimate the spectra of a run and store them with their pointwise rows.

    Parameters
    ----------
    cache
        The cache folder.
    run
        A row of `choose_run`.
    options
        How to estimate.
    progress
        Called with spectra done and in all.
    detail
        Told of the repetitions within one spectrum that its evidence takes.
    reuse
        Take a stored estimate of the same question and the same number of samples as it is: a run
        only ever grows, and what a sample's predictions are never changes.

    Raises
    ------
    BadOption
        If every layer is asked for and the run has none.
    PidError
        If the estimator refuses the predictions; the layers before are kept.
    """
    options = replace(options, given=given_of(cache, run, options))
    layers = layers_of(run) if options.layers else (options.layer,)
    subsets = [options.subset or "all"]
    if options.by == "subset" and options.subset is None:
        everything = queries.predictions(cache, run.run_key, split=options.split, layer=layers[0])
        subsets = sorted(set(everything.subsets.tolist()))
    records: list[SpectrumRecord] = []
    for layer in layers:
        pairs: list[tuple[SpectrumRecord, Any]] = []
        for subset in subsets:
            part = queries.predictions(
                cache,
                run.run_key,
                split=options.split,
                subset=None if subset == "all" else subset,
                layer=layer,
                limit=options.limit,
                draws=options.draws,
                features=options.estimator in ON_FEATURES | TRAINED,
            )
            train = training_samples(
                cache,
                run,
                options.estimator,
                subset=None if subset == "all" else subset,
                layer=layer,
                draws=options.draws,
                tau=options.tau,
            )
            one = replace(options, layer=layer, layers=False)
            told = conditions_of(cache, run, part, one)
            key = key_of(run, part, subset, one, train)
            stored = estimates.find(cache, key) if reuse else None
            if stored is not None and _asked_about(stored) == len(part.sample_ids):
                records.append(stored)
            else:
                pairs.append(estimate_part(run, part, subset, one, train, told, detail=detail))
            if progress is not None:
                progress(len(records) + len(pairs), len(layers) * len(subsets))
        if pairs:
            estimates.save_all(cache, pairs)
        records += [record for record, _ in pairs]
    return records


def _asked_about(record: SpectrumRecord) -> int:
    """Return how many samples an estimate was asked about, those it left out included."""
    return record.n + int(record.diagnostics.get("left_out", 0))


def settings_of(
    run: "RunRow",
    part: "Predictions",
    options: EstimateOptions,
    train: Channels | None = None,
) -> dict[str, Any]:
    """Return what else an estimate's numbers depend on; part of its key."""
    trained = options.estimator in TRAINED
    return {
        "tau": options.tau,
        "draws": part.draws,
        "marginals": options.marginals,
        "pointwise": options.pointwise,
        "seed": options.seed,
        "limit": options.limit,
        "noise_seed": run.config.get("seed"),
        "mask_scope": run.config.get("mask_scope"),
        "probe": run.config.get("probe"),
        "dtype": run.config.get("dtype"),
        **chosen_of(run),
        **({"imported": run.config["imported"]} if "imported" in run.config else {}),
        **({"given": options.given} if options.given else {}),
        **({"clusters": options.clusters} if options.estimator in ON_FEATURES else {}),
        **({"features_layer": part.features_layer} if part.features_layer != OUTPUT_LAYER else {}),
        **({"trained_on": 0 if train is None else train.n_samples} if trained else {}),
        **options.evidence.settings(),
    }


def chosen_of(run: "RunRow") -> dict[str, Any]:
    """Return what a run was asked to do otherwise than runs usually do, by the option's name."""
    answers = str(run.config.get("candidates", "letters"))
    chosen = {
        "answers": None if answers.startswith("letters") else answers,
        "sources": run.config.get("sources"),
        "pooling": run.config.get("pooling"),
        "image_size": run.config.get("image_size"),
        "split_policy": run.config.get("split_policy"),
        "circular": run.config.get("circular"),
        "frames": run.config.get("frames"),
        "template": run.config.get("template_text"),
        "lens": None if run.config.get("lens") is None else f"tuned {run.config['lens'][:6]}",
    }
    return {name: value for name, value in chosen.items() if value is not None}


def key_of(
    run: "RunRow",
    part: "Predictions",
    subset: str,
    options: EstimateOptions,
    train: Channels | None = None,
) -> str:
    """Return the key under which an estimate is stored."""
    return estimate_key(
        run_key=run.run_key,
        subset=subset,
        split=options.split,
        layer=options.layer,
        estimator=options.estimator,
        settings=settings_of(run, part, options, train),
    )


def layers_of(run: "RunRow") -> tuple[int, ...]:
    """Return the layers that every sample of a run has, the model's own output (-1) first.

    Raises
    ------
    BadOption
        If not every sample of the run was profiled through the logit lens.
    """
    if not any(layer != OUTPUT_LAYER for layer in run.layers):
        raise BadOption(
            f"the run {run.run_key} of {run.model!r} on {run.benchmark!r} has samples without "
            f"layers; add them with: python -m model_runners profile --model {run.model} "
            f"{arguments_of(run.benchmark, run.environment)} --layers"
        )
    return tuple(sorted(run.layers))


def estimate_part(
    run: "RunRow",
    part: "Predictions",
    subset: str,
    options: EstimateOptions,
    train: Channels | None = None,
    told: Conditions | None = None,
    *,
    detail: Detail | None = None,
) -> "tuple[SpectrumRecord, Any]":
    """Estimate one spectrum; returns the record and its pointwise rows as an Arrow table.

    Samples that an estimator leaves out (``batch_reference`` does) have no row, and `n` counts
    those that it evaluated.
    """
    import pyarrow as pa

    scores = RawScores(
        full=part.scores[Condition.FULL],
        only_1=part.scores[Condition.ONLY_1],
        only_2=part.scores[Condition.ONLY_2],
        neither=part.scores.get(Condition.NEITHER),
        valid=part.valid,
        group_id=part.group_ids,
        condition=None if told is None else told.member,
    )
    settings: dict[str, Any] = {
        "estimator": options.estimator,
        "marginals": options.marginals,
        "pointwise": options.pointwise,
        "seed": options.seed,
        "features_1": part.features_1,
        "features_2": part.features_2,
        "clusters": options.clusters,
        "train": train,
    }
    spectrum, measured = measure(
        estimate_over_draws(scores, tau=options.tau, **settings),
        scores,
        OfDraws.of_scores(scores, tau=options.tau, **settings),
        options.evidence,
        tau=options.tau,
        seed=options.seed,
        detail=detail,
    )
    if told is not None:
        spectrum = _under(spectrum, told)
    hats = {name: hat.mean() for name, hat in scores.predict(options.tau).items()}
    fusion = fusion_scores(
        spectrum,
        Channels(full=hats["full"], only_1=hats["only_1"], only_2=hats["only_2"], valid=part.valid),
    )
    table = pa.table(
        {
            "sample_id": part.sample_ids.tolist(),
            **{name: spectrum.pointwise[:, column] for column, name in enumerate(ATOMS)},
            **{name: getattr(fusion, name) for name in SCORES},
            **{name: spectrum.influence[:, column] for column, name in enumerate(INFLUENCES)},
        }
    )
    evaluated = np.isfinite(spectrum.pointwise[:, 0])
    if not evaluated.all():
        measured = {**measured, "left_out": int(np.sum(~evaluated))}
    record = _record(run, part, subset, options, train, hats, spectrum, measured)
    return record, table.filter(evaluated)


def _under(spectrum: Spectrum, told: Conditions) -> Spectrum:
    """Say in the diagnostics what a spectrum is conditioned on."""
    counts = np.bincount(told.member, minlength=len(told.labels)).tolist()
    diagnostics = replace(
        spectrum.diagnostics,
        conditions=dict(zip(told.labels, counts, strict=True)),
        warnings=(*told.warnings, *spectrum.diagnostics.warnings),
    )
    return replace(spectrum, diagnostics=diagnostics)


def strict_accuracy(part: "Predictions", condition: Condition) -> float:
    """Share of predictions whose first token spells the right letter, over samples and draws."""
    return float((part.strict_choice[condition] == part.answers[:, None]).mean())


def _record(
    run: "RunRow",
    part: "Predictions",
    subset: str,
    options: EstimateOptions,
    train: Channels | None,
    hats: "Mapping[str, np.ndarray]",
    spectrum: Spectrum,
    measured: "Mapping[str, Any]",
) -> "SpectrumRecord":
    strict = {condition: strict_accuracy(part, condition) for condition in part.scores}
    qualities = {name: answer_quality(hat, part.answers) for name, hat in hats.items()}
    quality = qualities["full"]
    diagnostics = plain(spectrum.diagnostics) | dict(measured)
    diagnostics["confidence"] = {name: found.mean_confidence for name, found in qualities.items()}
    diagnostics["accuracy_forced"] = {
        name: found.accuracy_forced for name, found in qualities.items()
    }
    circular = circular_accuracy(run.config, part)
    if circular is not None:
        diagnostics["circular"] = {
            "questions": circular.questions,
            "left_out": circular.left_out,
        }
    shift = (
        strict[Condition.FULL] - strict[Condition.NO_IMAGE]
        if Condition.NO_IMAGE in strict
        else None
    )
    return SpectrumRecord(
        estimate_key=key_of(run, part, subset, options, train),
        run_key=run.run_key,
        model=run.model,
        family=run.family,
        benchmark=run.benchmark,
        subset=subset,
        split=options.split,
        layer=options.layer,
        estimator=options.estimator,
        n=len(part.sample_ids) - int(measured.get("left_out", 0)),
        candidates=int(part.valid.sum(1).max()),
        redundancy=spectrum.redundancy,
        unique_1=spectrum.unique_1,
        unique_2=spectrum.unique_2,
        synergy=spectrum.synergy,
        total=spectrum.total,
        information_1=spectrum.information_1,
        information_2=spectrum.information_2,
        gap_bits=spectrum.diagnostics.gap_bits,
        interval=intervals_of(spectrum),
        accuracy=strict[Condition.FULL],
        circular_accuracy=None if circular is None else circular.accuracy,
        accuracy_forced=quality.accuracy_forced,
        d_vision=shift,
        mean_confidence=quality.mean_confidence,
        calibration_error=quality.expected_calibration_error,
        accuracy_by_condition={str(condition): value for condition, value in strict.items()},
        fallback_rate=diagnostics["fallback_rate"],
        noise_floor_bits=spectrum.diagnostics.noise_floor_bits,
        settings=settings_of(run, part, options, train),
        diagnostics=diagnostics,
        warnings=(*overconfident_probes(qualities), *spectrum.diagnostics.warnings),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def overconfident_probes(qualities: Mapping[str, AnswerQuality]) -> list[str]:
    """Say which probe is sure of more than it knows.

    An ideal probe is a posterior: as sure as it is right. One that answers noise with confidence
    carries information about its own answers and none about the question, and the decomposition
    cannot tell the two apart (docs/findings.md shows 1 bit of redundancy made in this way).
    """
    found: list[str] = []
    for source, name in ((1, "only_1"), (2, "only_2")):
        quality = qualities[name]
        if quality.mean_confidence - quality.accuracy_forced > OVERCONFIDENCE:
            found.append(
                f"source {source} alone is sure of more than it knows (mean confidence "
                f"{quality.mean_confidence:.2f}, right in {quality.accuracy_forced:.2f} of the "
                "samples): part of its information is about its own answers only, which inflates "
                "redundancy and unique information at the cost of synergy"
            )
    return found


def plain(diagnostics: Diagnostics) -> dict[str, Any]:
    """Return the diagnostics as JSON values; how long a step took is no result, so no trace."""
    names = [field.name for field in fields(diagnostics) if field.name != "trace"]
    values = {name: getattr(diagnostics, name) for name in names}
    return {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()
    }
