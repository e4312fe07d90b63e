"""`list benchmarks`: what is here with its counts, and how the rest is had."""

import json
from pathlib import Path

import pytest

from model_runners.__main__ import main
from tests.benchmark_files import mmbench


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with MMBench in $LMUData and nothing else."""
    monkeypatch.setenv("LMUData", str(tmp_path / "LMUData"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "LMUData").mkdir()
    mmbench.write(tmp_path / "LMUData")
    return tmp_path


def test_json_has_everything_about_each(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = machine / "cache"
    assert main(["list", "benchmarks", "--json", "--cache", str(cache)]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    here = rows["mmbench"]
    assert (here["found"], here["rows"], here["questions"], here["samples"]) == ("yes", 9, 3, 9)
    assert here["origin"] == "$LMUData"
    assert here["where"].endswith("MMBench_DEV_EN.tsv")
    assert len(here["key"]) == 16
    assert here["licence"].startswith("Apache-2.0")
    assert here["group"] == "base question"
    assert (here["bad_rows"], here["how_to_get"]) == (0, None)
    away = rows["mmbench:cn_dev"]
    assert (away["found"], away["rows"], away["variant"]) == ("no", None, "cn_dev")
    assert "python -m model_runners fetch mmbench:cn_dev" in away["how_to_get"]
    assert rows["digits_vqa"]["samples"] == 5632
    assert list(cache.glob("benchmarks/*.json")), "counts are remembered"


def test_the_table_has_one_line_for_each(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (machine / "LMUData" / "MMBench_DEV_EN.tsv").write_text("index\tquestion\n1\tw?\n")
    assert main(["list", "benchmarks", "--cache", str(machine / "cache")]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:6] == ["name", "found", "rows", "questions", "samples", "bad_rows"]
    names = [line.split()[0] for line in lines]
    assert len(names) == len(set(names))
    (broken,) = [line for line in lines if line.startswith("mmbench ")]
    assert "MMBench_DEV_EN.tsv has no column A, B, image" in broken
    assert "None" not in "\n".join(lines)
