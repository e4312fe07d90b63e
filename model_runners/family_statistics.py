"""What the models of a task say together: correlations, mean shares, regimes, stable strategies.

Pure functions of records. A model stands for itself once per task: adapted models are left out,
because they are no independent ones, and so are records whose total is too small to have shares.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

from data_cache.records import SpectrumRecord
from pid_core.association import Association, Correction, adjusted, spearman
from pid_core.regimes import Regime, medians, regime, stability

POOLED = "all"
"""The subset name of a whole benchmark."""
SMALLEST_TOTAL = 0.01
"""Bits. Below it a share is noise divided by noise."""

PARTS: Mapping[str, Callable[[SpectrumRecord], float]] = {
    "redundancy": lambda record: record.redundancy,
    "unique_1": lambda record: record.unique_1,
    "unique_2": lambda record: record.unique_2,
    "synergy": lambda record: record.synergy,
    "total": lambda record: record.total,
    "coinformation": lambda record: record.redundancy - record.synergy,
}
"""What is correlated with an outcome, bits: the atoms, I(X1,X2;Y) and I(X1;X2;Y) = R - S."""

OUTCOMES: Mapping[str, Callable[[SpectrumRecord], float | None]] = {
    "accuracy": lambda record: record.accuracy,
    "accuracy_forced": lambda record: record.accuracy_forced,
    "d_vision": lambda record: record.d_vision,
}


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """One cell of the table."""

    outcome: str
    part: str
    found: Association
    adjusted_p: float
    """Corrected over all cells of the table; nan where there is no p-value."""


@dataclass(frozen=True, kw_only=True)
class TaskShares:
    """What a benchmark, or a subset of one, asks of models."""

    task: str
    found: Regime
    records: tuple[SpectrumRecord, ...]
    """One per model."""


@dataclass(frozen=True, kw_only=True)
class Strategies:
    """What families do under each of the two regimes."""

    synergy: dict[str, dict[str, float]]
    """Regime to family to median synergy, in the unit of the values."""
    unique_2: dict[str, dict[str, float]]
    models: dict[str, dict[str, int]]
    """Regime to family to how many models the median is over."""
    synergy_stability: Association
    """Over families, between the regimes."""
    unique_2_stability: Association


def independent(records: Iterable[SpectrumRecord]) -> list[SpectrumRecord]:
    """Leave adapted models (`base+adapter`) out.

    They share nearly all weights with their base: counted beside it, one model speaks twice.
    """
    return [record for record in records if "+" not in record.model]


def with_shares(records: Iterable[SpectrumRecord]) -> list[SpectrumRecord]:
    """Keep the records whose total is large enough to have shares."""
    return [record for record in records if record.total >= SMALLEST_TOTAL]


def correlations(
    records: Sequence[SpectrumRecord],
    *,
    correction: Correction = "holm",
    by_family: bool = False,
    seed: int = 0,
) -> list[Correlation]:
    """Correlate each outcome with each part over models, 18 cells, outcome by outcome.

    Parameters
    ----------
    records
        Of one task, one per model; adapted ones do not count.
    correction
        How p-values are corrected over the cells.
    by_family
        Draw whole families in the bootstrap.
    seed
        Of the bootstrap.
    """
    members = independent(records)
    families = [record.family for record in members] if by_family else None
    cells = [
        (
            outcome,
            part,
            spearman(
                [part_of(record) for record in members],
                [_or_nan(outcome_of(record)) for record in members],
                groups=families,
                seed=seed,
            ),
        )
        for outcome, outcome_of in OUTCOMES.items()
        for part, part_of in PARTS.items()
    ]
    corrected = adjusted([found.p_value for _, _, found in cells], correction)
    return [
        Correlation(outcome=outcome, part=part, found=found, adjusted_p=float(p))
        for (outcome, part, found), p in zip(cells, corrected, strict=True)
    ]


def task_shares(
    tasks: Mapping[str, Sequence[SpectrumRecord]], *, by_family: bool = False, seed: int = 0
) -> list[TaskShares]:
    """Return mean shares of synergy and unique language over the models of each task.

    Parameters
    ----------
    tasks
        Name to records, one per model.
    by_family, seed
        As in `correlations`.
    """
    found: list[TaskShares] = []
    for task, records in tasks.items():
        members = with_shares(independent(records))
        found.append(
            TaskShares(
                task=task,
                found=regime(
                    [record.synergy / record.total for record in members],
                    [record.unique_2 / record.total for record in members],
                    groups=[record.family for record in members] if by_family else None,
                    seed=seed,
                ),
                records=tuple(members),
            )
        )
    return found


def strategies(
    tasks: Sequence[TaskShares], *, shares: bool = False, seed: int = 0
) -> Strategies | None:
    """Return family medians under each regime; None where tasks of only one regime are there.

    Parameters
    ----------
    tasks
        Undecided ones count for neither.
    shares
        Medians of shares in per cent, instead of bits.
    """
    synergy: dict[str, dict[str, float]] = {}
    unique_2: dict[str, dict[str, float]] = {}
    models: dict[str, dict[str, int]] = {}
    for name in ("synergy-driven", "knowledge-driven"):
        records = [
            record for task in tasks if task.found.statement == name for record in task.records
        ]
        if not records:
            return None
        rows = [
            [
                (100.0 / record.total if shares else 1.0) * value
                for value in (record.synergy, record.unique_2)
            ]
            for record in records
        ]
        middle = medians(rows, [record.family for record in records])
        synergy[name] = {family: float(row[0]) for family, row in middle.items()}
        unique_2[name] = {family: float(row[1]) for family, row in middle.items()}
        models[name] = {
            family: len({record.model for record in records if record.family == family})
            for family in middle
        }
    return Strategies(
        synergy=synergy,
        unique_2=unique_2,
        models=models,
        synergy_stability=stability(*synergy.values(), seed=seed),
        unique_2_stability=stability(*unique_2.values(), seed=seed),
    )


def by_benchmark(
    records: Iterable[SpectrumRecord], *, split: str, estimator: str
) -> dict[str, list[SpectrumRecord]]:
    """Return the newest pooled spectrum of each model on each benchmark, by benchmark.

    A benchmark whose models have no pooled spectrum, but one subset in all, stands with that one.
    """
    here: dict[str, list[SpectrumRecord]] = {}
    for record in records:
        if (record.split, record.estimator, record.layer) == (split, estimator, -1):
            here.setdefault(record.benchmark, []).append(record)
    found: dict[str, list[SpectrumRecord]] = {}
    for benchmark in sorted(here):
        subsets = {record.subset for record in here[benchmark]}
        only = POOLED if POOLED in subsets else next(iter(subsets)) if len(subsets) == 1 else None
        own = [record for record in here[benchmark] if record.subset == only]
        if own:
            found[benchmark] = newest_per_model(own)
    return found


def newest_per_model(records: Iterable[SpectrumRecord]) -> list[SpectrumRecord]:
    """Keep the newest record of each model, in the order of their first appearance."""
    newest: dict[str, SpectrumRecord] = {}
    for record in records:
        known = newest.get(record.model)
        if known is None or (record.created, record.estimate_key) > (
            known.created,
            known.estimate_key,
        ):
            newest[record.model] = record
    return list(newest.values())


def _or_nan(value: float | None) -> float:
    return nan if value is None else value
