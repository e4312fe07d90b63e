"""Run says behind whom a run would wait, and what waits can be let go sooner."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import jobs
from data_cache.job_queue import Ask, ask
from data_cache.jobs import JobRow, Terms
from model_runners.places import Places
from pages.widgets.run_turn import before
from tests.pages.widgets.test_job_words import row

CPU = Ask(places={"cpu": 1}, names=("the CPU",))
GPUS = Ask(places={"GPU-a": 1, "GPU-b": 1}, names=("GPU 0", "GPU 1"), foreign=frozenset({"GPU-b"}))


def holder(*devices: str) -> JobRow:
    return row(leased=devices)


def waiting(*names: str) -> JobRow:
    return row(state="queued", waits_for=names)


@pytest.mark.parametrize(
    ("wanted", "rows", "said"),
    [
        (CPU, [], ""),
        (CPU, [holder("GPU-a")], ""),
        (CPU, [row(state="done", leased=("cpu",))], ""),
        (CPU, [holder("cpu")], "waits for the CPU: 1 job that has it."),
        (
            CPU,
            [holder("cpu"), waiting("the CPU"), waiting("the CPU")],
            "waits for the CPU: 1 job that has it, 2 jobs in line.",
        ),
        (GPUS, [], ""),
        (
            GPUS,
            [holder("GPU-a")],
            "waits for GPU 0 or GPU 1: 1 job that has it, other programs that hold its memory.",
        ),
    ],
)
def test_a_run_is_told_behind_whom_it_would_wait(
    wanted: Ask, rows: list[JobRow], said: str
) -> None:
    found = before(Places(ask=wanted), rows)
    assert found == (f"A run started now {said}" if said else "")


def test_who_takes_what_others_hold_waits_less() -> None:
    assert before(Places(ask=GPUS), [holder("GPU-a")], takes_held=True) == ""


def page() -> None:
    from pathlib import Path

    import streamlit as st

    from data_cache.location import cache_directory
    from model_runners.profile import ProfileOptions
    from pages.widgets.address import begin_notes
    from pages.widgets.job_cards import show_jobs
    from pages.widgets.run_turn import choose_terms
    from pages.widgets.running_jobs import look

    class Reading:
        cache: Path = cache_directory(None)
        runs = ()

    look()
    begin_notes()
    options = ProfileOptions(model="m", benchmark="b", device="cpu")
    st.text(f"priority {choose_terms(options, Reading.cache).priority}")
    show_jobs(Reading())  # pyright: ignore[reportArgumentType]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path))
    return tmp_path


def queued(cache: Path, title: str) -> str:
    key = jobs.open_or_create(cache, "profile", {"t": title}, title).job_key
    assert jobs.reserve(cache, key, terms=Terms())
    ask(cache, key, CPU)
    return key


def shown(app: AppTest) -> dict[str, Any]:
    assert not app.exception, app.exception
    return {
        "texts": [text.value for text in app.text],
        "badges": [one.value for one in app.markdown],
        "buttons": {one.label: one for one in app.button},
    }


def test_a_job_that_waits_says_so_and_can_be_let_go_sooner(cache: Path) -> None:
    queued(cache, "first")
    second = queued(cache, "second")
    ask(cache, second, CPU, message="waits for the CPU behind job 1a2b3c4d, first")
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["priority"] = "high"
    found = shown(app.run())
    assert "priority 1" in found["texts"], "a link chooses it"
    said = "A run started now waits for the CPU: 1 job that has it."
    assert said in found["texts"], "those in line go after one of high priority"
    assert "waits for the CPU behind job 1a2b3c4d, first" in found["texts"]
    assert ":gray-badge[in line]" in found["badges"]
    found["buttons"]["Sooner"].click()
    found = shown(app.run())
    assert jobs.find(cache, second).priority == "high"
    assert ":gray-badge[high priority]" in found["badges"]
    assert found["buttons"]["Sooner"].disabled
    app.button(key=f"cancel_{second}").click().run()
    assert jobs.find(cache, second).state == "cancelled"
