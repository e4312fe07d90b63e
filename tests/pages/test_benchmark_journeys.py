"""Each benchmark's fixture from the Run page: what is picked is the job of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import jobs
from model_runners.jobs import follow
from model_runners.profile import ProfileOptions
from model_runners.requests import request_of
from pages.widgets.benchmark_choices import OTHER_FILE
from tests.benchmark_files.every import EVERY, OWN, expected_of, written
from tests.pages.test_run import badges, open_run, stop_all
from tests.pages.test_spectra import charts, words

MODEL = "demo/oracle"
IN_DEFAULT_RUN = "own_records"
"""The others take the same way, and a process each."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache on a machine without any benchmark; workers are stopped at the end."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    monkeypatch.setenv("LMUData", str(tmp_path / "LMUData"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    yield folder
    stop_all(folder)


def pick(app: AppTest, name: str, folder: Path) -> dict[str, str]:
    """Choose a fixture, all of its samples and one draw; returns what was chosen."""
    asked = written(name, folder)
    if name in OWN:
        app.selectbox(key="run_benchmark").set_value(OTHER_FILE).run()
        app.text_input(key="run_benchmark_file").set_value(asked["benchmark"])
    else:
        app.selectbox(key="run_benchmark").set_value(name).run()
        app.text_input(key=f"run_benchmark_place_{name}").set_value(asked["data"])
    app.run()
    app.segmented_control(key="run_split").set_value("all")
    app.number_input(key="run_draws").set_value(1).run()
    assert not app.exception
    return asked


@pytest.mark.parametrize(
    "name",
    [
        name if name == IN_DEFAULT_RUN else pytest.param(name, marks=pytest.mark.slow)
        for name in EVERY
    ],
)
def test_a_benchmark_is_picked_run_by_a_worker_and_shown(
    name: str, cache: Path, tmp_path: Path
) -> None:
    app = open_run()
    asked = pick(app, name, tmp_path / name)
    app.button(key="start").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    assert row.request == request_of(
        ProfileOptions(model=MODEL, split="all", draws=1, **asked)  # pyright: ignore
    )
    assert follow(cache, row.job_key).state == "done", jobs.tail(cache, row.job_key)
    app.run()
    assert ":green-badge[done]" in badges(app)
    for reason, count in expected_of(name).left_out.items():
        assert f"{count:,} {'row' if count == 1 else 'rows'} ({reason})" in words(app)
    show = [button for button in app.button if button.key == f"show_spectra_{row.job_key}"]
    if show and jobs.jobs(cache)[0].result["spectra"]:
        show[0].click().run()
        assert not app.exception
        assert charts(app)


def pickers() -> None:
    import streamlit as st

    from pages.widgets.run_choices import choose_run

    st.session_state["options"] = choose_run()


@pytest.mark.parametrize("name", EVERY)
def test_what_is_picked_is_what_the_command_line_would_run(
    name: str, cache: Path, tmp_path: Path
) -> None:
    app = AppTest.from_function(pickers, default_timeout=60).run()
    asked = pick(app, name, tmp_path / name)
    assert request_of(app.session_state["options"]) == request_of(
        ProfileOptions(model=MODEL, split="all", draws=1, **asked)  # pyright: ignore
    )
    assert not app.error
    subsets = app.selectbox(key="run_subset").options
    assert set(expected_of(name).subsets.values()) <= set(subsets)


def test_frames_of_a_video_are_asked_for_where_there_are_videos(
    cache: Path, tmp_path: Path
) -> None:
    app = AppTest.from_function(pickers, default_timeout=60).run()
    asked = pick(app, "music_avqa", tmp_path / "videos")
    app.number_input(key="run_benchmark_frames").set_value(2).run()
    assert not app.exception
    options = app.session_state["options"]
    assert request_of(options)["frames"] == 2
    app.selectbox(key="run_benchmark").set_value("pope").run()
    pope = written("pope", tmp_path / "pope")
    app.text_input(key="run_benchmark_place_pope").set_value(pope["data"]).run()
    assert not app.exception
    assert "frames" not in request_of(app.session_state["options"]), "there is no video"
    assert asked["benchmark"] == "music_avqa"
