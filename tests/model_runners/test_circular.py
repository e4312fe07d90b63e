"""CircularEval, against questions that can be counted by hand."""

import numpy as np
import pytest

from data_cache.conditions import Condition
from data_cache.estimates import SpectrumRecord
from data_cache.queries import Predictions
from model_runners.circular import circular_accuracy
from tests.pages.spectra import record

CIRCULAR = {"circular": "all"}


def passes(*rows: tuple[str, int, int, list[int]]) -> Predictions:
    """Rows of (question, options, answer, first token of each draw)."""
    groups, k, answers, chosen = zip(*rows, strict=True)
    n = len(rows)
    return Predictions(
        run_key="r",
        layer=-1,
        sample_ids=np.array([f"s{row}" for row in range(n)]),
        positions=np.arange(n),
        group_ids=np.array(groups),
        subsets=np.array(["all"] * n),
        splits=np.array(["test"] * n),
        answers=np.array(answers),
        k=np.array(k),
        valid=np.arange(max(k)) < np.array(k)[:, None],
        scores={},
        strict_choice={Condition.FULL: np.array(chosen)},
        text_tokens=np.zeros(n, dtype=int),
        image_tokens=np.zeros(n, dtype=int),
        features_1=None,
        features_2=None,
        features_layer=-1,
        incomplete=0,
    )


def test_a_question_is_right_only_if_all_its_passes_are() -> None:
    part = passes(
        ("1", 2, 0, [0]), ("1", 2, 1, [1]),
        ("2", 3, 0, [0]), ("2", 3, 1, [1]), ("2", 3, 2, [0]),
    )  # fmt: skip
    found = circular_accuracy(CIRCULAR, part)
    assert found is not None
    assert (found.questions, found.right, found.left_out, found.accuracy) == (2, 1.0, 0, 0.5)


def test_a_first_token_that_is_no_option_is_wrong() -> None:
    found = circular_accuracy(CIRCULAR, passes(("1", 2, 0, [0]), ("1", 2, 1, [-1])))
    assert found is not None
    assert found.accuracy == 0.0


def test_a_question_without_all_its_passes_is_left_out_and_counted() -> None:
    part = passes(("1", 2, 0, [0]), ("1", 2, 1, [1]), ("2", 4, 0, [0]), ("2", 4, 1, [1]))
    found = circular_accuracy(CIRCULAR, part)
    assert found is not None
    assert (found.questions, found.left_out, found.accuracy) == (1, 1, 1.0)
    lonely = circular_accuracy(CIRCULAR, passes(("2", 4, 0, [0])))
    assert lonely is not None
    assert (lonely.accuracy, lonely.left_out) == (None, 1)


def test_draws_are_averaged_question_by_question() -> None:
    found = circular_accuracy(CIRCULAR, passes(("1", 2, 0, [0, 0]), ("1", 2, 1, [1, 0])))
    assert found is not None
    assert found.accuracy == 0.5


@pytest.mark.parametrize("config", [{}, {"circular": None}])
def test_other_benchmarks_have_no_circular_accuracy(config: dict[str, object]) -> None:
    assert circular_accuracy(config, passes(("1", 2, 0, [0]), ("1", 2, 1, [1]))) is None


def test_records_of_before_are_read_without_it() -> None:
    content = record("all").to_dict()
    assert "circular_accuracy" in content
    del content["circular_accuracy"]
    assert SpectrumRecord.from_dict(content).circular_accuracy is None
