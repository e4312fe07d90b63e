"""Findings about depth: phases of the layers, and what happens in the last of them."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from data_cache import estimates
from data_cache.records import ATOMS, SpectrumRecord
from data_cache.sample_rows import sample_rows
from model_runners.findings.material import Material
from model_runners.findings.parts import Part
from model_runners.layer_statistics import course_of
from model_runners.paired_changes import changes_of
from pid_core.claims import of_share
from pid_core.phases import emergence

LATE = 0.8
"""Depth from which on MI26 speak of late fusion."""
MIDDLE = 1 / 3
"""Depth from which on layers are the middle or later ones."""
FEWEST_LAYERS = 6
"""What two phases need; less has no course."""


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The spectra of all layers of one model on one task."""

    task: str
    model: str
    layers: tuple[SpectrumRecord, ...]


def depths(material: Material) -> list[Depth]:
    """Return the models of each task whose layers are all there, newest estimates."""
    return material.once("depths", lambda: _depths(material))


def _depths(material: Material) -> list[Depth]:
    wanted = {
        (record.run_key, task.subset): (task.name, record)
        for task in material.tasks
        for record in task.records
    }
    deep = {run.run_key: max(run.layers, default=-1) + 1 for run in material.runs}
    models = sorted({one.model for _, one in wanted.values() if deep.get(one.run_key, 0) > 0})
    if not models:
        return []
    newest: dict[tuple[str, str], dict[int, SpectrumRecord]] = defaultdict(dict)
    loaded = estimates.load(
        material.cache,
        models=models,
        split=material.split,
        estimator=material.estimator,
        layer=None,
    )
    for record in sorted(loaded, key=lambda one: (one.created, one.estimate_key)):
        output = wanted.get((record.run_key, record.subset))
        # Layers of other settings are no course of this output.
        if output is not None and record.layer >= 0 and record.settings == output[1].settings:
            newest[record.run_key, record.subset][record.layer] = record
    return [
        Depth(
            task=wanted[key][0],
            model=wanted[key][1].model,
            layers=tuple(layers[number] for number in sorted(layers)),
        )
        for key, layers in newest.items()
        if sorted(layers) == list(range(deep[key[0]]))
    ]


def three_phases(material: Material) -> list[Part]:
    """Share of models per task whose layers fall into MI26's three phases."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for one in depths(material):
        pattern = course_of(one.layers, None).phases.pattern
        if pattern not in {"too few layers", "no information"}:
            hits[one.task].append(pattern == "three phases")
    return [_shared(task, found) for task, found in hits.items()]


def emerges_late(material: Material, *, part: str, depth: float) -> list[Part]:
    """Share of models per task in which a part passes half of its most behind some depth."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for one in depths(material):
        if len(one.layers) < FEWEST_LAYERS:
            continue
        names = ATOMS if part == "total" else (part,)
        course = np.array([[getattr(layer, name) for name in names] for layer in one.layers])
        found = emergence(course.sum(axis=1))
        if found.layer is not None:
            hits[one.task].append(found.depth >= depth)
    return [_shared(task, found) for task, found in hits.items()]


def last_step(material: Material, *, part: str) -> list[Part]:
    """Change of a part from the second-to-last layer to the last, bits, per model and task."""
    found = [one for one in depths(material) if len(one.layers) >= FEWEST_LAYERS]
    keys = [layer.estimate_key for one in found for layer in one.layers[-2:]]
    rows = sample_rows(material.cache, keys) if keys else {}
    return [
        Part(
            about=f"{one.model}, {one.task}",
            evidence=changes_of(one.layers[-2], one.layers[-1], rows)[part].evidence,
            tasks=(one.task,),
        )
        for one in found
    ]


def _shared(task: str, hits: list[bool]) -> Part:
    share = of_share(sum(hits), len(hits))
    low, high = share.interval
    in_percent = type(share)(
        value=100.0 * share.value,
        interval=(100.0 * low, 100.0 * high),
        p_value=share.p_value,
        n=share.n,
        unit=share.unit,
        note=share.note,
    )
    return Part(about=task, evidence=in_percent, tasks=(task,))
