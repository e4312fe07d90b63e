"""A plan is carried out cell by cell, goes on after a kill, and tries again what failed."""

import os
import signal
from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.queries import runs
from model_runners.__main__ import main
from model_runners.jobs import cancel, open_job, start
from model_runners.plans import supervisor
from model_runners.plans.plan_file import plan_of
from model_runners.plans.standing import standings
from model_runners.plans.supervisor import Cell, _failed
from tests.model_runners.small_jobs import row_of, wait_for

CONTENT = {
    "models": ["demo/oracle", "demo/fusion-small"],
    "benchmarks": [{"benchmark": "digits_vqa", "subset": "synergy", "split": "test"}],
    "settings": [{"limit": 8, "draws": 1}],
    "devices": ["cpu"],
}


def test_a_plan_killed_in_the_middle_goes_on_and_measures_each_cell_once(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [{"limit": 8, "draws": 1, "seed": seed} for seed in (0, 1)]
    plan = plan_of({**CONTENT, "models": [str(untrained)], "settings": settings})
    assert [one.state for one in standings(tmp_path, plan)] == ["missing", "missing"]
    cache = ["--cache", str(tmp_path)]
    first, second = (one.job_key for one in standings(tmp_path, plan))
    open_job(tmp_path, plan.cells[0])  # measured here: a process less that imports everything
    assert main(["resume", first, *cache]) == 0
    began = row_of(tmp_path, first).started
    row = start(tmp_path, plan)
    wait_for(lambda: (job := jobs.job(tmp_path, second)) is not None and job.state == "running")
    killed = row_of(tmp_path, row.job_key).pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: row_of(tmp_path, row.job_key).pid != killed)  # its keeper replaces it
    cancel(tmp_path, row.job_key, now=True)
    assert row_of(tmp_path, second).state in {"running", "done"}  # neither takes the cell along
    assert main(["resume", row.job_key, *cache]) == 0
    assert "2 of 2 cells measured" in capsys.readouterr().err
    assert [one.state for one in standings(tmp_path, plan)] == ["done", "done"]
    assert [run.n_samples for run in runs(tmp_path)] == [8, 8]
    assert row_of(tmp_path, first).started == began  # what is measured is not started again
    for chunk in tmp_path.glob("spool/*/0*.parquet"):
        chunk.unlink()
    assert main(["rebuild", *cache]) == 0
    assert [one.state for one in standings(tmp_path, plan)] == ["stale", "stale"]


@pytest.mark.slow  # three processes, each of which imports everything
def test_a_cancelled_plan_stops_its_cells(tmp_path: Path) -> None:
    plan = plan_of({**CONTENT, "settings": [{"draws": 4}]})
    row = start(tmp_path, plan)
    first = standings(tmp_path, plan)[0].job_key
    wait_for(lambda: (job := jobs.job(tmp_path, first)) is not None and job.state == "running")
    cancel(tmp_path, row.job_key)
    wait_for(lambda: not row_of(tmp_path, row.job_key).is_active)
    assert row_of(tmp_path, row.job_key).state == "cancelled"
    assert row_of(tmp_path, first).state == "cancelled"
    assert [one.state for one in standings(tmp_path, plan)] == ["stopped", "missing"]


def test_a_cell_that_fails_is_tried_again_after_pauses_that_double() -> None:
    cell = Cell(options=plan_of(CONTENT).cells[0], job_key="k")
    pauses: list[float] = []
    for tries in (1, 2, 3):
        cell.tries = tries
        before = supervisor.time.monotonic()
        _failed(cell, "no luck", retries=2)
        pauses.append(cell.due - before)
    assert [round(pause) for pause in pauses[:2]] == [5, 10]
    assert (cell.state, cell.error, cell.is_over) == ("failed", "no luck", True)


@pytest.mark.slow  # three processes, as above
def test_a_plan_with_a_cell_that_fails_measures_the_others_and_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "llava"}')
    file = tmp_path / "plan.yaml"
    file.write_text(
        f"models: [{broken}, demo/oracle]\nretries: 0\ndevices: cpu\n"
        "benchmarks: [{benchmark: digits_vqa, subset: synergy}]\n"
        "settings: [{limit: 4, draws: 1, split: test}]\n"
    )
    cache = ["--cache", str(tmp_path / "cache")]
    assert main(["run", str(file), *cache]) == 2
    said = capsys.readouterr().err
    assert "1 of 2 cells failed, the first broken on digits_vqa" in said
    assert main(["run", str(file), "--list", *cache]) == 0
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()] == ["failed", "done"]
    assert "1 failed, 1 done" in said.err
