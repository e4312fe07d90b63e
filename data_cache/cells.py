"""What stands in each cell of models by benchmarks: which run, how far, and what is wrong with it.

A cell may have several runs, with other settings each. The one with most samples speaks for it, the
newest of those that have as many.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from data_cache.coverage import RunCoverage
from data_cache.jobs import JobRow
from data_cache.plan import OUTPUT_LAYER
from data_cache.queries import RunRow
from data_cache.records import SpectrumRecord
from data_cache.samples import SPLITS, Split

Spectra = Literal["none", "behind", "current"]
"""`behind`: estimated from fewer samples than are measured now."""
Work = Literal["", "running", "stopped"]
"""`stopped`: cancelled, failed or lost before all was done that it was asked for."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One model on one benchmark; counts are samples."""

    model: str
    family: str
    benchmark: str
    run_key: str = ""
    """The run that speaks for the cell; empty where there is none."""
    runs: int = 0
    """How many runs the cell has."""
    measured: int = 0
    by_split: Mapping[Split, int]
    """Of which splits they are, as far as it is known."""
    of: Mapping[Split, int]
    """How many samples of a split the benchmark has, or at least how many are known of it."""
    is_whole: bool = False
    """That many it has, not only at least."""
    inner_layers: int = 0
    """Layers read through the logit lens."""
    layers_with_spectra: int = 0
    spectra: Spectra = "none"
    estimates: int = 0
    """Spectra of the model's own output."""
    splits_with_spectra: tuple[str, ...] = ()
    other_edition: bool = False
    """Its benchmark has other samples than that of the newest run on a benchmark of this name."""
    imported: bool = False
    work: Work = ""

    @property
    def split(self) -> Split | None:
        """The split that counts: the test split where the benchmark has one; None if unknown."""
        if not sum(self.by_split.values()):
            return None
        return "test" if self.of["test"] else "train"

    @property
    def share(self) -> float:
        """How much of the split that counts is measured, 0 to 1; 1 where it is not known."""
        if self.split is None:
            return float(self.measured > 0)
        return min(self.by_split[self.split] / max(self.of[self.split], 1), 1.0)

    @property
    def is_partial(self) -> bool:
        """Whether samples of the split that counts are not measured."""
        return self.measured > 0 and self.share < 1


def cells(
    runs: Iterable[RunRow],
    covered: Mapping[str, RunCoverage],
    spectra: Iterable[SpectrumRecord],
    jobs: Iterable[JobRow] = (),
) -> list[Cell]:
    """Return every model on every benchmark of the cache, measured or not, by their names.

    Parameters
    ----------
    runs
        All runs.
    covered
        What is held of each, by its key; a run that is not in it counts with its samples alone.
    spectra
        All estimates of models' own outputs.
    jobs
        The jobs, the last started first.
    """
    held: dict[tuple[str, str], list[RunRow]] = defaultdict(list)
    for run in runs:
        held[run.model, run.benchmark].append(run)
    everything = [run for members in held.values() for run in members]
    newest = {run.benchmark: run for run in sorted(everything, key=lambda run: run.ingested_at)}
    families = {run.model: run.family for run in everything}
    sizes = _sizes(everything, covered)
    made: dict[str, list[SpectrumRecord]] = defaultdict(list)
    for record in spectra:
        made[record.run_key].append(record)
    work = _work(jobs)
    found: list[Cell] = []
    for model, family in sorted(families.items()):
        for benchmark in sorted(newest):
            members = held.get((model, benchmark), [])
            of, is_whole = sizes[newest[benchmark].benchmark_key]
            nothing = dict.fromkeys(SPLITS, 0)
            cell = Cell(
                model=model,
                family=family,
                benchmark=benchmark,
                by_split=nothing,
                of=of,
                is_whole=is_whole,
                runs=len(members),
                work=work.get((model, benchmark), ""),
            )
            if members:
                run = max(members, key=lambda one: (one.n_samples, one.ingested_at))
                of, is_whole = sizes[run.benchmark_key]
                cell = replace(
                    _with_run(cell, run, covered.get(run.run_key), made.get(run.run_key, ())),
                    of=of,
                    is_whole=is_whole,
                    other_edition=run.benchmark_key != newest[benchmark].benchmark_key,
                )
            found.append(cell)
    return found


def _with_run(
    cell: Cell, run: RunRow, held: RunCoverage | None, records: Sequence[SpectrumRecord]
) -> Cell:
    by_split: dict[Split, int] = {split: held.by_split[split] if held else 0 for split in SPLITS}
    return replace(
        cell,
        run_key=run.run_key,
        measured=run.n_samples,
        by_split=by_split,
        inner_layers=sum(layer != OUTPUT_LAYER for layer in run.layers),
        layers_with_spectra=held.layers_with_spectra if held else 0,
        spectra=_standing(records, run.n_samples, by_split),
        estimates=held.spectra if held else len(records),
        splits_with_spectra=tuple(sorted({record.split for record in records})),
        imported="imported" in run.config,
    )


def _standing(
    records: Iterable[SpectrumRecord], measured: int, by_split: Mapping[Split, int]
) -> Spectra:
    """Tell whether the spectra of a run took all of its samples."""
    taken: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for record in records:
        # Estimates by subset and the pooled one of the same question. There are thousands, for
        # which checked JSON would take a tenth of a second.
        settings = json.dumps(record.settings, sort_keys=True)
        kind = (record.split, record.estimator, settings)
        taken[kind][record.subset] = record.n
    if not taken:
        return "none"
    most: dict[str, int] = defaultdict(int)
    for (split, *_), subsets in taken.items():
        n = subsets.get("all", sum(subsets.values()))
        most[split] = max(most[split], n)
    there = {**by_split, "all": measured}
    behind = all(n < there[split] for split, n in most.items() if split in there)
    return "behind" if behind else "current"


def _sizes(
    runs: Iterable[RunRow], covered: Mapping[str, RunCoverage]
) -> dict[str, tuple[dict[Split, int], bool]]:
    """Return how many samples each benchmark key has by split, and whether that is all of them."""
    found: dict[str, tuple[dict[Split, int], bool]] = {}
    for run in runs:
        of: dict[Split, int]
        of, is_whole = found.get(run.benchmark_key, (dict.fromkeys(SPLITS, 0), False))
        told: dict[str, int] | None = run.environment.get("benchmark_samples")
        if told is not None:
            of = {split: int(told.get(split, 0)) for split in SPLITS}
            is_whole = True
        elif run.run_key in covered:
            known = covered[run.run_key].known
            of = {split: max(of[split], known[split]) for split in SPLITS}
        found[run.benchmark_key] = (of, is_whole)
    return found


def _work(jobs: Iterable[JobRow]) -> dict[tuple[str, str], Work]:
    """Return what the last started job of a model and a benchmark is about."""
    found: dict[tuple[str, str], Work] = {}
    for job in jobs:
        if job.kind != "profile":
            continue
        model = job.result.get("model", job.request.get("model"))
        key = (str(model), str(job.request.get("benchmark")))
        if key in found:
            continue
        if job.is_active and job.pid is not None:
            found[key] = "running"
        elif job.state in {"cancelled", "failed", "lost"}:
            found[key] = "stopped"
        else:
            found[key] = ""
    return found
