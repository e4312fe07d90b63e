"""Statistics over models: which records count, what is correlated, what a regime is made of."""

import math

import numpy as np
import pytest
import scipy.stats

from model_runners.family_statistics import (
    OUTCOMES,
    PARTS,
    by_benchmark,
    correlations,
    independent,
    strategies,
    task_shares,
)
from tests.pages.many_models import models
from tests.pages.spectra import record


def cell(cells, outcome, part):
    return next(one for one in cells if (one.outcome, one.part) == (outcome, part))


def test_every_outcome_is_correlated_with_every_part() -> None:
    records = models()
    cells = correlations(records)
    assert [(one.outcome, one.part) for one in cells] == [
        (outcome, part) for outcome in OUTCOMES for part in PARTS
    ]
    theirs = scipy.stats.spearmanr(
        [one.synergy for one in records], [one.accuracy for one in records]
    )
    found = cell(cells, "accuracy", "synergy").found
    assert (found.rho, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))
    co = scipy.stats.spearmanr(
        [one.redundancy - one.synergy for one in records], [one.accuracy for one in records]
    )
    assert cell(cells, "accuracy", "coinformation").found.rho == pytest.approx(co.statistic)
    assert cell(cells, "d_vision", "synergy").found.rho == pytest.approx(1.0)


def test_p_values_are_corrected_over_the_whole_table() -> None:
    cells = correlations(models())
    found = cell(cells, "accuracy", "synergy")
    assert found.adjusted_p >= found.found.p_value
    smallest = min(cells, key=lambda one: one.found.p_value)
    assert smallest.adjusted_p == pytest.approx(min(1.0, 18 * smallest.found.p_value))
    theirs = scipy.stats.false_discovery_control([one.found.p_value for one in cells])
    again = correlations(models(), correction="bh")
    assert [one.adjusted_p for one in again] == pytest.approx(theirs.tolist())


def test_adapted_models_speak_with_their_base() -> None:
    records = models(6)
    adapted = record("all", model="org/model-0+pid-0123ab", family="family 0")
    assert independent([*records, adapted]) == records
    assert repr(correlations([*records, adapted])) == repr(correlations(records))
    assert task_shares({"x": [*records, adapted]})[0].found.n == 6


def test_an_outcome_that_was_not_measured_leaves_the_others_alone() -> None:
    cells = correlations(models(d_vision=None))
    missing = cell(cells, "d_vision", "synergy")
    assert math.isnan(missing.adjusted_p)
    assert "0 models" in missing.found.note
    smallest = min(cells[:12], key=lambda one: one.found.p_value)
    assert smallest.adjusted_p == pytest.approx(12 * smallest.found.p_value)


def test_a_task_is_called_by_what_leads() -> None:
    found = task_shares(
        {
            "fuse": models(),
            "know": models(lead="unique_2", seed=1),
            "both": [*models(6), *models(6, lead="unique_2", model="x")],
            "few": models(3),
        }
    )
    assert [one.found.statement for one in found] == [
        "synergy-driven",
        "knowledge-driven",
        "undecided",
        "too few models",
    ]
    shares = [one.synergy / one.total for one in models()]
    assert found[0].found.synergy.mean == pytest.approx(np.mean(shares))


def test_a_total_without_information_has_no_shares() -> None:
    nothing = record("all", model="org/none", atoms=(0.0, 0.0, 0.0, 0.001))
    assert task_shares({"x": [*models(5), nothing]})[0].found.n == 5


def test_families_keep_their_places_between_regimes_or_do_not() -> None:
    tasks = task_shares({"fuse": models(20), "know": models(20, lead="unique_2")})
    found = strategies(tasks)
    assert found is not None
    assert found.models["synergy-driven"] == {f"family {place}": 5 for place in range(4)}
    by_hand = np.median([one.synergy for one in models(20) if one.family == "family 2"])
    assert found.synergy["synergy-driven"]["family 2"] == pytest.approx(by_hand)
    # The same draws give what leads and what follows, so the order of families swaps its atom.
    first = list(found.synergy["synergy-driven"].values())
    second = list(found.synergy["knowledge-driven"].values())
    theirs = scipy.stats.spearmanr(first, second).statistic
    assert found.synergy_stability.rho == pytest.approx(theirs)
    percent = strategies(tasks, shares=True)
    assert percent is not None
    assert max(percent.synergy["synergy-driven"].values()) > 50


def test_one_regime_alone_has_nothing_to_be_compared_with() -> None:
    assert strategies(task_shares({"fuse": models(), "again": models(seed=3)})) is None


def test_each_benchmark_stands_with_its_pooled_spectrum() -> None:
    records = [
        record("all", benchmark="one", model="a", created="2026-11-21T10:00:00+00:00"),
        record("all", benchmark="one", model="a", created="2026-11-22T10:00:00+00:00"),
        record("left", benchmark="one", model="a"),
        record("only", benchmark="two", model="a"),
        record("x", benchmark="three", model="a"),
        record("y", benchmark="three", model="a"),
        record("all", benchmark="four", model="a", split="train"),
        record("all", benchmark="five", model="a", layer=3),
    ]
    found = by_benchmark(records, split="test", estimator="certified")
    assert {name: [one.subset for one in rows] for name, rows in found.items()} == {
        "one": ["all"],
        "two": ["only"],
    }
    assert found["one"][0].created == "2026-11-22T10:00:00+00:00"
