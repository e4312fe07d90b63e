"""The command line: what it prints, and how it says no."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model_runners.__main__ import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]


def test_profile_then_estimate_prints_the_promised_fields(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = ["--cache", str(tmp_path)]
    what = ["--benchmark", "digits_vqa"]
    assert (
        main(["profile", "--model", str(untrained), *what, "--limit", "32", "--draws", "3", *cache])
        == 0
    )
    told = capsys.readouterr()
    assert told.out == ""
    assert "samples/s" in told.err
    assert (
        main(
            [
                "estimate",
                "--model",
                "untrained",
                *what,
                "--by",
                "subset",
                "--split",
                "all",
                "--json",
                *cache,
            ]
        )
        == 0
    )
    records = json.loads(capsys.readouterr().out)
    assert {record["subset"] for record in records} == {
        "language",
        "redundant",
        "synergy",
        "vision",
    }
    assert sum(record["n"] for record in records) == 32
    for record in records:
        assert record["model"] == "untrained"
        assert record["benchmark"] == "digits_vqa"
        atoms = [record[name] for name in ("redundancy", "unique_1", "unique_2", "synergy")]
        assert sum(atoms) == pytest.approx(record["total"], abs=1e-6)
        assert 0 <= record["accuracy"] <= 1
        assert -1 <= record["d_vision"] <= 1
        assert record["gap_bits"] >= 0


@pytest.mark.slow  # 10 s
def test_estimate_of_a_limited_run_takes_its_test_samples(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = ["--cache", str(tmp_path), "--benchmark", "digits_vqa"]
    assert (
        main(["profile", "--model", str(untrained), "--limit", "64", "--draws", "1", *cache]) == 0
    )
    assert main(["estimate", "--model", "untrained", *cache]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert "digits_vqa/all" in line
    assert "n 16" in line
    assert "bits" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["profile", "--model", "demo/oracel", "--benchmark", "digits_vqa"],
            "did you mean 'demo/oracle'",
        ),
        (
            ["profile", "--model", "demo/oracle", "--benchmark", "digit_vqa"],
            "did you mean 'digits_vqa'",
        ),
        (
            ["profile", "--model", "demo/oracle", "--benchmark", "digits_vqa", "--subset", "hard"],
            "has no subset",
        ),
        (
            ["profile", "--model", "demo/oracle", "--benchmark", "digits_vqa", "--device", "gpu"],
            "is not a device",
        ),
        (["estimate", "--model", "demo/oracle", "--benchmark", "digits_vqa"], "demo load"),
        (["demo", "train", "oracel", "--out", "nowhere"], "did you mean 'oracle'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = [] if arguments[0] == "demo" else ["--cache", str(tmp_path / "cache")]
    assert main([*arguments, *extra]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("pidscope: ")
    assert says in message
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_is_no_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert (
        main(
            [
                "profile",
                "--model",
                str(folder),
                "--benchmark",
                "digits_vqa",
                "--cache",
                str(tmp_path / "c"),
            ]
        )
        == 2
    )
    assert "has no config.json" in capsys.readouterr().err


def test_a_cache_from_a_newer_schema_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from data_cache.store import writer

    with writer(tmp_path) as connection:
        connection.execute("UPDATE cache_schema SET version = 99")
    assert main(["list", "runs", "--cache", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "newer PIDscope" in message
    assert "--cache" in message


@pytest.mark.parametrize(
    "what", ["models", "families", "benchmarks", "runs", "estimators", "recipes"]
)
def test_lists_are_tables_or_json(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", what, "--cache", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert main(["list", what, "--json", "--cache", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert bool(rows) == (what != "runs")
    assert len(text.splitlines()) == (len(rows) + 1 if rows else 1)


def test_a_broken_file_of_own_models_is_told_beside_the_shipped_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models.yaml").write_text("mine: {load_id: nowhere}\nfine: {load_id: a/fine}\n")
    assert main(["list", "models", "--json", "--cache", str(tmp_path)]) == 0
    told = capsys.readouterr()
    rows = {row["name"]: row for row in json.loads(told.out)}
    assert {"demo/oracle", "fine", "llava-1.5-7b"} <= set(rows)
    assert "mine" not in rows
    assert told.err.startswith("pidscope: ")
    assert "models.yaml, line 1, 'mine'" in told.err
    assert rows["fine"]["route"] == "known when loaded"
    assert rows["demo/oracle"]["route"] == "runs here"
    assert rows["vita-1.5"]["route"] == "none yet"
    assert "authors' repository" in rows["vita-1.5"]["obstacle"]
    assert rows["llava-1.5-7b"]["guessed"] == "paper_id, layers"


def test_a_model_without_a_route_is_one_sentence_and_no_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ["--model", "cambrian-8b", "--benchmark", "digits_vqa"]
    assert main(["profile", *what, "--cache", str(tmp_path / "cache")]) == 2
    assert "cambrian-8b has no route yet" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


def test_doctor_names_versions_devices_and_cache(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", "--cache", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["torch"].startswith("2.")
    assert found["cache"] == str(tmp_path)
    assert found["demo weights"] == "there"


def test_help_is_quick_and_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "model_runners", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(name in done.stdout for name in COMMANDS)
    assert "torch" not in {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}


def test_an_unknown_command_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["profle"])
    assert caught.value.code == 2
    assert "profile" in capsys.readouterr().err
