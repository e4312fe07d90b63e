"""Weights in 8 or 4 bits are another run, by choice; what cannot be had is one sentence."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from data_cache import queries
from data_cache.samples import Benchmark
from model_runners import quantisation
from model_runners.__main__ import build_parser
from model_runners.commands.finetune import chosen
from model_runners.errors import BadOption
from model_runners.finetuning import requests as finetune_requests
from model_runners.finetuning.options import StudyOptions
from model_runners.finetuning.records import adapter_key
from model_runners.finetuning.scores import profile_options
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileOptions, profile
from model_runners.quantisation import QUANTISATIONS, check_quantisation
from model_runners.requests import options_of, request_of, title_of


@pytest.mark.slow
@pytest.mark.parametrize("quantise", QUANTISATIONS)
@pytest.mark.filterwarnings("ignore:MatMul8bitLt:UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_quantised_model_is_another_run(tmp_path: Path, quantise: str) -> None:
    pytest.importorskip("bitsandbytes")
    asked = ProfileOptions(
        model="demo/oracle", benchmark="digits_vqa", limit=8, draws=1, quantise=quantise
    )
    report = profile(asked, tmp_path)
    usual = profile(ProfileOptions(**{**request_of(asked), "quantise": None}), tmp_path)
    assert report.run_key != usual.run_key
    assert report.self_test.passed
    assert report.dtype == "float32", "of the weights that are not packed"
    configs = {run.run_key: run.config for run in queries.runs(tmp_path)}
    assert configs[report.run_key]["quantisation"] == quantise
    assert configs[usual.run_key]["quantisation"] is None
    assert configs[report.run_key]["noise"] != configs[usual.run_key]["noise"]
    small, whole = (
        load("demo/oracle", quantise=how).model.get_memory_footprint() for how in (quantise, None)
    )
    assert small < whole


def test_what_is_not_installed_is_named_with_its_pip_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quantisation, "PACKAGE", "no_such_package_of_bits")
    assert importlib.util.find_spec(quantisation.PACKAGE) is None
    with pytest.raises(BadOption, match=r"8bit need no_such.*pip install no_such_package_of_bits"):
        check_quantisation("8bit")


@pytest.mark.parametrize(
    ("quantise", "says"), [("2bit", "quantise must be one of 8bit, 4bit, not '2bit'")]
)
def test_a_precision_that_is_none_is_refused(quantise: str, says: str) -> None:
    with pytest.raises(BadOption, match=says):
        check_quantisation(quantise)


def test_without_it_a_job_keeps_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantisation, "PACKAGE", "torch")  # so that the option is taken
    asked = ProfileOptions(model="demo/oracle", benchmark="digits_vqa", quantise="4bit")
    assert options_of(request_of(asked)) == asked
    assert "weights in 4bit" in title_of(asked)
    assert "quantise" not in request_of(ProfileOptions(model="demo/oracle", benchmark="digits_vqa"))


def test_a_training_on_fewer_bits_is_another_one_and_where_it_lies_makes_no_other(
    monkeypatch: pytest.MonkeyPatch, oracle: LoadedModel, digits: Benchmark
) -> None:
    monkeypatch.setattr(quantisation, "PACKAGE", "torch")
    words = "finetune --model demo/oracle --benchmark digits_vqa --seeds 2 --strategy uniform,pid"
    more = "--quantize 4bit --device-map auto --trust-remote-code"
    usual, held = (
        chosen(build_parser(["finetune"]).parse_args(given.split()))[1]
        for given in (words, f"{words} {more}")
    )
    assert (held.quantise, held.device_map, held.trust_remote_code) == ("4bit", "auto", True)
    assert "weights in 4bit, spread over devices" in finetune_requests.title_of(held)
    assert finetune_requests.options_of(finetune_requests.request_of(held)) == held
    asked = finetune_requests.request_of(usual)
    assert not {"quantise", "device_map", "trust_remote_code"} & set(asked), "its key is kept"
    keys = [
        adapter_key(one, loaded=oracle, benchmark=digits)
        for one in (usual, dataclasses.replace(held, quantise=None), held)
    ]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]
    study = StudyOptions.of(held, ("uniform", "pid"), 2)
    assert {one.quantise for one in study.trainings()} == {"4bit"}
    measured = profile_options(held, model="demo/oracle", split="test")
    assert (measured.quantise, measured.device_map) == ("4bit", "auto")
