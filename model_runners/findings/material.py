"""What findings are read from: tasks with one spectrum per model, sizes, checkpoints, adapters.

A task is a benchmark, or a subset of one. What a task asks for, synergy or knowledge, is what a
paper says of the benchmark, else what the benchmark was built to ask, and only else what the models
measured here say; the first two are known before anything is measured.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from data_cache import adapters, estimates, queries
from data_cache.adapters import AdapterRecord
from data_cache.checkpoints import Checkpoint, checkpoint_of
from data_cache.published import published_regimes
from data_cache.queries import RunRow
from data_cache.records import SpectrumRecord
from model_runners.errors import BadOption
from model_runners.family_statistics import (
    POOLED,
    by_benchmark,
    independent,
    newest_per_model,
    with_shares,
)
from model_runners.scaling import parameters_of
from pid_core.regimes import regime

Found = TypeVar("Found")
Kind = Literal["synergy-driven", "knowledge-driven", ""]
Origin = Literal["published", "built", "measured", ""]
KINDS: tuple[Kind, ...] = ("synergy-driven", "knowledge-driven")
BUILT: Mapping[tuple[str, str], Kind] = {
    ("digits_vqa", "synergy"): "synergy-driven",
    ("digits_vqa", "vision"): "",
    ("digits_vqa", "language"): "knowledge-driven",
    ("digits_vqa", "redundant"): "",
}
"""Benchmark and subset to what its questions were made to ask; empty for neither of the two."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A benchmark, or a subset of one, with one spectrum per model."""

    name: str
    benchmark: str
    subset: str
    is_whole: bool
    """Whether it is all of the benchmark that is stored, as papers measure it."""
    kind: Kind
    """Empty where nobody knows."""
    origin: Origin
    """How the kind is known."""
    records: tuple[SpectrumRecord, ...]
    """Adapted models and checkpoints are left out."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What the cache holds of one split and estimator."""

    cache: Path
    split: str
    estimator: str
    tasks: tuple[Task, ...]
    parameters: Mapping[str, float]
    """Of each model by name, where they are known."""
    runs: tuple[RunRow, ...] = ()
    adapted: tuple[SpectrumRecord, ...] = ()
    """Newest spectra of models with an adapter, and of their bases, on the same tasks."""
    checkpoints: tuple[tuple[Checkpoint, SpectrumRecord], ...] = ()
    """Newest spectra of checkpoints on the same tasks."""
    adapters: tuple[AdapterRecord, ...] = ()
    by_family: bool = False
    """Whether intervals over models draw whole families."""
    kept: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)
    """What several findings are made of, once it was computed."""

    def once(self, name: str, make: Callable[[], Found]) -> Found:
        """Return what `make` makes, making it the first time only."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def of_kind(self, kind: Kind) -> tuple[Task, ...]:
        """Return the tasks of one kind."""
        return tuple(task for task in self.tasks if task.kind == kind)

    def groups(self, records: Sequence[SpectrumRecord]) -> list[str] | None:
        """Return what the bootstrap draws together: families, or None for single models."""
        return [record.family for record in records] if self.by_family else None


def read_material(
    cache: Path,
    *,
    benchmark: str | None = None,
    split: str = "test",
    estimator: str = "certified",
    by_family: bool = False,
) -> Material:
    """Read what findings need from a cache.

    Parameters
    ----------
    cache
        The cache folder.
    benchmark
        Its subsets are the tasks; None takes whole benchmarks, or the subsets where there is only
        one benchmark.
    split, estimator
        Of the spectra.
    by_family
        Draw whole families for intervals over models.

    Raises
    ------
    BadOption
        If nothing is stored of that benchmark.
    """
    spectra = estimates.load(cache, split=split, estimator=estimator)
    return material_of(
        cache,
        queries.runs(cache),
        spectra,
        adapters=adapters.adapters(cache),
        benchmark=settled(cache, spectra, benchmark, split=split, estimator=estimator),
        split=split,
        estimator=estimator,
        by_family=by_family,
    )


def settled(
    cache: Path,
    spectra: Iterable[SpectrumRecord],
    benchmark: str | None,
    *,
    split: str,
    estimator: str,
) -> str | None:
    """Return the benchmark whose subsets are the tasks; None takes whole benchmarks.

    Where there is only one benchmark, it is that one.

    Raises
    ------
    BadOption
        If nothing is stored of the one that was asked for.
    """
    known = sorted({record.benchmark for record in spectra})
    if benchmark is not None and benchmark not in known:
        there = f"there are {', '.join(known)}" if known else "estimate spectra first"
        raise BadOption(
            f"no spectrum of {benchmark!r} with split {split} and estimator {estimator} is in "
            f"{cache}; {there}"
        )
    return known[0] if benchmark is None and len(known) == 1 else benchmark


def material_of(
    cache: Path,
    runs: Sequence[RunRow],
    spectra: Iterable[SpectrumRecord],
    *,
    split: str,
    estimator: str,
    adapters: Sequence[AdapterRecord] = (),
    benchmark: str | None = None,
    by_family: bool = False,
    kinds: Mapping[tuple[str, str], tuple[Kind, Origin]] | None = None,
) -> Material:
    """Arrange what was read; parameters as in `read_material`.

    Parameters
    ----------
    kinds
        Benchmark and subset to what is known of a task's kind; None finds it out, see `kind_of`.
    """
    of_run = {run.run_key: checkpoint_of(run.config) for run in runs}
    fitting = [
        record
        for record in spectra
        if (record.split, record.estimator, record.layer) == (split, estimator, -1)
    ]
    if benchmark is not None:
        fitting = [record for record in fitting if record.benchmark == benchmark]
    plain = [record for record in fitting if of_run.get(record.run_key) is None]
    trained = [record for record in fitting if of_run.get(record.run_key) is not None]
    grouped = _by_task(plain, benchmark)
    tasks: list[Task] = []
    for (of_benchmark, subset), records in grouped.items():
        members = tuple(independent(records))
        is_whole = benchmark is None or subset == POOLED
        if kinds is not None and (of_benchmark, subset) in kinds:
            kind, origin = kinds[of_benchmark, subset]
        else:
            kind, origin = kind_of(of_benchmark, subset, members, is_whole=is_whole)
        tasks.append(
            Task(
                name=of_benchmark if benchmark is None else subset,
                benchmark=of_benchmark,
                subset=subset,
                is_whole=is_whole,
                kind=kind,
                origin=origin,
                records=members,
            )
        )
    of_checkpoints = [
        (checkpoint, record)
        for records in _by_task(trained, benchmark).values()
        for record in records
        if (checkpoint := of_run[record.run_key]) is not None
    ]
    return Material(
        cache=cache,
        split=split,
        estimator=estimator,
        tasks=tuple(tasks),
        parameters=parameters_of(runs),
        runs=tuple(run for run in runs if of_run[run.run_key] is None),
        adapted=tuple(record for records in grouped.values() for record in records),
        checkpoints=tuple(of_checkpoints),
        adapters=tuple(adapters),
        by_family=by_family,
    )


def kind_of(
    benchmark: str, subset: str, records: Sequence[SpectrumRecord], *, is_whole: bool
) -> tuple[Kind, Origin]:
    """Return what a task asks for and how that is known.

    >>> kind_of("mmbench", "all", [], is_whole=True)
    ('synergy-driven', 'published')
    >>> kind_of("digits_vqa", "language", [], is_whole=False)
    ('knowledge-driven', 'built')
    """
    if is_whole:
        said = {one.regime for one in published_regimes(benchmark)}
        for kind in KINDS:
            if said == {kind}:
                return kind, "published"
    built = BUILT.get((benchmark, subset))
    if built is not None:
        return built, "built"
    members = with_shares(records)
    found = regime(
        [record.synergy / record.total for record in members],
        [record.unique_2 / record.total for record in members],
    ).statement
    for kind in KINDS:
        if found == kind:
            return kind, "measured"
    return "", ""


def _by_task(
    records: Sequence[SpectrumRecord], benchmark: str | None
) -> dict[tuple[str, str], list[SpectrumRecord]]:
    """Return the newest spectrum of each model by benchmark and subset."""
    if benchmark is None:
        # Which split and estimator was settled before.
        any_one = records[0] if records else None
        if any_one is None:
            return {}
        whole = by_benchmark(records, split=any_one.split, estimator=any_one.estimator)
        return {(name, own[0].subset): own for name, own in whole.items()}
    subsets = sorted({record.subset for record in records})
    if len(subsets) > 1:
        subsets = [subset for subset in subsets if subset != POOLED]
    return {
        (benchmark, subset): newest_per_model(
            record for record in records if record.subset == subset
        )
        for subset in subsets
    }
