"""Changes between two spectra of the same questions, against what pairs of samples say."""

from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from data_cache.records import SpectrumRecord
from data_cache.sample_rows import sample_rows
from model_runners.paired_changes import changes_of, paired_changes, value_of
from pid_core.paired import paired_influences
from tests.data_cache.answers import estimated, wrong
from tests.data_cache.spools import small_benchmark
from tests.pages.spectra import record

COUNT = 24


HARD = np.random.default_rng(1).normal(0.0, 0.3, size=COUNT)
"""What a question adds to the synergy of both models."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pair")


@pytest.fixture(scope="module")
def pair(cache: Path) -> tuple[SpectrumRecord, SpectrumRecord]:
    """Two models on the same questions: one is wrong, one is right."""
    generator = np.random.default_rng(0)

    def numbers(synergy: float) -> dict[str, list[float]]:
        own = {
            "redundancy": 0.2 + 0.02 * generator.normal(size=COUNT),
            "unique_1": np.full(COUNT, 0.1),
            "unique_2": np.full(COUNT, 0.3),
            "synergy": synergy + HARD + 0.02 * generator.normal(size=COUNT),
        }
        return {atom: column.tolist() for atom, column in own.items()}

    benchmark = small_benchmark(COUNT)
    first = estimated(
        cache, benchmark, model="demo/a", answers=wrong, numbers=numbers(0.5), influences=True
    )
    second = estimated(cache, benchmark, model="demo/b", numbers=numbers(0.9), influences=True)
    return first, second


def test_the_same_questions_are_compared_one_by_one(
    cache: Path, pair: tuple[SpectrumRecord, SpectrumRecord]
) -> None:
    first, second = pair
    found = paired_changes(cache, first, second)
    synergy = found["synergy"]
    assert synergy.is_paired
    assert synergy.n == COUNT
    assert synergy.value == pytest.approx(second.synergy - first.synergy)
    rows = sample_rows(cache, [first.estimate_key, second.estimate_key])
    one, two = rows[first.estimate_key], rows[second.estimate_key]
    theirs = paired_influences(one.influences, two.influences, one.group_ids)
    assert synergy.deviation == pytest.approx(theirs.deviation[3])
    alone = np.std(HARD) / np.sqrt(COUNT)
    assert synergy.deviation < alone / 3, "what is hard for both costs no certainty"
    assert synergy.evidence.p_value < 1e-6
    share = found["synergy_share"]
    before, after = (100 * one.synergy / one.total for one in (first, second))
    assert share.value == pytest.approx(after - before)
    assert 0 < share.deviation < 20


def test_accuracy_is_compared_question_by_question_where_the_record_says_the_same(
    cache: Path, pair: tuple[SpectrumRecord, SpectrumRecord]
) -> None:
    first, second = pair
    rows = sample_rows(cache, [first.estimate_key, second.estimate_key])
    told = [replace(one, accuracy=rate) for one, rate in ((first, 0.0), (second, 1.0))]
    found = changes_of(told[0], told[1], rows)["accuracy"]
    assert (found.value, found.is_paired) == (100.0, True)
    other = changes_of(replace(first, accuracy=0.5), replace(second, accuracy=0.5), rows)
    assert not other["accuracy"].is_paired, "some answers are unknown"
    assert other["accuracy"].deviation == pytest.approx(100 * np.sqrt(2 * 0.25 / COUNT))


def test_other_samples_leave_the_errors_of_both() -> None:
    measured = {"uncertainty": {"deviation": {"synergy": 0.03}, "bias": {"synergy": 0.01}}}
    first = record(diagnostics=measured)
    second = record(atoms=(0.0, 0.0, 0.0, 1.0), interval={"synergy": (0.9216, 1.0784)})
    found = changes_of(first, second, {})
    assert found["synergy"].value == -1.0
    assert found["synergy"].deviation == pytest.approx(0.05, abs=1e-4)
    assert isnan(found["synergy"].bias), "of one it is not known"
    assert isnan(found["unique_2_share"].deviation)
    assert not found["synergy"].is_paired
    assert found["synergy"].n == 352


def test_what_was_not_measured_has_no_change() -> None:
    first, second = record(d_vision=None), record(atoms=(0.0, 0.0, 0.0, 0.0))
    found = changes_of(first, second, {})
    assert "d_vision" not in found
    assert "synergy_share" not in found
    assert value_of(second, "synergy_share") is None
    assert value_of(first, "accuracy") == 99.0
