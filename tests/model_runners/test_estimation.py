"""Estimates: chosen run, chosen samples, stored with all that they depend on."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from data_cache import estimates, queries
from model_runners.errors import BadOption
from model_runners.estimation import (
    EstimateOptions,
    choose_run,
    estimate_run,
    overconfident_probes,
)
from model_runners.profile import ProfileOptions, profile
from pid_core import AnswerQuality, PidError


@pytest.fixture(scope="module")
def cache(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    profile(
        ProfileOptions(
            model=str(untrained), benchmark="digits_vqa", limit=64, draws=3, device="cpu"
        ),
        folder,
    )
    return folder


@pytest.fixture(scope="module")
def run(cache: Path) -> queries.RunRow:
    return choose_run(cache, model="untrained", benchmark="digits_vqa")


def test_a_spectrum_per_subset_adds_up_and_is_stored(cache: Path, run: queries.RunRow) -> None:
    records = estimate_run(cache, run, EstimateOptions(split="all"))
    assert [record.subset for record in records] == ["language", "redundant", "synergy", "vision"]
    for record in records:
        atoms = record.redundancy + record.unique_1 + record.unique_2 + record.synergy
        assert atoms == pytest.approx(record.total, abs=1e-9)
        rows = estimates.pointwise(cache, record.estimate_key)
        assert len(rows) == record.n == 16
        assert rows["synergy"].mean() == pytest.approx(record.synergy, abs=1e-9)
    stored = estimates.load(cache, models=["untrained"], split="all")
    assert {record.estimate_key for record in records} <= {record.estimate_key for record in stored}


def test_the_same_question_has_one_answer_in_the_cache(cache: Path, run: queries.RunRow) -> None:
    options = EstimateOptions(split="train", subset="vision")
    (one,) = estimate_run(cache, run, options)
    (two,) = estimate_run(cache, run, options)
    assert dataclasses.replace(one, created="") == dataclasses.replace(two, created="")
    assert len(estimates.load(cache, models=["untrained"], subsets=["vision"], split="train")) == 1


def test_a_stored_estimate_is_reused_until_the_run_has_grown(
    untrained: Path, tmp_path: Path
) -> None:
    wanted = EstimateOptions(split="all", by="none")

    def estimated(limit: int, *, reuse: bool) -> estimates.SpectrumRecord:
        profile(
            ProfileOptions(
                model=str(untrained), benchmark="digits_vqa", limit=limit, draws=1, device="cpu"
            ),
            tmp_path,
        )
        found = choose_run(tmp_path, model="untrained", benchmark="digits_vqa")
        (record,) = estimate_run(tmp_path, found, wanted, reuse=reuse)
        return record

    first = estimated(8, reuse=True)
    marked = dataclasses.replace(first, created="long ago")
    estimates.save(tmp_path, marked, pointwise_table(tmp_path, first))
    assert estimated(8, reuse=True).created == "long ago"
    assert estimated(8, reuse=False).created != "long ago"
    estimates.save(tmp_path, marked, pointwise_table(tmp_path, first))
    longer = estimated(12, reuse=True)
    assert (longer.n, longer.estimate_key) == (12, first.estimate_key)
    assert longer.created != "long ago"


def pointwise_table(cache: Path, record: estimates.SpectrumRecord) -> pa.Table:
    return pa.Table.from_pandas(
        estimates.pointwise(cache, record.estimate_key), preserve_index=False
    )


@pytest.mark.parametrize(
    "change",
    [{"tau": 0.0}, {"draws": 1}, {"limit": 8}, {"marginals": "couple"}, {"pointwise": "x1"}],
)
def test_another_setting_is_another_estimate(
    cache: Path, run: queries.RunRow, change: dict[str, object]
) -> None:
    base = EstimateOptions(split="all", subset="synergy")
    (one,) = estimate_run(cache, run, base)
    (two,) = estimate_run(cache, run, dataclasses.replace(base, **change))  # pyright: ignore[reportArgumentType]
    assert one.estimate_key != two.estimate_key
    for name, value in change.items():
        assert two.settings[name] == value


def test_one_spectrum_for_all_samples(cache: Path, run: queries.RunRow) -> None:
    (record,) = estimate_run(cache, run, EstimateOptions(split="all", by="none"))
    assert (record.subset, record.n) == ("all", 64)


def test_an_untrained_model_falls_back_everywhere_and_has_no_information(
    cache: Path, run: queries.RunRow
) -> None:
    """Its candidates hold 4 / 411 of the mass: below tau, P-hat is uniform and every atom is 0."""
    (record,) = estimate_run(cache, run, EstimateOptions(split="all", by="none"))
    assert set(record.fallback_rate.values()) == {1.0}
    assert record.total == pytest.approx(0.0, abs=1e-9)
    assert record.mean_confidence == pytest.approx(0.25)


def test_a_missing_run_says_how_to_make_it(cache: Path) -> None:
    with pytest.raises(
        BadOption, match=r"it has untrained on digits_vqa; make one with: .* profile"
    ):
        choose_run(cache, model="other", benchmark="digits_vqa")
    with pytest.raises(BadOption, match="demo load"):
        choose_run(cache, model="demo/oracle", benchmark="digits_vqa")


def test_embeddings_are_decomposed_as_they_were_stored(
    tmp_path: Path, demo: Callable[[Path], Path]
) -> None:
    """The demo's own features; no draw of noise enters, and the clusters are part of the key."""
    run = choose_run(demo(tmp_path), model="demo/oracle", benchmark="digits_vqa")
    wanted = EstimateOptions(estimator="ipfp", subset="vision", clusters=16)
    (few,) = estimate_run(tmp_path, run, wanted)
    (more,) = estimate_run(tmp_path, run, dataclasses.replace(wanted, clusters=64))
    assert few.estimate_key != more.estimate_key
    assert (few.estimator, few.settings["clusters"]) == ("ipfp", 16)
    assert few.unique_2 == pytest.approx(0.0, abs=1e-6), "the text of this subset never varies"
    assert 0.5 < few.unique_1 < more.unique_1 < more.total + 1e-6
    plain = EstimateOptions(subset="vision")
    assert "clusters" not in estimate_run(tmp_path, run, plain)[0].settings


def test_impossible_options_are_refused() -> None:
    with pytest.raises(BadOption, match="tau is a probability"):
        EstimateOptions(tau=2.0)
    with pytest.raises(BadOption, match="draws must be 1 or more"):
        EstimateOptions(draws=0)


def test_an_unknown_estimator_is_answered_with_the_list(cache: Path, run: queries.RunRow) -> None:
    with pytest.raises(PidError, match="did you mean 'certified'"):
        estimate_run(cache, run, EstimateOptions(estimator="certifed", split="all"))


def test_a_probe_that_is_sure_and_wrong_is_told() -> None:
    sure = AnswerQuality(
        accuracy_forced=0.25,
        accuracy_strict=None,
        mean_confidence=0.86,
        expected_calibration_error=0.6,
        n=9,
    )
    honest = dataclasses.replace(sure, mean_confidence=0.3)
    (warning,) = overconfident_probes({"full": sure, "only_1": sure, "only_2": honest})
    assert warning.startswith("source 1 alone is sure of more than it knows")
    assert "0.86" in warning
