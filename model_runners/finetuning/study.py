"""Several strategies over several seeds: what each came to, beside the base and beside uniform."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_cache import adapters, estimates
from data_cache.adapters import AdapterRecord
from data_cache.estimates import SpectrumRecord
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from pid_core.repeats import Repeated, repeated

BASE, BASELINE = "none (the base)", "uniform"
DIFFER = frozenset({"strategy", "seed", "lift_tag", "lifted", "evaluate_on"})
"""Options in which the trainings of a study differ; a tag stands for its own strategy."""
FEWEST_SEEDS = 2
"""Of a strategy, for an interval."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the adapters of one strategy came to on one subset of the test split."""

    strategy: str
    subset: str
    accuracy: Repeated
    """Share of right answers, over the seeds."""
    minus_uniform: Repeated | None
    """The same less that of `uniform` with the same seed; None where they share no seed."""
    synergy: Repeated
    """Bits."""


def trainings(
    options: FinetuneOptions, strategies: Sequence[str], seeds: int
) -> Iterator[FinetuneOptions]:
    """Return one training per strategy and seed, the seeds counted up from that of the options.

    Raises
    ------
    BadOption
        If there is no such strategy, one is named twice, or there are no seeds.
    """
    return StudyOptions.of(options, tuple(strategies), seeds).trainings()


def outcomes(cache: Path, keys: Iterable[str]) -> list[Outcome]:
    """Return what some finished adapters of one base came to; see `outcomes_of`.

    Parameters
    ----------
    cache
        The cache folder.
    keys
        Of the adapters.
    """
    records = [record for key in keys if (record := adapters.adapter(cache, key)) is not None]
    names = sorted({name for one in records for name in (one.base, one.name)})
    return outcomes_of(
        records, estimates.load(cache, models=names, split="test", estimator="certified")
    )


def alike(adapter: AdapterRecord, others: Iterable[AdapterRecord]) -> list[AdapterRecord]:
    """Return the adapters that differ from one in strategy and seed only, itself among them."""
    return [
        one
        for one in others
        if (one.base_weights, one.benchmark) == (adapter.base_weights, adapter.benchmark)
        and _but(one.options) == _but(adapter.options)
    ]


def _but(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in DIFFER}


def outcomes_of(
    records: Iterable[AdapterRecord], spectra: Iterable[SpectrumRecord]
) -> list[Outcome]:
    """Return what finished adapters of one base came to, by subset and strategy.

    The base comes first, as it is: its accuracy has no spread over seeds.

    Parameters
    ----------
    records
        Of the adapters; those that are not measured yet are passed over.
    spectra
        Of the test split, the base's and theirs; of several of one run and subset the last counts.
    """
    done = [record for record in records if record.run_key is not None]
    spectra = list(spectra)
    found: list[Outcome] = []
    for subset in sorted({one.subset for one in spectra}):
        here = {one.run_key: one for one in spectra if one.subset == subset}
        base = {one.base_run_key for one in done} & here.keys()
        found += [
            _outcome(BASE, subset, {0: here[key]}, {}) for key in sorted(filter(None, base))[:1]
        ]
        by_seed = {name: _by_seed(done, name, here) for name in _strategies(done)}
        found += [
            _outcome(name, subset, own, by_seed.get(BASELINE, {}))
            for name, own in by_seed.items()
            if own
        ]
    return found


def lines(found: Sequence[Outcome]) -> list[str]:
    """Return a table of outcomes as lines of text; accuracies in per cent."""
    head = ("subset", "strategy", "seeds", "accuracy (%)", "minus uniform (points)", "S (bits)")
    rows = [
        (
            one.subset,
            one.strategy,
            "" if one.strategy == BASE else str(one.accuracy.n),
            written(one.accuracy, scale=100, digits=1),
            ""
            if one.minus_uniform is None or one.strategy == BASELINE
            else written(one.minus_uniform, scale=100, digits=1, sign="+"),
            written(one.synergy, digits=3),
        )
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]


def as_json(found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return outcomes as JSON values; an interval that is not known is null."""

    def of(one: Repeated | None) -> dict[str, float | int | None] | None:
        if one is None:
            return None
        ends = (None, None) if one.n < 2 else (one.low, one.high)
        return {"mean": one.mean, "low": ends[0], "high": ends[1], "n": one.n}

    return [
        {
            "subset": one.subset,
            "strategy": one.strategy,
            "accuracy": of(one.accuracy),
            "minus_uniform": of(one.minus_uniform),
            "synergy_bits": of(one.synergy),
        }
        for one in found
    ]


def written(one: Repeated, *, scale: float = 1.0, digits: int, sign: str = "") -> str:
    """Write a mean with its 95 % interval.

    >>> written(Repeated(mean=0.5, low=0.41, high=0.59, n=3), scale=100, digits=1)
    '50.0 (41.0 to 59.0)'
    """
    shape = f"{sign}.{digits}f"
    # 0.0 is added so that nothing is written as -0.0.
    mean, low, high = (round(scale * end, digits) + 0.0 for end in (one.mean, one.low, one.high))
    return f"{mean:{shape}}" + (f" ({low:{shape}} to {high:{shape}})" if one.n > 1 else "")


def _strategies(records: Iterable[AdapterRecord]) -> list[str]:
    return list(dict.fromkeys(one.strategy for one in records))


def _by_seed(
    records: Iterable[AdapterRecord], strategy: str, here: Mapping[str, SpectrumRecord]
) -> dict[int, SpectrumRecord]:
    return {
        int(one.options.get("seed", 0)): here[key]
        for one in records
        if one.strategy == strategy and (key := one.run_key) is not None and key in here
    }


def _outcome(
    strategy: str,
    subset: str,
    own: Mapping[int, SpectrumRecord],
    uniform: Mapping[int, SpectrumRecord],
) -> Outcome:
    both = sorted(own.keys() & uniform.keys())
    gained = np.array([own[seed].accuracy - uniform[seed].accuracy for seed in both])
    return Outcome(
        strategy=strategy,
        subset=subset,
        accuracy=repeated(np.array([one.accuracy for one in own.values()])),
        minus_uniform=repeated(gained) if both else None,
        synergy=repeated(np.array([one.synergy for one in own.values()])),
    )
