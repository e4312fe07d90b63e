"""Runs that put their questions by another template, from the option to the estimate."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_cache import queries
from data_cache.conditions import Condition
from data_cache.ingest import ingest
from data_cache.runs import read_sidecar, run_key, write_sidecar
from data_cache.samples import Benchmark
from model_runners.__main__ import main
from model_runners.asking import Asking
from model_runners.encoding import encode
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.loading import LoadedModel
from model_runners.profile import ProfileOptions, profile
from model_runners.prompt_templates import named
from model_runners.requests import options_of, request_of, title_of
from model_runners.run_record import configuration
from model_runners.sensitivity import plan_sensitivity

OWN = "Look.\n{options}\n\nQ: {question}\nA:"
LLAVA = named("llava", "letters")


def options(**more: Any) -> ProfileOptions:
    given = {"model": "demo/oracle", "benchmark": "few", "draws": 1, "device": "cpu", **more}
    return ProfileOptions(**given)


@pytest.fixture(scope="module")
def few(digits: Benchmark) -> Benchmark:
    return Benchmark(name="few", samples=digits.select(split="test", limit=6))


@pytest.fixture(scope="module")
def cache(oracle: LoadedModel, few: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run by each of three templates."""
    folder = tmp_path_factory.mktemp("cache")
    for template in (None, LLAVA, OWN):
        profile(options(template=template), folder, benchmark=few, loaded=oracle)
    return folder


def by_template(cache: Path) -> dict[str | None, queries.RunRow]:
    return {run.config.get("template_text"): run for run in queries.runs(cache)}


def test_each_template_is_a_run_of_its_own_with_its_text_in_the_record(cache: Path) -> None:
    runs = by_template(cache)
    assert runs.keys() == {None, LLAVA, OWN}
    assert all(run.n_samples == 6 for run in runs.values())
    assert len({run.run_key for run in runs.values()}) == 3
    assert "template_text" not in read_sidecar(cache, runs[None].run_key).config
    assert read_sidecar(cache, runs[OWN].run_key).config["template_text"] == OWN
    scores = [
        queries.predictions(cache, run.run_key).scores[Condition.FULL] for run in runs.values()
    ]
    assert not np.allclose(scores[0], scores[1], atol=0.01)
    assert not np.allclose(scores[1], scores[2], atol=0.01)


def test_the_standard_text_and_a_file_of_it_are_the_standard_run(
    oracle: LoadedModel, few: Benchmark, cache: Path
) -> None:
    spelled_out = options(template=named("standard", "letters") + "\n")
    assert spelled_out == options()
    report = profile(spelled_out, cache, benchmark=few, loaded=oracle)
    assert (report.run_key, report.computed) == (by_template(cache)[None].run_key, 0)


def test_a_template_changes_the_run_and_the_noise_that_its_text_is_masked_with(
    oracle: LoadedModel, few: Benchmark
) -> None:
    plain, other = (configuration(options(template=t), oracle, few) for t in (None, OWN))
    differing = {name for name in other if plain.get(name) != other[name]}
    assert differing == {"template", "template_text", "noise"}


def test_question_scope_masks_the_question_where_the_template_puts_it(
    oracle: LoadedModel, few: Benchmark
) -> None:
    batch = encode(
        oracle.processor,
        few.samples,
        image_token_id=oracle.image_token_id,
        scope="question",
        asking=Asking(template=OWN),
    )
    for row, sample in enumerate(few.samples):
        said = oracle.processor.tokenizer.decode(batch.inputs["input_ids"][row, batch.text[row]])
        assert said.strip() == sample.question


def test_every_number_tells_the_template(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = by_template(cache)
    main(["list", "runs", "--json", "--cache", str(cache)])
    listed = {row["run_key"]: row["template"] for row in json.loads(capsys.readouterr().out)}
    for template, run in runs.items():
        text = template or named("standard", "letters")
        assert listed[run.run_key] == text
        ask = ["estimate", "--model", "demo/oracle", "--benchmark", "few", "--run", run.run_key]
        main([*ask, "--json", "--cache", str(cache)])
        (record,) = json.loads(capsys.readouterr().out)
        assert record["template"] == text
        assert record["settings"].get("template") == template


def test_estimates_by_other_templates_say_so_in_words(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = by_template(cache)[LLAVA].run_key
    ask = ["estimate", "--model", "demo/oracle", "--benchmark", "few", "--run", run]
    main([*ask, "--cache", str(cache)])
    assert "prompt template: llava" in capsys.readouterr().out


def test_settings_of_usual_runs_are_what_they_always_were(cache: Path) -> None:
    """Their estimates keep their keys."""
    chosen = choose_run(cache, model="demo/oracle", benchmark="few")
    standard = by_template(cache)[None]
    assert chosen.run_key in {run.run_key for run in by_template(cache).values()}
    (record,) = estimate_run(cache, standard, EstimateOptions(by="none"))
    assert not {"template", "answers", "imported"} & record.settings.keys()


def test_another_mask_scope_is_one_of_the_same_template(cache: Path) -> None:
    runs = by_template(cache)
    for template, told in ((LLAVA, "--template llava"), (OWN, f"--template '{OWN}'")):
        plan = plan_sensitivity(cache, runs[template], over="mask_scope")
        assert len(plan.tasks) == 1
        assert plan.remedy is not None
        assert plan.remedy.endswith(f"--mask-scope question {told}")


def test_a_job_remembers_its_template_and_says_its_name() -> None:
    plain = options(benchmark="digits_vqa")
    assert "template" not in request_of(plain)
    for template, name in ((LLAVA, "prompt: llava"), (OWN, "prompt: own ")):
        other = dataclasses.replace(plain, template=template)
        assert options_of(request_of(other)) == other
        assert name in title_of(other)


def test_a_template_must_fit_the_answers() -> None:
    with pytest.raises(BadOption, match="list no options"):
        options(template=OWN, answers="yes-no")
    assert options(template="{question}?", answers="yes-no").asking.text == "{question}?"


def test_an_unknown_template_is_refused_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["profile", "--model", "demo/oracle", "--benchmark", "digits_vqa"]
    assert main([*ask, "--template", "vlmeval", "--cache", str(tmp_path)]) == 2
    assert "'vlmeval' is no prompt template and no file" in capsys.readouterr().err


def test_an_imported_run_has_no_template_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {
        **dict.fromkeys(("model", "family", "benchmark", "benchmark_key"), "x"),
        "imported": "a table",
    }
    write_sidecar(tmp_path, run_key(config), config)
    ingest(tmp_path)
    main(["list", "runs", "--json", "--cache", str(tmp_path)])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["template"] is None
