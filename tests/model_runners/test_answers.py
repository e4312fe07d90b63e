"""Runs that score other answers than letters, from the option to the estimate."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_cache import queries
from data_cache.chunks import read_plan
from data_cache.conditions import Condition
from data_cache.location import run_directory
from data_cache.samples import LETTERS, Benchmark, Sample
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.loading import LoadedModel
from model_runners.profile import ProfileOptions, ProfileReport, profile
from model_runners.requests import options_of, request_of, title_of
from model_runners.run_record import configuration


def options(**more: Any) -> ProfileOptions:
    given = {"model": "demo/oracle", "benchmark": "few", "draws": 1, "device": "cpu", **more}
    return ProfileOptions(**given)


def changed(sample: Sample, *answers: str, **more: Any) -> Sample:
    return dataclasses.replace(sample, options=answers, answer=0, **more)


@pytest.fixture(scope="module")
def few(digits: Benchmark) -> Benchmark:
    return Benchmark(name="few", samples=digits.select(split="test", limit=6))


def run(
    oracle: LoadedModel, benchmark: Benchmark, cache: Path, **more: Any
) -> tuple[ProfileReport, queries.Predictions]:
    report = profile(options(**more), cache, benchmark=benchmark, loaded=oracle)
    return report, queries.predictions(cache, report.run_key)


def test_options_are_scored_by_their_words_at_every_layer_and_estimated(
    oracle: LoadedModel, few: Benchmark, tmp_path: Path
) -> None:
    more = {"answers": "options", "layers": True}
    profile(options(limit=2, **more), tmp_path, benchmark=few, loaded=oracle)
    report, found = run(oracle, few, tmp_path, **more)
    assert (report.computed, len(found.sample_ids)) == (4, 6)
    plans = [read_plan(path) for path in run_directory(tmp_path, report.run_key).glob("*.parquet")]
    assert not any(plan.single_token for plan in plans)
    chosen = choose_run(tmp_path, model="demo/oracle", benchmark="few")
    assert chosen.config["candidates"] == "options"
    records = estimate_run(tmp_path, chosen, EstimateOptions(by="none", split="test", layers=True))
    assert [record.layer for record in records] == [-1, 0, 1, 2, 3]
    assert all(record.n == 6 and 0 <= record.accuracy <= 1 for record in records)
    assert records[0].settings["answers"] == "options"
    assert records[0].accuracy_forced == records[-1].accuracy_forced


def test_letters_and_words_are_different_runs_with_different_scores(
    oracle: LoadedModel, few: Benchmark, tmp_path: Path
) -> None:
    (one, letters), (other, words) = (
        run(oracle, few, tmp_path, answers=answers) for answers in ("letters", "options")
    )
    assert [check.name for check in one.self_test.checks if check.name == "answers"] == []
    assert one.run_key != other.run_key
    assert not np.allclose(letters.scores[Condition.FULL], words.scores[Condition.FULL], atol=0.1)


def test_yes_and_no_are_scored_where_they_are_the_options(
    oracle: LoadedModel, few: Benchmark, tmp_path: Path
) -> None:
    asked = [changed(sample, "no", "yes") for sample in few.samples[:4]]
    mixed = Benchmark(name="few", samples=(*asked, *few.samples[4:]))
    report, found = run(oracle, mixed, tmp_path, answers="yes-no")
    assert report.self_test.checks[-1].name == "answers"
    assert sorted(found.sample_ids.tolist()) == sorted(sample.id for sample in asked)
    assert [bad["sample_id"] for bad in report.bad_samples] == [s.id for s in few.samples[4:]]
    assert found.scores[Condition.FULL].shape == (4, 1, 2)


def test_more_options_than_letters_cost_one_sample_of_a_run_of_letters_and_none_of_words(
    oracle: LoadedModel, few: Benchmark, tmp_path: Path
) -> None:
    many = changed(few.samples[0], *map(str, range(len(LETTERS) + 1)))
    mixed = Benchmark(name="few", samples=(many, *few.samples[1:]))
    report, _ = run(oracle, mixed, tmp_path)
    assert [bad["sample_id"] for bad in report.bad_samples] == [many.id]
    report, found = run(oracle, mixed, tmp_path, answers="options")
    assert not report.bad_samples
    assert found.scores[Condition.FULL].shape == (6, 1, 27)


def test_letters_of_several_tokens_are_scored_too(
    oracle: LoadedModel, few: Benchmark, tmp_path: Path
) -> None:
    """The demo's tokenizer spells letters late in the alphabet with two tokens."""
    many = changed(few.samples[0], *map(str, range(20)))
    mixed = Benchmark(name="few", samples=(many, *few.samples[1:]))
    report, found = run(oracle, mixed, tmp_path)
    assert not report.bad_samples
    assert found.scores[Condition.FULL].shape == (6, 1, 20)
    assert np.isfinite(found.scores[Condition.FULL][found.sample_ids == many.id]).all()


def test_pooling_changes_features_and_no_score(
    oracle: LoadedModel, few: Benchmark, tmp_path: Path
) -> None:
    reports = {
        how: profile(options(pooling=how), tmp_path, benchmark=few, loaded=oracle)
        for how in ("mean", "last", "max")
    }
    assert len({report.run_key for report in reports.values()}) == 3
    found = {
        how: queries.predictions(tmp_path, report.run_key, features=True)
        for how, report in reports.items()
    }
    for how in ("last", "max"):
        for condition, scores in found["mean"].scores.items():
            assert np.array_equal(scores, found[how].scores[condition])
        for name in ("features_1", "features_2"):
            mean, other = getattr(found["mean"], name), getattr(found[how], name)
            assert mean.shape == other.shape
            assert not np.allclose(mean, other, atol=1e-3)
    for name in ("features_1", "features_2"):
        assert (getattr(found["max"], name) >= getattr(found["last"], name)).all()


def test_a_run_says_only_what_it_was_asked_to_do_otherwise(
    oracle: LoadedModel, few: Benchmark
) -> None:
    plain = configuration(options(), oracle, few)
    assert plain["candidates"] == "letters"
    assert "pooling" not in plain
    other = configuration(options(answers="yes-no", pooling="max"), oracle, few)
    differing = {name for name, value in other.items() if plain.get(name) != value}
    assert differing == {"candidates", "pooling", "template", "noise"}


def test_a_job_of_usual_answers_keeps_the_key_that_it_always_had() -> None:
    plain = options(benchmark="digits_vqa")
    assert not {"answers", "pooling"} & request_of(plain).keys()
    other = options(benchmark="digits_vqa", answers="options", pooling="last")
    assert options_of(request_of(other)) == other
    assert "answers: options, pooling: last" in title_of(other)


@pytest.mark.parametrize("change", [{"answers": "essays"}, {"pooling": "median"}])
def test_unknown_answers_and_pooling_are_refused(change: dict[str, str]) -> None:
    ((name, value),) = change.items()
    with pytest.raises(BadOption, match=f"{name} must be one of .*, not '{value}'"):
        options(**change)
