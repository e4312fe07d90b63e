"""The runs behind the numbers are one click away: weights, versions, device, time, command."""

from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.ingest import ingest
from data_cache.queries import runs
from pages.widgets import state
from pages.widgets.provenance import _read_speeds, frame_of
from tests.data_cache.spools import profile, small_benchmark
from tests.pages.caches import build_cache
from tests.pages.spectra import record
from tests.pages.test_spectra import open_page


def test_a_run_is_told_with_all_that_its_predictions_depend_on(tmp_path: Path) -> None:
    key = profile(tmp_path, small_benchmark(20), draws=2, weights="0123456789abcdef", seed=7)
    ingest(tmp_path)
    job = jobs.open_or_create(tmp_path, "profile", {"model": "m"}, "m on b")
    assert jobs.claim(tmp_path, job.job_key)
    result = {"run_key": key, "computed": 20, "seconds": 4.0, "rate": 5.0}
    assert jobs.finish(tmp_path, job.job_key, "done", result=result)
    (run,) = runs(tmp_path)
    (row,) = frame_of([run], _read_speeds(str(tmp_path), "0")).to_dict("records")
    assert row["Run"] == key
    assert row["Weights"] == "0123456789abcdef"
    assert row["Benchmark's hash"] == small_benchmark(20).key
    assert "seed 7, 2 draws" in row["Masking"]
    assert (row["Inference (s)"], row["Samples per second"]) == (4.0, 5.0)


def test_a_click_on_spectra_shows_runs_and_the_command_that_repeats_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    build_cache(cache, [record("synergy")])
    app = open_page()
    app.session_state[state.SETTINGS_OPEN] = True
    app.run()
    assert any("python -m model_runners profile --model" in code.value for code in app.code)
