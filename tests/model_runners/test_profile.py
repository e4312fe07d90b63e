"""Runs: chunks appear whole, resume skips them, longer runs extend shorter ones."""

from pathlib import Path

import numpy as np
import pytest

from data_cache import queries
from data_cache.conditions import PROBED, Condition
from data_cache.location import run_directory
from model_runners.errors import BadOption, ModelNotFound
from model_runners.profile import ProfileOptions, profile


def options(model: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 70, "draws": 1, "device": "cpu",
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


def chunk_bytes(cache: Path, key: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in sorted(run_directory(cache, key).glob("*.parquet"))
    }


def test_a_second_run_computes_nothing(untrained: Path, tmp_path: Path) -> None:
    first = profile(options(untrained), tmp_path)
    second = profile(options(untrained), tmp_path)
    assert (first.computed, second.computed) == (70, 0)
    assert first.run_key == second.run_key
    assert second.samples_per_second is None


def test_the_same_run_elsewhere_gives_the_same_bytes(untrained: Path, tmp_path: Path) -> None:
    one = profile(options(untrained), tmp_path / "one")
    two = profile(options(untrained), tmp_path / "two")
    assert one.run_key == two.run_key
    assert chunk_bytes(tmp_path / "one", one.run_key) == chunk_bytes(tmp_path / "two", two.run_key)


def test_a_longer_run_extends_a_shorter_one(untrained: Path, tmp_path: Path) -> None:
    profile(options(untrained, limit=64), tmp_path)
    longer = profile(options(untrained, limit=100), tmp_path)
    assert longer.computed == 36
    assert len(queries.predictions(tmp_path, longer.run_key).sample_ids) == 100


def test_a_partly_wanted_block_keeps_what_was_paid_for(untrained: Path, tmp_path: Path) -> None:
    profile(options(untrained, limit=10, draws=2), tmp_path)
    report = profile(options(untrained, limit=20, draws=1), tmp_path)
    found = queries.predictions(tmp_path, report.run_key)
    assert len(found.sample_ids) == 20
    assert found.scores[Condition.ONLY_1].shape[1] == 2
    assert profile(options(untrained, limit=15, draws=2), tmp_path).computed == 0


def test_what_a_block_has_is_copied_and_not_computed(untrained: Path, tmp_path: Path) -> None:
    once = profile(options(untrained, limit=20), tmp_path / "once")
    profile(options(untrained, limit=10), tmp_path / "twice")
    longer = profile(options(untrained, limit=20), tmp_path / "twice")
    assert longer.computed == 10
    one, two = (queries.predictions(tmp_path / name, once.run_key) for name in ("once", "twice"))
    assert one.sample_ids.tolist() == two.sample_ids.tolist()
    for condition, scores in one.scores.items():
        assert np.allclose(scores, two.scores[condition], atol=1e-5), condition
    deeper = profile(options(untrained, limit=20, layers=True), tmp_path / "twice")
    assert deeper.computed == 20, "the copied rows had no layers"


def test_more_draws_leave_the_first_ones_as_they_were(untrained: Path, tmp_path: Path) -> None:
    one = profile(options(untrained, limit=16, draws=1), tmp_path / "one")
    two = profile(options(untrained, limit=16, draws=3), tmp_path / "two")
    few = queries.predictions(tmp_path / "one", one.run_key)
    many = queries.predictions(tmp_path / "two", two.run_key)
    assert list(few.sample_ids) == list(many.sample_ids)
    for condition in PROBED:
        assert np.allclose(few.scores[condition][:, 0], many.scores[condition][:, 0], atol=1e-4)
    only = many.scores[Condition.ONLY_1]
    assert not np.allclose(only[:, 0], only[:, 1], atol=1e-4)


@pytest.mark.parametrize("change", [{"seed": 1}, {"mask_scope": "question"}])
def test_what_changes_a_prediction_changes_the_run(
    untrained: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    one = profile(options(untrained, limit=4), tmp_path)
    other = profile(options(untrained, limit=4, **change), tmp_path)
    assert one.run_key != other.run_key


def test_split_and_subset_choose_samples(untrained: Path, tmp_path: Path) -> None:
    report = profile(options(untrained, limit=8, split="test", subset="vision"), tmp_path)
    found = queries.predictions(tmp_path, report.run_key)
    assert set(found.splits) == {"test"}
    assert set(found.subsets) == {"vision"}


def test_the_run_says_how_it_was_made(untrained: Path, tmp_path: Path) -> None:
    report = profile(options(untrained, limit=4), tmp_path)
    (run,) = queries.runs(tmp_path)
    assert run.run_key == report.run_key
    assert run.config["mask_scope"] == "all"
    assert str(tmp_path) not in str(run.config)
    assert report.self_test.passed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"draws": 0}, "draws must be 1 or more"),
        ({"batch_size": 0}, "batch size must be 1 or more"),
        ({"limit": -1}, "limit must be 1 or more"),
        ({"split": "dev"}, "split must be"),
        ({"mask_scope": "everything"}, "mask scope must be"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_loaded(
    change: dict[str, object], says: str
) -> None:
    with pytest.raises(BadOption, match=says):
        options(Path("no model needed"), **change)


def test_an_unknown_model_leaves_the_cache_alone(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        profile(options(Path("demo/none")), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
