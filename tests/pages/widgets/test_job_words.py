"""What is said about a job, from its row alone."""

from pathlib import Path
from typing import Any

import pytest

from data_cache.jobs import JobRow
from model_runners.cost import Cost
from pages.widgets import job_words
from pages.widgets.run_start import basis, numbers


def row(**changes: Any) -> JobRow:
    fields: dict[str, Any] = {
        "job_key": "0" * 16, "kind": "profile", "title": "t", "request": {}, "state": "running",
        "pid": 7, "process_started": "", "heartbeat": 0.0, "done": 32, "total": 128,
        "unit": "sample", "rate": 8.0, "message": "model runs", "error": None,
        "cancel_requested": False, "log_path": Path("log"), "created": 0.0, "started": 0.0,
        "finished": None,
    }  # fmt: skip
    return JobRow(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "32 of 128 samples, 8 samples/s, about 12 s left"),
        ({"rate": None}, "32 of 128 samples"),
        ({"done": 0, "total": None, "rate": None}, "0 samples"),
        ({"done": 128}, "128 of 128 samples, 8 samples/s"),
        ({"state": "cancelled"}, "32 of 128 samples, 8 samples/s"),
    ],
)
def test_progress_says_what_is_known_and_nothing_else(
    changes: dict[str, Any], sentence: str
) -> None:
    assert job_words.progress_of(row(**changes)) == sentence


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "running", "model runs"),
        ({"cancel_requested": True}, "stopping", "It stops after the chunk in hand."),
        ({"state": "queued", "pid": None, "message": ""}, "waiting", ""),
        ({"state": "failed", "error": "the disk is full"}, "failed", "the disk is full"),
        ({"state": "lost"}, "lost", job_words.lost("profile")),
        ({"state": "lost", "kind": "finetune"}, "lost", job_words.lost("finetune")),
        (
            {"cancel_requested": True, "kind": "finetune"},
            "stopping",
            "It stops after the step in hand.",
        ),
    ],
)
def test_every_state_has_its_words(changes: dict[str, Any], state: str, words: str) -> None:
    job = row(**changes)
    assert job_words.state_of(job) == state
    assert state in job_words.STATES
    assert job_words.outcome_of(job) == words
    assert job_words.is_worked_on(job) == (state in {"running", "stopping"})


@pytest.mark.parametrize(
    ("done", "total", "share"), [(0, None, 0.0), (5, 0, 0.0), (32, 128, 0.25), (9, 8, 1.0)]
)
def test_a_bar_is_never_longer_than_its_frame(done: int, total: int | None, share: float) -> None:
    assert job_words.share_done(row(done=done, total=total)) == share


def test_times_and_rates_are_put_into_words() -> None:
    assert [job_words.duration(s) for s in (0, 59.6, 3600, 200_000)] == [
        "1 s", "1 min", "1 h", "2 d 7 h",
    ]  # fmt: skip
    assert (job_words.number(0.0456), job_words.number(1234.5)) == ("0.046", "1,234")
    assert job_words.parameters(7_060_000_000) == "7.06 billion"


def test_a_cost_that_is_not_known_is_not_invented() -> None:
    cost = Cost(
        passes_per_sample=14,
        samples=10,
        passes=140,
        parameters=None,
        memory_bytes=None,
        seconds=None,
        basis="time: no run of this model here yet; memory: not on this machine",
    )
    assert [value for _, value, _ in numbers(cost)] == ["10", "14", "140", *["not known yet"] * 3]
    assert basis(cost).startswith("Time: not known yet, no run of this model here; memory: ")
