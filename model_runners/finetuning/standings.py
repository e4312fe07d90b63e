"""Whether strategies answer the same test questions better than the base, and than uniform.

Two questions, and two answers to each. Would the same questions come out alike with other seeds?
Student's interval over the seeds says that. Would other questions come out alike with these very
adapters? An exact paired test over the questions says that (pid_core.sign_flip): it takes each
question of one adapter against the same question of the other, groups of questions together, the
seeds of a question together, so that neither copies nor seeds count as more questions. A paired
bootstrap by group would say nearly the same with a few thousand draws; the flips are exact for few
differing answers, which is where it matters, and are McNemar's test in the plain case.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data_cache.adapters import AdapterRecord, Measured
from data_cache.records import SpectrumRecord
from data_cache.sample_rows import SampleRows, sample_rows
from model_runners.finetuning.study import BASE, BASELINE
from pid_core.repeats import Repeated, repeated
from pid_core.sign_flip import SignFlip, sign_flip

POOLED = "all"
"""The subset of an estimate over a whole benchmark."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the adapters of one strategy came to on the same test questions."""

    strategy: str
    """`study.BASE` for the base itself."""
    seeds: tuple[int, ...]
    n: int
    """Test questions that all of them answered."""
    accuracy: Repeated
    """Share of right answers, over the seeds."""
    by_seed: tuple[float, ...] = ()
    """The same of each seed, in the order of `seeds`."""
    moved_by_seed: tuple[tuple[int, int], ...] = ()
    """Of each seed, questions that went from wrong at the base to right, and from right to wrong.
    """
    minus_base: Repeated | None = None
    """Difference in that share, over the seeds; None for the base."""
    over_base: SignFlip | None = None
    """The same over the questions."""
    minus_uniform: Repeated | None = None
    """Over the seeds that both have; None for the base, for uniform, and where there are none."""
    over_uniform: SignFlip | None = None
    adjusted_p: float | None = None
    """p-value of `over_uniform`, by Holm over the strategies that were compared with it."""
    always_won: int = 0
    """Questions that the base has wrong, and every seed right."""
    always_lost: int = 0
    """The other way round."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Which test questions a run has right."""

    positions: np.ndarray
    """(N,) places in the benchmark, rising."""
    groups: np.ndarray
    """(N,)"""
    right: np.ndarray
    """(N,) 0 or 1."""


def on_benchmark(adapter: AdapterRecord, benchmark: str) -> AdapterRecord | None:
    """Return an adapter with its runs of before and after on a benchmark; None if it has none."""
    found = next((one for one in adapter.measured if one.benchmark == benchmark), None)
    if found is None and adapter.benchmark == benchmark:
        if adapter.base_run_key is None or adapter.run_key is None:
            return None
        found = Measured(
            benchmark=benchmark, base_run_key=adapter.base_run_key, run_key=adapter.run_key
        )
    if found is None:
        return None
    return replace(
        adapter, benchmark=benchmark, base_run_key=found.base_run_key, run_key=found.run_key
    )


def newest_by_subset(run_key: str, spectra: Iterable[SpectrumRecord]) -> dict[str, str]:
    """Return the keys of a run's newest test estimates by subset; the pooled one if it is alone."""
    here = [
        one
        for one in spectra
        if (one.run_key, one.split, one.layer, one.estimator) == (run_key, "test", -1, "certified")
    ]
    newest = {one.subset: one.estimate_key for one in sorted(here, key=lambda one: one.created)}
    return {name: key for name, key in newest.items() if name != POOLED} or newest


def standings(
    cache: Path,
    adapters: Iterable[AdapterRecord],
    spectra: Iterable[SpectrumRecord],
    *,
    benchmark: str,
) -> dict[str | None, list[Standing]]:
    """Compare the strategies of a study on the questions that all of its runs answered.

    Parameters
    ----------
    cache
        The cache folder.
    adapters
        Of one base, alike but for strategy and seed (`study.alike`).
    spectra
        The stored estimates.
    benchmark
        On whose test split.

    Returns
    -------
    By subset, and under None over all of them together: the base first, then uniform, then each
    strategy in the order of the adapters; without a subset that some run was not measured on, and
    empty where nothing is stored.
    """
    there = [one for each in adapters if (one := on_benchmark(each, benchmark)) is not None]
    if not there:
        return {}
    base_key = str(there[0].base_run_key)
    runs = {base_key, *(str(one.run_key) for one in there)}
    of_runs: dict[str, list[SpectrumRecord]] = {run: [] for run in runs}
    for one in spectra:
        if one.run_key in of_runs:
            of_runs[one.run_key].append(one)
    keys = {run: newest_by_subset(run, own) for run, own in of_runs.items()}
    rows = sample_rows(cache, [key for of_run in keys.values() for key in of_run.values()])
    answered: dict[str, dict[str | None, Answered]] = {}
    for run, of_run in keys.items():
        parts: dict[str | None, list[SampleRows]] = {
            subset: [rows[key]] for subset, key in of_run.items() if key in rows
        }
        if parts:
            parts[None] = [one for each in parts.values() for one in each]
        answered[run] = {subset: _answered(each) for subset, each in parts.items()}
    found: dict[str | None, list[Standing]] = {}
    for subset, base in answered[base_key].items():
        by_strategy: dict[str, dict[int, Answered]] = {}
        for one in there:
            own = answered[str(one.run_key)].get(subset)
            if own is not None:
                seed = int(one.options.get("seed", 0))
                by_strategy.setdefault(one.strategy, {}).setdefault(seed, own)
        every = [base, *(one for own in by_strategy.values() for one in own.values())]
        common = every[0].positions
        for one in every[1:]:
            common = np.intersect1d(common, one.positions, assume_unique=True)
        if by_strategy and len(common):
            found[subset] = _standings(base, by_strategy, common)
    return found


def _standings(
    base: Answered, by_strategy: Mapping[str, Mapping[int, Answered]], common: np.ndarray
) -> list[Standing]:
    from pid_core.association import adjusted

    groups = base.groups[np.isin(base.positions, common)]
    before = _right(base, common)
    after = {
        name: {seed: _right(one, common) for seed, one in sorted(own.items())}
        # What the others are compared with stands below the base.
        for name, own in sorted(by_strategy.items(), key=lambda pair: pair[0] != BASELINE)
    }
    n = len(common)
    start = Standing(strategy=BASE, seeds=(), n=n, accuracy=repeated(before.mean(keepdims=True)))
    found = [_standing(name, own, before, after, groups) for name, own in after.items()]
    tested = [one for one in found if one.over_uniform is not None]
    corrected = iter(
        adjusted([one.over_uniform.p_value for one in tested if one.over_uniform]).tolist()
        if tested
        else ()
    )
    return [
        start,
        *(
            one if one.over_uniform is None else replace(one, adjusted_p=float(next(corrected)))
            for one in found
        ),
    ]


def _standing(
    name: str,
    own: Mapping[int, np.ndarray],
    before: np.ndarray,
    after: Mapping[str, Mapping[int, np.ndarray]],
    groups: np.ndarray,
) -> Standing:
    now = np.column_stack(list(own.values()))
    then = np.repeat(before[:, None], now.shape[1], axis=1)
    uniform = after.get(BASELINE, {})
    both = sorted(own.keys() & uniform.keys()) if name != BASELINE else []
    minus_uniform = over_uniform = None
    if both:
        one, two = (np.column_stack([side[seed] for seed in both]) for side in (uniform, own))
        minus_uniform = repeated((two - one).mean(axis=0))
        over_uniform = sign_flip(one, two, groups)
    return Standing(
        strategy=name,
        seeds=tuple(own),
        n=len(before),
        accuracy=repeated(now.mean(axis=0)),
        by_seed=tuple(now.mean(axis=0).tolist()),
        moved_by_seed=tuple(
            (int(((before == 0) & (one == 1)).sum()), int(((before == 1) & (one == 0)).sum()))
            for one in own.values()
        ),
        minus_base=repeated((now - then).mean(axis=0)),
        over_base=sign_flip(then, now, groups),
        minus_uniform=minus_uniform,
        over_uniform=over_uniform,
        always_won=int(((before == 0) & (now == 1).all(axis=1)).sum()),
        always_lost=int(((before == 1) & (now == 0).all(axis=1)).sum()),
    )


def _answered(parts: Sequence[SampleRows]) -> Answered:
    positions = np.concatenate([one.positions for one in parts])
    right = np.concatenate([one.right[:, 0] for one in parts])
    known = np.isfinite(right)  # of imported answers some may not be known
    order = np.argsort(positions[known], kind="stable")
    return Answered(
        positions=positions[known][order],
        groups=np.concatenate([one.group_ids for one in parts])[known][order],
        right=right[known][order],
    )


def _right(one: Answered, common: np.ndarray) -> np.ndarray:
    return one.right[np.isin(one.positions, common)]
