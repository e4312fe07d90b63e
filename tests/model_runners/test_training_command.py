"""`training` lists checkpoints with their coverage, and runs what is missing, once."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from data_cache import estimates, queries
from data_cache.checkpoints import checkpoint_of
from model_runners.__main__ import main

ASKED = ("--benchmark", "digits_vqa", "--limit", "8", "--draws", "1", "--device", "cpu")


@pytest.fixture
def sequence(untrained: Path, tmp_path: Path) -> Path:
    """Two checkpoints of a training; the second is the same model again."""
    folder = tmp_path / "sequence"
    for step in (1, 2):
        shutil.copytree(untrained, folder / f"checkpoint-{step}")
    return folder


def listed(folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["training", str(folder), "--cache", str(cache), "--json", *ASKED]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_is_missing_is_run_and_what_is_there_is_not_repeated(
    sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache"
    before = listed(sequence, cache, capsys)
    assert [(one["step"], one["samples"], one["complete"]) for one in before] == [
        (1, 0, False),
        (2, 0, False),
    ]
    hidden = sequence / "hidden.json"
    (sequence / "checkpoint-2" / "chat_template.jinja").rename(hidden)  # it cannot be run now
    asked = ["training", str(sequence), "--cache", str(cache), *ASKED]
    assert main(asked) == 2
    assert "1 of 2 checkpoints could not be measured" in capsys.readouterr().err
    assert [one["complete"] for one in listed(sequence, cache, capsys)] == [True, False]
    hidden.rename(sequence / "checkpoint-2" / "chat_template.jinja")
    assert main(asked) == 0
    after = listed(sequence, cache, capsys)
    assert [(one["samples"], one["complete"]) for one in after] == [(8, True), (8, True)]
    runs = queries.runs(cache)
    assert {run.model for run in runs} == {"sequence@1", "sequence@2"}
    assert {one.step for run in runs if (one := checkpoint_of(run.config))} == {1, 2}
    assert {one.model for one in estimates.load(cache)} == {"sequence@1", "sequence@2"}
    assert main(asked) == 0
    assert "2 of 2 checkpoints are measured as asked" in capsys.readouterr().err
    assert main(["training", "--cache", str(cache)]) == 0
    assert "sequence" in capsys.readouterr().out


def test_a_training_without_a_name_cannot_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["training", "--cache", str(tmp_path), *ASKED]) == 2
    assert "name the training" in capsys.readouterr().err
