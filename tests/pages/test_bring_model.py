"""The Run page, where somebody brings a model and asks for its self-test."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import jobs
from model_runners.examining import ExamineOptions
from model_runners.jobs import open_job
from model_runners.models import resolve_model
from model_runners.worker import perform
from pages.widgets import state
from pages.widgets.run_choices import OTHER
from tests.model_runners import zoo
from tests.model_runners.unwritten import UNWRITTEN
from tests.pages.test_run import open_run, stop_all
from tests.pages.test_spectra import words


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    yield folder
    stop_all(folder)


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zoo.build("vipllava", tmp_path_factory.mktemp("brought") / "mine", models=UNWRITTEN)


def bring(model: Path) -> AppTest:
    app = open_run()
    app.selectbox(key="run_model").set_value(OTHER).run()
    app.text_input(key="run_other_model").set_value(str(model))
    app.session_state[state.BRING_OPEN] = True
    app.run()
    assert not app.exception
    return app


def test_a_click_starts_a_self_test_and_a_second_one_is_the_same_job(
    cache: Path, brought: Path
) -> None:
    app = bring(brought)
    app.button(key="test_model").click().run()
    (job,) = jobs.jobs(cache)
    assert job.kind == ExamineOptions.kind
    assert job.title == "self-test of mine"
    assert app.button(key="test_model").disabled


def test_what_was_found_is_shown_by_property_with_the_file_to_begin_with(
    cache: Path, brought: Path
) -> None:
    job = open_job(cache, ExamineOptions(model=str(brought), device="auto", dtype="float32"))
    assert jobs.claim(cache, job.job_key)
    perform(cache, job)
    app = bring(brought)
    (window,) = (one for one in app.expander if one.label.startswith("Self-test of this model"))
    assert window.label == "Self-test of this model: passed (12 checks)"
    table = window.dataframe[0].value
    assert list(table.Holds.unique()) == ["yes"]
    assert "with the image masked, other pixels change nothing" in list(table.Shown)
    assert 'model_type="vipllava"' in window.code[0].value
    assert "no file describes its family" in words(app)


def test_a_refusal_is_shown_with_the_parts_that_a_file_would_name(
    cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "kosmos-2"}')
    job = open_job(cache, ExamineOptions(model=str(folder), device="auto", dtype="float32"))
    assert jobs.claim(cache, job.job_key)
    perform(cache, job)
    app = bring(folder)
    assert "It cannot be used yet" in words(app)
    (window,) = (one for one in app.expander if one.label.startswith("Self-test of this model"))
    assert "24 of Kosmos2TextBlock" in window.code[0].value


def test_code_that_a_model_brings_is_trusted_by_name(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    config = {"model_type": "internvl_chat", "auto_map": {"AutoModel": "modeling.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    app = bring(folder)
    app.text_input(key=f"keep_name_{folder}").set_value("read-it")
    app.checkbox(key=f"keep_trust_{folder}").check()
    app.button(key="keep_model").click().run()
    assert resolve_model("read-it").trusted
    assert not resolve_model(str(folder)).trusted


def test_models_that_ship_need_none(cache: Path) -> None:
    assert not [one for one in open_run().expander if "elf-test" in one.label]
