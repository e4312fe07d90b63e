"""Accuracy on the training distribution: what a shortcut hides there, and nowhere else."""

from pathlib import Path

import pytest

from model_runners.__main__ import main
from model_runners.demo.accuracy import Taught, taught, training_accuracy
from model_runners.demo.zoo import SHARES, ZOO
from model_runners.errors import ModelNotFound
from model_runners.loading import load

NAME = "language-llava-small"


def test_the_shortcut_is_right_in_training_and_wrong_without_it() -> None:
    loaded = load(f"demo/{NAME}", device="cpu")
    here = training_accuracy(loaded, taught(NAME), questions=200)
    away = training_accuracy(
        loaded, Taught(size=ZOO[NAME].build(), shares=SHARES, shortcut=0.0), questions=200
    )
    assert here.by_subset["synergy"] > 0.9
    assert away.by_subset["synergy"] < 0.4
    assert here.overall == pytest.approx(
        sum(SHARES[subset] * share for subset, share in here.by_subset.items())
    )
    assert 0 < here.error < 0.03


def test_an_unknown_model_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ModelNotFound, match=NAME):
        taught("language-llava-smal")


def test_a_model_without_stages_has_no_checkpoints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "train", "oracle", "--checkpoints", str(tmp_path)]) == 2
    assert "not trained in stages" in capsys.readouterr().err
