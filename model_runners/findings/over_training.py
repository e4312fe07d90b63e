"""Findings about time: what each stage of a training adds to synergy."""

from collections import defaultdict
from dataclasses import dataclass

from data_cache.checkpoints import Checkpoint
from data_cache.records import SpectrumRecord
from data_cache.sample_rows import sample_rows
from model_runners.findings.material import Material
from model_runners.findings.parts import Part
from model_runners.paired_changes import changes_of, measured
from pid_core.claims import of_difference

NEGLIGIBLE = 0.1
"""Bits of synergy that are next to nothing."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The last checkpoints of the first stage and of the last one, on one task."""

    trajectory: str
    task: str
    first: SpectrumRecord
    last: SpectrumRecord


def stages(material: Material) -> list[Stages]:
    """Return the trainings with at least two stages, on synergy-driven tasks."""
    kinds = {(task.benchmark, task.subset): task for task in material.of_kind("synergy-driven")}
    grouped: dict[tuple[str, str], list[tuple[Checkpoint, SpectrumRecord]]] = defaultdict(list)
    for checkpoint, record in material.checkpoints:
        task = kinds.get((record.benchmark, record.subset))
        if task is not None:
            grouped[checkpoint.trajectory, task.name].append((checkpoint, record))
    found: list[Stages] = []
    for (trajectory, task), points in sorted(grouped.items()):
        points.sort(key=lambda point: point[0].step)
        names = list(dict.fromkeys(checkpoint.stage for checkpoint, _ in points))
        if len(names) < 2:
            continue
        end = [record for checkpoint, record in points if checkpoint.stage == names[0]][-1]
        found.append(Stages(trajectory=trajectory, task=task, first=end, last=points[-1][1]))
    return found


def negligible_at_first(material: Material) -> list[Part]:
    """Synergy at the end of the first stage, bits, per training and task."""
    found: list[Part] = []
    for one in stages(material):
        deviation, bias = measured(one.first, "synergy")
        evidence = of_difference(
            one.first.synergy, deviation, bias, against=NEGLIGIBLE, n=one.first.n
        )
        found.append(Part(about=_about(one), evidence=evidence, tasks=(one.task,)))
    return found


def rises_later(material: Material) -> list[Part]:
    """Change of synergy from the end of the first stage to the end of the training, bits."""
    found = stages(material)
    keys = [record.estimate_key for one in found for record in (one.first, one.last)]
    rows = sample_rows(material.cache, keys) if keys else {}
    return [
        Part(
            about=_about(one),
            evidence=changes_of(one.first, one.last, rows)["synergy"].evidence,
            tasks=(one.task,),
        )
        for one in found
    ]


def _about(one: Stages) -> str:
    return f"{one.trajectory}, {one.task}"
