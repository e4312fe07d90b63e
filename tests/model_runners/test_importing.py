"""Imported predictions give the spectra that the run they came from gives; and the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from data_cache import estimates, queries
from data_cache.benchmarks import load_benchmark
from data_cache.conditions import Condition
from data_cache.imported import ImportOptions
from data_cache.ingest import ingest
from data_cache.queries import Predictions
from data_cache.samples import LETTERS, Benchmark
from model_runners.__main__ import main
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run, layers_of
from model_runners.importing import import_and_estimate
from pid_core.errors import PidError
from tests.benchmark_files import stage_2
from tests.benchmark_files.drawn import drawn
from tests.data_cache.spools import profile

COLUMNS = {
    Condition.FULL: "12",
    Condition.ONLY_1: "1",
    Condition.ONLY_2: "2",
    Condition.NEITHER: "0",
    Condition.NO_IMAGE: "_no_image",
}


def exported(part: Predictions, path: Path) -> Path:
    """Write the first draw of a run's predictions as anybody could: one object a line."""
    lines = []
    for row, sample_id in enumerate(part.sample_ids.tolist()):
        line: dict[str, object] = {"id": sample_id}
        for condition, ending in COLUMNS.items():
            k = part.k[row]
            line[f"mass{ending}"] = np.exp(part.scores[condition][row, 0, :k]).tolist()
            chosen = part.strict_choice[condition][row, 0]
            line[f"choice{ending}"] = "" if chosen < 0 else LETTERS[chosen]
        assert part.features_1 is not None
        assert part.features_2 is not None
        line["features_1"] = part.features_1[row].tolist()
        line["features_2"] = part.features_2[row].tolist()
        lines.append(json.dumps(line))
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.fixture(scope="module")
def digits() -> Benchmark:
    return load_benchmark("digits_vqa")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, digits: Benchmark) -> tuple[Path, Path]:
    """A cache with a run of one draw, and the same predictions as a file."""
    cache = tmp_path_factory.mktemp("cache")
    key = profile(cache, digits, limit=64, draws=1)
    ingest(cache)
    part = queries.predictions(cache, key, features=True)
    return cache, exported(part, cache / "theirs.jsonl")


def test_imported_predictions_give_the_spectra_of_the_run_they_came_from(
    measured: tuple[Path, Path],
) -> None:
    cache, file = measured
    options = ImportOptions(files=(file,), model="elsewhere", benchmark="digits_vqa")
    report = import_and_estimate(cache, options, estimate=False).report
    assert (report.samples, report.is_known, report.has_features) == (64, True, True)
    run = choose_run(cache, model="demo/oracle", benchmark="digits_vqa")
    again = choose_run(cache, model="elsewhere", benchmark="digits_vqa")
    for estimator in ("certified", "ipfp"):
        asked = EstimateOptions(estimator=estimator, by="none", limit=8)
        (own,) = estimate_run(cache, run, asked)
        (theirs,) = estimate_run(cache, again, asked)
        for name in (
            "n", "redundancy", "unique_1", "unique_2", "synergy", "interval", "accuracy",
            "accuracy_forced", "accuracy_by_condition", "d_vision", "noise_floor_bits",
            "fallback_rate", "mean_confidence",
        ):  # fmt: skip
            assert getattr(theirs, name) == getattr(own, name), name
        assert theirs.settings["imported"] == "table of distributions"
        assert "imported" not in own.settings


def test_three_distributions_alone_are_enough_for_spectra(
    measured: tuple[Path, Path], tmp_path: Path
) -> None:
    _, file = measured
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    rows = []
    for line in lines:
        row = {"id": line["id"]}
        for ending in ("12", "1", "2"):
            mass = np.array(line[f"mass{ending}"])
            row[f"p{ending}"] = (mass / mass.sum()).tolist()
        rows.append(row)
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(rows), "utf-8")
    cache = tmp_path / "cache"
    options = ImportOptions(files=(bare,), model="elsewhere", benchmark="digits_vqa")
    import_and_estimate(cache, options, estimate=False)
    run = choose_run(cache, model="elsewhere", benchmark="digits_vqa")
    (record,) = estimate_run(cache, run, EstimateOptions(by="none", limit=8))
    assert (record.subset, record.d_vision, record.noise_floor_bits) == ("all", None, None)
    assert set(record.accuracy_by_condition) == {"full", "only_1", "only_2"}
    assert record.accuracy == record.accuracy_forced  # no tie: the best option is the choice
    assert set(record.fallback_rate.values()) == {0.0}
    # What tau is does not matter where nothing is known of other words.
    (at_all,) = estimate_run(cache, run, EstimateOptions(by="none", limit=8, tau=0.9))
    assert at_all.synergy == record.synergy
    for estimator in ("ipfp", "batch"):
        with pytest.raises(PidError, match="features"):
            estimate_run(cache, run, EstimateOptions(by="none", estimator=estimator))
    with pytest.raises(BadOption, match="without layers"):
        layers_of(run)


def test_the_command_imports_estimates_and_prints_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = stage_2.write(tmp_path / "results")
    files = [str(results / split / "demo_3.json") for split in ("train", "val")]
    cache = ["--cache", str(tmp_path / "cache")]
    names = ["--model", "demo-3b", "--benchmark", "shapes"]
    assert main(["import", *files, *names, *cache]) == 0
    printed = capsys.readouterr()
    (run,) = queries.runs(tmp_path / "cache")
    assert printed.out == f"{run.run_key}\n"
    assert "6 samples of shapes (of the file" in printed.err
    assert "all: n 3  R " in printed.err
    assert len(estimates.load(tmp_path / "cache")) == 1
    assert main(["estimate", *names, "--split", "train", "--json", *cache]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["n"], record["split"], record["d_vision"]) == (3, "train", None)


def test_the_command_refuses_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,answer,p12,p1\na,A,1,1\n", "utf-8")
    names = ["--model", "m", "--benchmark", "b", "--cache", str(tmp_path / "cache")]
    assert main(["import", str(file), *names]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"pidscope: {file} has no column p2")
    assert main(["import", str(tmp_path / "none.csv"), *names]) == 2
    assert "none.csv cannot be read: No such file" in capsys.readouterr().err
    assert main(["import", str(file), *names, "--max-bad-rows", "7"]) == 2
    assert "a share of bad rows is 0 to 1, not 7.0" in capsys.readouterr().err


def test_without_estimates_the_command_for_them_is_said(
    measured: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = measured
    names = ["--model", "two words", "--benchmark", "digits_vqa", "--cache", str(tmp_path)]
    assert main(["import", str(file), *names, "--no-estimate"]) == 0
    assert "estimate --model 'two words' --benchmark digits_vqa" in capsys.readouterr().err
    assert estimates.load(tmp_path) == []


def test_the_lab_does_not_ask_for_another_mask_of_imported_predictions(
    measured: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = measured
    names = ["--model", "elsewhere", "--benchmark", "digits_vqa", "--cache", str(tmp_path)]
    assert main(["import", str(file), *names, "--no-estimate"]) == 0
    some = ["--limit", "8", "--estimators", "ipfp", "--over", "mask_scope"]
    assert main(["lab", "run", *names, *some]) == 0
    said = capsys.readouterr().err
    assert "These predictions were imported; which text was masked is not known." in said
    assert "Make another" not in said


def test_predictions_belong_to_the_samples_of_a_file_of_ones_own(tmp_path: Path) -> None:
    questions = tmp_path / "mine.jsonl"
    (tmp_path / "six.png").write_bytes(drawn("six"))
    rest = {"image": "six.png", "question": "Are there six?", "options": ["yes", "no"]}
    lines = [{"id": f"m{n}", "answer": "AB"[n % 2], **rest} for n in range(6)]
    questions.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    answers = tmp_path / "theirs.json"
    rows = [
        {"id": one["id"], "p12": [1, 0], "p1": [0.5, 0.5], "p2": [0.5, 0.5], "choice12": "no"}
        for one in lines
    ]
    answers.write_text(json.dumps(rows), "utf-8")
    options = ImportOptions(files=(answers,), model="theirs", benchmark=str(questions))
    report = import_and_estimate(tmp_path / "cache", options, estimate=False).report
    assert (report.benchmark, report.is_known, report.samples) == ("mine", True, 6)
    part = queries.predictions(tmp_path / "cache", report.run_key)
    # The options' words are the benchmark's: "no" is B.
    assert set(part.strict_choice[Condition.FULL][:, 0].tolist()) == {1}


def test_importing_needs_no_torch() -> None:
    import subprocess

    code = "import sys, model_runners.importing; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
