"""What size changes within a family: from each model to the next larger one of its series.

A series is what a family calls by one name but for the size: `demo/fusion-small` and
`demo/fusion-large`, or `Qwen2.5-VL-3B` and `Qwen2.5-VL-7B`. Two series of one family, such as two
lines that were taught differently, are not steps in size of each other.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.published import PublishedStep, published_steps, same_model
from data_cache.queries import RunRow
from data_cache.records import SpectrumRecord
from data_cache.sample_rows import SampleRows, sample_rows
from model_runners.family_statistics import with_shares
from model_runners.paired_changes import PairedChange, changes_of
from pid_core.scaling import Change, mean_change

CHANGING = ("accuracy", "synergy_share", "unique_2_share")
"""What is followed from size to size, points."""
SIZE_WORDS = ("tiny", "mini", "small", "base", "medium", "large", "huge")
_SIZE = re.compile(
    rf"(?<![a-z0-9.])(\d+(\.\d+)?[bm]|{'|'.join(SIZE_WORDS)})(?![a-z0-9.])", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A model whose size is known."""

    model: str
    family: str
    parameters: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """From one size to a larger one."""

    series: str
    """Family and what the names of both have in common."""
    family: str
    smaller: Sized
    larger: Sized
    is_next: bool = True
    """Whether there is no size between; else it stands here because a paper printed it."""

    @property
    def published(self) -> PublishedStep | None:
        """What a paper printed of this step."""
        return published_step(self.smaller.model, self.larger.model)


@dataclass(frozen=True, kw_only=True)
class StepChanges:
    """What a step changes over some tasks."""

    step: Step
    tasks: tuple[str, ...]
    by_task: Mapping[str, Mapping[str, PairedChange]]
    """Task to quantity to change."""
    mean: Mapping[str, Change]
    """By quantity, over the tasks; points."""


def series_of(model: str) -> str:
    """Return a model's name without its size and ending.

    >>> series_of("Qwen/Qwen2.5-VL-7B-Instruct"), series_of("demo/fusion-llava-small")
    ('qwen2.5-vl', 'fusion-llava')
    >>> series_of("qwen3-vl-30b-a3b") == series_of("qwen3-vl-8b")  # experts are another series
    False
    """
    last = model.rstrip("/").rsplit("/", 1)[-1].lower()
    last = re.sub(r"-(instruct|it|hf|chat)$", "", last)
    return re.sub(r"[-_ ]+", "-", _SIZE.sub("", last)).strip("-")


def parameters_of(runs: Iterable[RunRow]) -> dict[str, float]:
    """Return how many parameters each model has: as counted, else as the table of models says."""
    from model_runners.models import MODELS

    found: dict[str, float] = {}
    for run in runs:
        counted = run.environment.get("parameters")
        if isinstance(counted, int | float) and not isinstance(counted, bool) and counted >= 1:
            found[run.model] = float(counted)
        elif run.model not in found:
            entry = MODELS.get(run.model)
            if entry is not None and entry.parameters:
                found[run.model] = float(entry.parameters)
    return found


def steps_of(models: Iterable[Sized]) -> list[Step]:
    """Return the steps of each series, small to large, and those that a paper printed beside them.

    Models of one size are no step of each other: the first by name stands for the size.
    """
    series: dict[tuple[str, str], list[Sized]] = {}
    for one in sorted(models, key=lambda one: (one.parameters, one.model)):
        members = series.setdefault((one.family, series_of(one.model)), [])
        if not members or one.parameters > members[-1].parameters:
            members.append(one)
    found: list[Step] = []
    for (family, name), members in sorted(series.items()):
        for start, smaller in enumerate(members):
            for end in range(start + 1, len(members)):
                is_next = end == start + 1
                larger = members[end]
                if is_next or published_step(smaller.model, larger.model):
                    found.append(
                        Step(
                            series=f"{family}: {name}",
                            family=family,
                            smaller=smaller,
                            larger=larger,
                            is_next=is_next,
                        )
                    )
    return found


def published_step(smaller: str, larger: str) -> PublishedStep | None:
    """Return what a paper printed of a step between two models of ours, or None."""
    for one in published_steps():
        if same_model(smaller, one.models[0]) and same_model(larger, one.models[1]):
            return one
    return None


def scaling(
    cache: Path,
    tasks: Mapping[str, Sequence[SpectrumRecord]],
    parameters: Mapping[str, float],
    *,
    level: float = 0.95,
) -> list[StepChanges]:
    """Return what each step in size changes: accuracy and the shares of S and U2, in points.

    Parameters
    ----------
    cache
        The cache folder: questions are paired one by one.
    tasks
        Name to spectra, one per model; Xiu26 average over their synergy-driven benchmarks.
    parameters
        Of each model by name; models without a size take no step.
    level
        Of the intervals.

    Returns
    -------
    One entry per step that at least one task has both sizes of, with a total large enough for
    shares.
    """
    by_model = {
        task: {record.model: record for record in with_shares(records)}
        for task, records in tasks.items()
    }
    families = {
        record.model: record.family for records in by_model.values() for record in records.values()
    }
    sized = [
        Sized(model=model, family=family, parameters=parameters[model])
        for model, family in families.items()
        if model in parameters
    ]
    steps = steps_of(sized)
    stepping = {one.model for step in steps for one in (step.smaller, step.larger)}
    rows = _rows(
        cache,
        [
            record
            for records in by_model.values()
            for model, record in records.items()
            if model in stepping
        ],
    )
    found: list[StepChanges] = []
    for step in steps:
        by_task: dict[str, Mapping[str, PairedChange]] = {}
        for task, records in by_model.items():
            smaller, larger = records.get(step.smaller.model), records.get(step.larger.model)
            if smaller is not None and larger is not None:
                by_task[task] = changes_of(smaller, larger, rows)
        if by_task:
            found.append(
                StepChanges(
                    step=step,
                    tasks=tuple(by_task),
                    by_task=by_task,
                    mean={name: _mean(name, by_task, level) for name in CHANGING},
                )
            )
    return found


def _rows(cache: Path, records: Sequence[SpectrumRecord]) -> dict[str, SampleRows]:
    """Read each benchmark once: of 20 subsets one reading takes little longer than of one."""
    of_benchmark: dict[str, list[str]] = {}
    for record in records:
        of_benchmark.setdefault(record.benchmark, []).append(record.estimate_key)
    found: dict[str, SampleRows] = {}
    for keys in of_benchmark.values():
        found |= sample_rows(cache, keys)
    return found


def _mean(name: str, by_task: Mapping[str, Mapping[str, PairedChange]], level: float) -> Change:
    changes = [one[name] for one in by_task.values()]
    return mean_change(
        [one.value for one in changes],
        [one.deviation for one in changes],
        [one.bias for one in changes],
        level=level,
    )
