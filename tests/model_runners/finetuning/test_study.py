"""Strategies over seeds: which trainings are asked for, and what they come to."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_cache.adapters import write_record
from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.study import BASE, as_json, lines, outcomes, trainings
from tests.pages.adapters import build_adapters

OPTIONS = FinetuneOptions(model="demo/a", benchmark="b", seed=4)


def test_every_strategy_is_trained_with_the_same_seeds() -> None:
    asked = [(one.strategy, one.seed) for one in trainings(OPTIONS, ["pid", "uniform"], 2)]
    assert asked == [("pid", 4), ("pid", 5), ("uniform", 4), ("uniform", 5)]


@pytest.mark.parametrize(
    ("names", "seeds", "said"),
    [
        (["pid", "unifrom"], 1, "did you mean 'uniform'"),
        (["pid", "pid"], 1, "named twice"),
        (["pid"], 0, "seeds must be 1 or more"),
        (["pid", "tag"], 1, "give --lift-tag"),
    ],
)
def test_what_cannot_be_trained_is_refused(names: list[str], seeds: int, said: str) -> None:
    with pytest.raises(BadOption, match=said):
        list(trainings(OPTIONS, names, seeds))


def test_outcomes_are_means_over_seeds_and_differences_seed_by_seed(tmp_path: Path) -> None:
    names = ("pid", "uniform", "pid", "uniform", "fp")
    records = build_adapters(tmp_path, *names)  # synergy 0.6, 0.7, 0.8, 0.9, 1.0 bits
    for record, seed in zip(records, (0, 0, 1, 1, 7), strict=True):
        write_record(tmp_path, replace(record, options={**record.options, "seed": seed}))
    found = outcomes(tmp_path, [record.key for record in records])
    left = {one.strategy: one for one in found if one.subset == "left"}
    assert list(left) == [BASE, "pid", "uniform", "fp"]
    assert (left["pid"].synergy.mean, left["pid"].synergy.n) == (pytest.approx(0.7), 2)
    assert left[BASE].synergy.mean == pytest.approx(0.2)
    assert left["fp"].minus_uniform is None
    gained = left["pid"].minus_uniform
    assert gained is not None
    assert (gained.mean, gained.n) == (0.0, 2)


def test_outcomes_are_written_with_their_intervals_and_the_base_without(tmp_path: Path) -> None:
    records = build_adapters(tmp_path, "pid", "uniform")
    found = outcomes(tmp_path, [record.key for record in records])
    head, *rows = lines([one for one in found if one.subset == "left"])
    assert head.split()[:3] == ["subset", "strategy", "seeds"]
    assert rows[0].startswith("left    none (the base)")
    assert " to " not in "".join(rows)
    assert [row["strategy"] for row in as_json(found)][:3] == [BASE, "pid", "uniform"]
    assert as_json(found)[1]["accuracy"]["low"] is None
