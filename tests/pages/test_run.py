"""The Run page with real jobs on real cache folders."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import estimates, jobs
from data_cache.errors import CacheDamaged
from model_runners.jobs import cancel, follow
from model_runners.models import MODELS
from model_runners.profile import ProfileOptions
from model_runners.requests import KIND, request_of, title_of
from pages.widgets.run_choices import OTHER
from tests.pages.caches import build_cache
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, charts, open_page, words

PATIENCE = 120
"""Seconds after which a test gives up; nothing is measured by it."""
SMALL = ProfileOptions(model="demo/oracle", benchmark="digits_vqa", split="test", limit=64, draws=1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a cache that does not exist yet; whatever runs in it at the end is stopped."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    yield folder
    stop_all(folder)


def stop_all(folder: Path) -> None:
    """Stop every worker; a test may have damaged the file, or be the job's process itself."""
    with suppress(CacheDamaged):
        for row in jobs.jobs(folder):
            if row.pid != os.getpid():
                cancel(folder, row.job_key, now=True)


def open_run() -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60).switch_page("pages/run.py").run()
    assert not app.exception
    return app


def choose_small(app: AppTest) -> AppTest:
    app.number_input(key="run_limit").set_value(SMALL.limit)
    app.number_input(key="run_draws").set_value(SMALL.draws).run()
    assert not app.exception
    return app


def record_job(cache: Path, options: ProfileOptions = SMALL, *, title: str = "") -> str:
    """A job that nobody works on yet."""
    row = jobs.open_or_create(cache, KIND, request_of(options), title or title_of(options))
    return row.job_key


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def badges(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in app.markdown)


def run_until(app: AppTest, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, words(app)
        time.sleep(0.2)
        app.run()
        assert not app.exception


def test_an_empty_cache_has_a_cost_and_no_job(cache: Path) -> None:
    app = choose_small(open_run())
    page = words(app)
    assert {"64", "5", "320", "not known yet"} <= set(page.splitlines())
    assert "no run of this model here" in page
    assert "No job has been started in this cache yet." in page
    assert not cache.exists(), "looking must not create anything"


@pytest.mark.slow  # a worker; in a browser, test_run.py of that folder does the same
def test_a_run_is_started_once_and_its_spectra_come_by_themselves(cache: Path) -> None:
    app = choose_small(open_run())
    app.button(key="start").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    assert row.request == request_of(SMALL)
    assert "Cancel" in labels(app)
    second_tab = choose_small(open_run())
    second_tab.button(key="start").click().run()
    assert [one.pid for one in jobs.jobs(cache)] == [row.pid]

    assert follow(cache, row.job_key).state == "done", jobs.tail(cache, row.job_key)
    app.run()
    assert ":green-badge[done]" in badges(app)
    assert "no run of this model here" not in words(app), "its speed is known now"
    app.button(key=f"show_spectra_{row.job_key}").click().run()
    assert not app.exception
    assert charts(app)


@pytest.mark.slow  # a worker with layers: 20 s
def test_a_run_of_every_layer_can_be_asked_for(cache: Path) -> None:
    app = choose_small(open_run())
    app.number_input(key="run_limit").set_value(8).run()
    app.selectbox(key="run_layers").set_value("every layer").run()
    app.button(key="start").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    assert row.request["layers"] is True
    assert follow(cache, row.job_key).state == "done", jobs.tail(cache, row.job_key)
    layers = {spectrum.layer for spectrum in estimates.load(cache, layer=None)}
    assert layers == {-1, 0, 1, 2, 3}


@pytest.mark.slow
def test_a_job_is_cancelled_and_resumed_from_its_card(cache: Path) -> None:
    app = choose_small(open_run())
    app.button(key="start").click().run()
    (row,) = jobs.jobs(cache)
    app.button(key=f"cancel_{row.job_key}").click().run()
    assert not app.exception
    assert follow(cache, row.job_key).state == "cancelled"
    app.run()
    assert "Cancel" not in labels(app)
    app.button(key=f"resume_{row.job_key}").click().run()
    assert not app.exception
    assert "Cancel" in labels(app)
    run_until(app, lambda: "Show spectra" in labels(app))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("demo/oracel", "did you mean 'demo/oracle'?"),
        ("../../etc/passwd", "there is no model '../../etc/passwd'"),
        ("~no-such-person/model", "cannot be looked for"),
        ("![x](http://127.0.0.1/x.png)", "there is no model '![x](http://127.0.0.1/x.png)'"),
        ("owner/..", "there is no model 'owner/..'"),
    ],
)
def test_a_model_that_cannot_be_is_a_sentence_and_starts_nothing(
    cache: Path, name: str, sentence: str
) -> None:
    app = open_run()
    app.selectbox(key="run_model").set_value(OTHER).run()
    assert "Give the folder of a model" in words(app)
    app.text_input(key="run_other_model").set_value(name).run()
    assert not app.exception
    assert sentence in "\n".join(text.value for text in app.text)
    assert "Start" not in labels(app)
    assert "Jobs" in words(app), "the rest of the page is there"
    assert not cache.exists()


def test_a_model_in_a_folder_is_added_to_the_list_without_code(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llava"}')
    own = cache / "models.yaml"
    cache.mkdir()
    own.write_text("# what I tuned\n")
    app = open_run()
    app.selectbox(key="run_model").set_value(OTHER).run()
    app.text_input(key="run_other_model").set_value(str(folder)).run()
    field = app.text_input(key=f"keep_name_{folder}")
    assert field.value == "my-checkpoint"
    field.set_value("llava-1.5-7b")
    app.button(key="keep_model").click().run()
    assert not app.exception
    assert "that of a model of the papers" in words(app)
    app.text_input(key=f"keep_name_{folder}").set_value("my-llava")
    app.button(key="keep_model").click().run()
    assert not app.exception
    assert app.selectbox(key="run_model").value == "my-llava"
    assert "Start" in labels(app)
    assert "keep_model" not in {button.key for button in app.button}, "it is in the list now"
    assert own.read_text().startswith("# what I tuned\nmy-llava:")
    assert MODELS["my-llava"].model_type == "llava"


def test_a_model_of_the_hub_says_what_would_be_downloaded_or_why_not(cache: Path) -> None:
    app = open_run()
    app.selectbox(key="run_model").set_value("llava-1.5-7b").run()
    assert not app.exception
    assert "HF_HUB_OFFLINE is set" in words(app), "the tests run without a network"


def test_a_finished_job_shows_its_self_test_and_the_samples_left_out(cache: Path) -> None:
    key = record_job(cache)
    jobs.claim(cache, key)
    check = {"name": "lens", "value": 0.0, "limit": 1e-4, "passed": True, "meaning": "it differs"}
    result = {
        "run_key": "r", "model": "m", "benchmark": "b",
        "bad_samples": [{"sample_id": "s-1", "reason": "[an](http://x) image"}],
        "bad_sample_count": 120,
        "self_test": {"passed": True, "checks": [check]},
    }  # fmt: skip
    jobs.finish(cache, key, "done", result=result, message="done")
    app = open_run()
    assert {"120 samples left out", "Self-test passed (1 checks)"} <= {
        expander.label for expander in app.expander
    }
    frames = [frame.value for frame in app.dataframe]
    assert any("[an](http://x) image" in frame.to_string() for frame in frames)
    assert any("the last layer's lens is the model's output" in f.to_string() for f in frames)
    assert "The first 1 are shown." in words(app)
    assert "Run those left out again" in labels(app)


def test_a_device_that_is_not_there_is_a_sentence(cache: Path) -> None:
    app = open_page()
    app.session_state["run_device"] = "warp"
    app.switch_page("pages/run.py").run()
    assert not app.exception
    assert "'warp' is not a device" in words(app)
    assert "Start" not in labels(app)


def test_a_lost_job_says_so_and_can_be_resumed(cache: Path) -> None:
    key = record_job(cache)
    gone = 2**22 + 1  # no system of this size of numbers has such a process
    assert jobs.claim(cache, key, gone)
    app = open_run()
    assert ":orange-badge[lost]" in badges(app)
    assert "resume goes on from the chunks" in words(app)
    assert "Resume" in labels(app)


def test_a_failed_job_shows_its_sentence_as_plain_text(cache: Path) -> None:
    key = record_job(cache, title="**model** on ![x](http://127.0.0.1/x.png)")
    jobs.claim(cache, key)
    jobs.finish(cache, key, "failed", "the disk is full; [free](http://x) some space")
    app = open_run()
    plain = [text.value for text in app.text]
    assert "**model** on ![x](http://127.0.0.1/x.png)" in plain
    assert "the disk is full; [free](http://x) some space" in plain
    assert "http" not in badges(app)
    assert "Resume" in labels(app)


def test_a_job_at_work_says_how_far_it_is(cache: Path) -> None:
    key = record_job(cache)
    jobs.claim(cache, key)
    jobs.report(cache, key, 16, 64, 8.0, "model runs")
    app = open_run()
    shown = [str(bar.proto.text) for bar in app.get("progress")]
    assert shown == ["16 of 64 samples, 8 samples/s, about 6 s left"] * 2, "sidebar and card"
    jobs.request_cancel(cache, key)
    app.run()
    assert ":orange-badge[stopping]" in badges(app)
    assert "It stops after the chunk in hand." in words(app)
    assert "Stop at once" in labels(app)


def test_a_job_that_ended_adds_its_model_to_those_shown(cache: Path) -> None:
    build_cache(cache, [record(model="demo/oracle")])
    key = record_job(cache)
    jobs.claim(cache, key)
    app = open_page()
    assert app.multiselect(key="models").value == ["demo/oracle"]
    assert app.get("progress"), "every page says what is at work"
    build_cache(cache, [record(model="demo/fusion-small")])
    result = {"model": "demo/fusion-small", "benchmark": "digits_vqa"}
    jobs.finish(cache, key, "done", result=result)
    app.run()
    assert not app.exception
    assert app.multiselect(key="models").value == ["demo/oracle", "demo/fusion-small"]
    assert not app.get("progress")


def test_many_jobs_come_in_pages(cache: Path) -> None:
    for limit in range(1, 13):
        record_job(cache, ProfileOptions(model="demo/oracle", benchmark="digits_vqa", limit=limit))
    app = open_run()
    assert labels(app).count("Resume") == 10


def test_a_damaged_file_of_jobs_is_a_sentence_here_and_no_trouble_elsewhere(cache: Path) -> None:
    record_job(cache)
    for name in ("jobs.sqlite-wal", "jobs.sqlite-shm"):
        (cache / name).unlink(missing_ok=True)
    (cache / "jobs.sqlite").write_bytes(b"no database" * 1000)
    app = open_page()
    assert "Nothing to show yet" in words(app)
    app.switch_page("pages/run.py").run()
    assert not app.exception
    assert "The list of jobs cannot be shown." in words(app)
