"""Advice rests on what was measured, and there is none where nothing was large."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_cache.location import times_path
from data_cache.run_times import MOST, RunTime, note_time, timed_runs, times_of
from model_runners.profile import ProfileOptions, profile
from model_runners.time_advice import advice, said, shares

ENTRY = RunTime(
    ended="2026-11-22T08:00:00+00:00",
    wall=100.0,
    parts={"loading": 5.0, "language": 20.0, "writing": 5.0},
    samples=10,
    passes=140,
    rows=64,
    draws=4,
    device="cpu",
    device_name="x86_64",
    dtype="float32",
    threads=2,
    counts={"positions": 1000, "padding": 300, "images_encoded": 7},
)


def test_shares_add_up_to_one_with_what_belongs_to_no_part() -> None:
    found = shares(ENTRY)
    assert found == pytest.approx({"loading": 0.05, "language": 0.2, "writing": 0.05, "other": 0.7})
    assert sum(shares(replace(ENTRY, wall=1.0)).values()) == pytest.approx(1)  # clocks differ
    assert said("other") == "everything else"


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"loading": 30.0, "statistics": 30.0}, "60% of the time went by before the first sample"),
        ({"waiting": 40.0}, "40% of the time went to pre-processing"),
        ({"vision": 30.0}, "for 7 images"),
        ({"language": 60.0}, "14 passes a sample, of which --draws 1 leaves 5"),
        ({"language": 60.0}, "30% of its positions were padding"),
        ({"masking": 30.0}, "4 draws of it"),
        ({"heads": 30.0}, "--layers"),
        ({"writing": 20.0, "ingest": 10.0}, "30% of the time went to writing"),
    ],
)
def test_what_is_large_is_said_with_what_lessens_it(parts: dict[str, float], word: str) -> None:
    assert any(word in sentence for sentence in advice(replace(ENTRY, parts=parts)))


def test_what_was_not_measured_or_is_small_is_not_advised() -> None:
    assert advice(ENTRY) == []
    assert advice(replace(ENTRY, wall=0.5, parts={"language": 0.5})) == []
    one = replace(ENTRY, parts={"language": 90.0}, draws=1, counts={})
    assert advice(one) == ["90% of the time went to the text stack, in one draw of noise"]
    assert advice(replace(ENTRY, parts={"vision": 50.0}, counts={"images_read": 7})) == []


def test_entries_are_kept_and_the_oldest_go(tmp_path: Path) -> None:
    for number in range(MOST + 2):
        note_time(tmp_path, "a" * 16, replace(ENTRY, samples=number))
    found = times_of(tmp_path, "a" * 16)
    assert [one.samples for one in found] == list(range(2, MOST + 2))
    assert found[-1] == replace(ENTRY, samples=MOST + 1)
    assert timed_runs(tmp_path) == ["a" * 16]
    times_path(tmp_path, "a" * 16).write_text('{"entries": [{"wall": "x"}, 3]}')
    assert times_of(tmp_path, "a" * 16) == []
    assert timed_runs(tmp_path / "nowhere") == []


def test_a_run_says_where_its_time_went_and_one_that_computed_nothing_says_nothing(
    untrained: Path, tmp_path: Path
) -> None:
    options = ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=6, draws=1, device="cpu"
    )
    report = profile(options, tmp_path)
    (entry,) = times_of(tmp_path, report.run_key)
    assert {"loading", "testing", "preprocessing", "vision", "language", "heads", "writing"} <= {
        *entry.parts
    }
    assert sum(entry.parts.values()) <= entry.wall
    assert (entry.samples, entry.passes, entry.draws) == (6, 30, 1)
    assert entry.counts["positions"] > entry.counts["padding"] >= 0
    assert entry.counts["images_encoded"] > 0
    profile(options, tmp_path)
    assert len(times_of(tmp_path, report.run_key)) == 1
