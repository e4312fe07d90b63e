"""Weights in 8 or 4 bits are another run, by choice; what cannot be had is one sentence."""

import importlib.util
from pathlib import Path

import pytest

from data_cache import queries
from model_runners import quantisation
from model_runners.errors import BadOption
from model_runners.loading import load
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
