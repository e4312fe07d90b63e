"""Findings about fine-tuning on samples that are weighed by PID."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from data_cache.adapters import AdapterRecord
from data_cache.published import published_shifts, published_tunings
from data_cache.records import SpectrumRecord
from data_cache.sample_rows import sample_rows
from model_runners.findings.material import Material, Task
from model_runners.findings.parts import Part
from model_runners.paired_changes import changes_of

PID, UNIFORM = "pid", "uniform"
APART = {"strategy", "top", "tag", "lift_tag"}
"""Options that two strategies differ in by what they are."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """Two spectra on one task: before and after, or one strategy and the other."""

    about: str
    task: Task
    before: SpectrumRecord
    after: SpectrumRecord


def pid_against_uniform(material: Material) -> list[Part]:
    """Accuracy after tuning by PID minus accuracy after tuning on all alike, points."""
    pairs: dict[tuple[str, str], tuple[AdapterRecord, AdapterRecord]] = {}
    done = _profiled(material)
    for pid in done:
        for uniform in done:
            if (pid.strategy, uniform.strategy) != (PID, UNIFORM) or not _alike(pid, uniform):
                continue
            # The newest pair of a base and a benchmark speaks.
            pairs[pid.base, pid.benchmark] = (uniform, pid)
    tuned = [
        one
        for uniform, pid in pairs.values()
        for one in _on_tasks(material, uniform.name, pid.name, pid, f"{pid.base}: PID and uniform")
    ]
    return _parts(material, tuned, "accuracy")


def shift_after_pid(material: Material) -> list[Part]:
    """Synergy's share after tuning by PID minus before it, points."""
    newest = {(one.base, one.benchmark): one for one in _profiled(material) if one.strategy == PID}
    tuned = [
        one
        for adapter in newest.values()
        for one in _on_tasks(material, adapter.base, adapter.name, adapter, adapter.name)
    ]
    return _parts(material, tuned, "synergy_share")


def _profiled(material: Material) -> list[AdapterRecord]:
    """Return the adapters whose results are in, oldest first."""
    done = [one for one in material.adapters if one.state == "profiled"]
    return sorted(done, key=lambda one: (one.created, one.key))


def _alike(one: AdapterRecord, two: AdapterRecord) -> bool:
    """Whether two adapters differ by their strategy alone."""

    def rest(adapter: AdapterRecord) -> dict[str, Any]:
        return {name: value for name, value in adapter.options.items() if name not in APART}

    return (one.base, one.benchmark, one.base_weights) == (
        two.base,
        two.benchmark,
        two.base_weights,
    ) and rest(one) == rest(two)


def _on_tasks(
    material: Material, before: str, after: str, adapter: AdapterRecord, about: str
) -> Iterable[Tuned]:
    by_name = {
        (record.model, record.benchmark, record.subset): record for record in material.adapted
    }
    for task in material.of_kind("synergy-driven"):
        if task.benchmark != adapter.benchmark:
            continue
        one = by_name.get((before, task.benchmark, task.subset))
        two = by_name.get((after, task.benchmark, task.subset))
        if one is not None and two is not None:
            yield Tuned(about=f"{about}, {task.name}", task=task, before=one, after=two)


def _parts(material: Material, tuned: list[Tuned], quantity: str) -> list[Part]:
    keys = [record.estimate_key for one in tuned for record in (one.before, one.after)]
    rows = sample_rows(material.cache, keys) if keys else {}
    found: list[Part] = []
    for one in tuned:
        changes = changes_of(one.before, one.after, rows)
        if quantity not in changes:
            continue
        published, value = _published(one.task, quantity)
        found.append(
            Part(
                about=one.about,
                evidence=changes[quantity].evidence,
                published=published,
                published_value=value,
                tasks=(one.task.name,),
            )
        )
    return found


def _published(task: Task, quantity: str) -> tuple[str, float | None]:
    if quantity == "accuracy":
        for one in published_tunings(task.benchmark):
            words = f"{one.pid} and {one.uniform} % ({one.model}; {one.study.short}, {one.at})"
            return words, round(one.pid - one.uniform, 1)
    for one in published_shifts(quantity):
        words = f"{one.before} to {one.after} % ({one.model}; {one.study.short}, {one.at})"
        return words, round(one.after - one.before, 1)
    return "", None
