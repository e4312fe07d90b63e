"""Findings about training and fine-tuning, on caches with checkpoints and adapters."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_cache import adapters
from data_cache.checkpoints import Checkpoint
from model_runners.findings import find, read_material
from model_runners.findings.material import Material
from tests.pages.adapters import AFTER, BEFORE, build_adapters
from tests.pages.caches import build_cache
from tests.pages.spectra import record

STAGES = [("projector", 50), ("projector", 100), ("all", 200), ("all", 400)]


def trained(cache: Path, *synergy: float) -> Material:
    """One training of two stages, with the synergy of its four checkpoints."""
    points = [Checkpoint(trajectory="demo/t", stage=stage, step=step) for stage, step in STAGES]
    records = [
        record(
            "synergy",
            model=point.model,
            atoms=(0.1, 0.0, 0.2, value),
            interval={"synergy": (value - 0.02, value + 0.02)},
        )
        for point, value in zip(points, synergy, strict=True)
    ]
    build_cache(cache, [*records, record("synergy", model="demo/other")], checkpoints=points)
    return read_material(cache)


def test_synergy_that_rises_in_the_second_stage_supports_the_finding(tmp_path: Path) -> None:
    material = trained(tmp_path, 0.0, 0.02, 0.6, 1.5)
    assert [one.model for task in material.tasks for one in task.records] == ["demo/other"]
    first, second = find(material, only=["xiu26-6a", "xiu26-6b"])
    assert (first.verdict, second.verdict) == ("supported", "supported")
    assert first.parts[0].part.evidence.value == pytest.approx(0.02)
    assert second.parts[0].part.evidence.value == pytest.approx(1.48)
    assert second.parts[0].part.about == "demo/t, synergy"
    falling = {50: 0.0, 100: 1.0, 200: 0.9, 400: 0.8}
    turned = [
        (point, replace(one, synergy=value, interval={"synergy": (value - 0.02, value + 0.02)}))
        for point, one in material.checkpoints
        for value in [falling[point.step]]
    ]
    found = find(replace(material, checkpoints=tuple(turned)), only=["xiu26-6a", "xiu26-6b"])
    assert [one.verdict for one in found] == ["contradicted", "contradicted"]


def test_adapters_of_two_strategies_are_compared_on_the_same_questions(tmp_path: Path) -> None:
    build_adapters(tmp_path, "uniform", "pid")
    material = read_material(tmp_path)
    tasks = [replace(task, kind="synergy-driven") for task in material.tasks]
    material = replace(material, tasks=tuple(tasks))
    gain, shift = find(material, only=["mi26-lora", "mi26-shift"])
    assert [one.part.about for one in gain.parts] == [
        "demo/fusion-small: PID and uniform, left",
        "demo/fusion-small: PID and uniform, right",
    ]
    assert {one.part.published for one in gain.parts} == {""}, "nobody measured this benchmark"
    assert "67.5 to 73.9 %" in shift.parts[0].part.published
    before, after = (100 * value / (value + 0.6) for value in (BEFORE, AFTER + 0.2))
    value = shift.parts[0].part.evidence.value
    assert (value > 0) == (after > before)
    other = [
        replace(one, options=one.options | {"rank": 4}) if one.strategy == "pid" else one
        for one in adapters.adapters(tmp_path)
    ]
    apart = find(replace(material, adapters=tuple(other)), only=["mi26-lora"])[0]
    assert apart.parts == (), "they differ in more than the strategy"
