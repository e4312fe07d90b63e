"""Jobs in this process: stopped, failed, asked for again, and what they leave behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data_cache import jobs, queries
from data_cache.errors import CacheError
from model_runners.__main__ import main
from model_runners.errors import Cancelled, ModelNotFound
from model_runners.jobs import open_job, start
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.reporter import Reporter
from model_runners.requests import options_of, request_of, title_of
from model_runners.worker import perform
from tests.model_runners.small_jobs import PATIENCE, chunk_bytes, command_line, options, row_of

ROOT = Path(__file__).resolve().parents[2]


class TestStopped:
    def test_sigterm_finishes_the_chunk_in_hand_and_resume_gives_the_same_bytes(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        undisturbed = profile(options(untrained), tmp_path / "undisturbed")
        cache = tmp_path / "stopped"
        job = open_job(cache, options(untrained))
        assert jobs.claim(cache, job.job_key)

        def terminate(done: int, _total: int) -> None:
            if done == 64:
                os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(Cancelled, match=r"stopped after 64 of 192 samples.*resume"):
            perform(cache, job, show=Progress(samples=terminate))
        row = row_of(cache, job.job_key)
        assert (row.state, row.done) == ("cancelled", 64)
        assert len(queries.predictions(cache, undisturbed.run_key).sample_ids) == 64
        assert main(["resume", job.job_key, "--cache", str(cache)]) == 0
        row = row_of(cache, job.job_key)
        assert (row.state, row.result["computed"]) == ("done", 128)
        assert chunk_bytes(cache, undisturbed.run_key) == chunk_bytes(
            tmp_path / "undisturbed", undisturbed.run_key
        )

    def test_ctrl_c_leaves_the_job_cancelled_with_a_sentence(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        job = open_job(tmp_path, options(untrained))
        jobs.claim(tmp_path, job.job_key)

        def interrupt(done: int, _total: int) -> None:
            if done == 64:
                raise KeyboardInterrupt

        with pytest.raises(Cancelled, match=rf"interrupted.*resume {job.job_key}"):
            perform(tmp_path, job, show=Progress(samples=interrupt))
        assert row_of(tmp_path, job.job_key).state == "cancelled"

    def test_a_cancel_reaches_a_worker_that_says_nothing_new(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        job = open_job(tmp_path, options(untrained))
        jobs.claim(tmp_path, job.job_key)
        with Reporter(tmp_path, job) as reporter:
            assert not reporter.stop.is_set()
            jobs.request_cancel(tmp_path, job.job_key)
            assert reporter.stop.wait(PATIENCE)

    def test_a_worker_whose_job_was_taken_over_stops(self, untrained: Path, tmp_path: Path) -> None:
        job = open_job(tmp_path, options(untrained))
        with Reporter(tmp_path, job) as reporter:  # never claimed by this process
            assert reporter.stop.wait(PATIENCE)


class TestFailed:
    def test_a_missing_model_is_the_job_s_sentence(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = tmp_path / "model"
        shutil.copytree(untrained, model)
        cache = tmp_path / "cache"
        key = open_job(cache, options(model)).job_key
        jobs.reserve(cache, key)
        shutil.rmtree(model)
        assert main(["work", key, "--cache", str(cache)]) == 2
        row = row_of(cache, key)
        assert row.state == "failed"
        assert row.error is not None
        assert "there is no model" in row.error
        assert row.error in capsys.readouterr().err

    @pytest.mark.slow  # the same run twice
    def test_a_cache_that_goes_away_in_the_middle_is_a_sentence_and_the_next_start_makes_it_whole(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        cache = tmp_path / "cache"
        job = open_job(cache, options(untrained))
        assert jobs.claim(cache, job.job_key)

        def take_away(done: int, _total: int) -> None:
            if done == 64:
                cache.rename(tmp_path / "elsewhere")

        with pytest.raises(CacheError, match=r"was emptied while .* start it again"):
            perform(cache, job, show=Progress(samples=take_away))
        again = open_job(cache, options(untrained))
        assert jobs.claim(cache, again.job_key)
        assert perform(cache, again).result["computed"] == 64  # the first chunk, and no other
        (run,) = queries.runs(cache)
        assert len(queries.predictions(cache, run.run_key).sample_ids) == 192

    @pytest.mark.slow  # a process that may not keep what it compiles: 25 s
    def test_a_full_disk_is_the_job_s_sentence_and_keeps_what_was_computed(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        key = open_job(tmp_path, options(untrained, limit=64)).job_key
        jobs.reserve(tmp_path, key)
        # The limit on file size makes the kernel refuse to write the database, as a full disk does.
        script = (
            "import resource, sys\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "from model_runners.__main__ import main\n"
            "sys.exit(main(['work', sys.argv[1], '--cache', sys.argv[2]]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, key, str(tmp_path)], cwd=ROOT, capture_output=True,
            text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert done.returncode == 2
        row = row_of(tmp_path, key)
        assert row.state == "failed"
        assert row.error is not None
        assert "free some space" in row.error
        assert done.stderr.splitlines()[-1] == f"pidscope: {row.error}"
        assert main(["resume", key, "--cache", str(tmp_path)]) == 0
        assert row_of(tmp_path, key).result["computed"] == 0

    def test_a_worker_that_comes_late_does_nothing(self, untrained: Path, tmp_path: Path) -> None:
        key = open_job(tmp_path, options(untrained)).job_key
        jobs.reserve(tmp_path, key)
        jobs.request_cancel(tmp_path, key)
        assert main(["work", key, "--cache", str(tmp_path)]) == 0
        assert row_of(tmp_path, key).state == "cancelled"

    def test_an_unknown_model_makes_no_job(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFound):
            start(tmp_path / "cache", options(Path("demo/oracel")))
        assert not (tmp_path / "cache").exists()

    def test_an_unknown_key_is_one_sentence(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for verb in ("resume", "cancel", "work"):
            assert main([verb, "0123", "--cache", str(tmp_path)]) == 2
            assert "no job with a key that starts with '0123'" in capsys.readouterr().err


class TestRequests:
    def test_a_request_survives_json(self, untrained: Path) -> None:
        chosen = options(untrained, subset="vision", limit=None, layers=True)
        assert options_of(json.loads(json.dumps(request_of(chosen)))) == chosen

    def test_a_folder_means_the_same_from_everywhere(
        self, untrained: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(untrained.parent)
        assert request_of(options(Path(untrained.name))) == request_of(options(untrained))

    def test_the_title_tells_what_is_not_ordinary(self) -> None:
        plain = ProfileOptions(model="demo/oracle", benchmark="digits_vqa")
        assert title_of(plain) == "demo/oracle on digits_vqa (4 draws)"
        other = ProfileOptions(
            model="/a/b", benchmark="digits_vqa", subset="vision", split="test", limit=8, draws=1
        )
        assert title_of(other) == "b on digits_vqa (vision, test, first 8, 1 draw)"


class TestResults:
    def test_a_finished_job_has_its_spectra_and_a_second_start_computes_nothing(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from data_cache import estimates

        chosen = options(untrained, limit=64)
        assert main(command_line("profile", chosen, tmp_path)) == 0
        assert "5 spectra" in capsys.readouterr().err
        subsets = {record.subset for record in estimates.load(tmp_path)}
        assert subsets == {"all", "language", "redundant", "synergy", "vision"}
        (job,) = jobs.jobs(tmp_path)
        speed = job.result["speed"]
        assert main(command_line("profile", chosen, tmp_path)) == 0
        assert "nothing left to compute" in capsys.readouterr().err
        (job,) = jobs.jobs(tmp_path)
        assert job.result["computed"] == 0
        assert job.result["speed"] == speed  # still the last one measured

    def test_a_run_without_test_samples_says_why_it_has_no_spectrum(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(command_line("profile", options(untrained, limit=1), tmp_path)) == 0
        (job,) = jobs.jobs(tmp_path)
        said = capsys.readouterr().err
        assert job.result["spectra"] == 0
        (sentence,) = job.result["without_spectrum"]
        assert "no sample of this run belongs to the test split" in sentence
        assert sentence in said

    def test_jobs_are_listed_as_a_table_and_as_json(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["list", "jobs", "--cache", str(tmp_path)]) == 0
        assert capsys.readouterr().out == "no jobs\n"
        key = open_job(tmp_path, options(untrained)).job_key
        assert main(["list", "jobs", "--cache", str(tmp_path)]) == 0
        header, line = capsys.readouterr().out.splitlines()
        assert header.split()[:2] == ["job_key", "state"]
        assert line.split()[:2] == [key, "queued"]
        assert main(["list", "jobs", "--json", "--cache", str(tmp_path)]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row["request"]["limit"] == 192
