"""Verdicts on claims: intervals decide, and many claims at once need more."""

import numpy as np
import pytest
import scipy.stats

from pid_core import PidError
from pid_core.association import spearman
from pid_core.claims import (
    Evidence,
    Side,
    judge,
    of_association,
    of_difference,
    of_mean,
    of_share,
)


def test_a_number_across_its_threshold_is_not_enough_data() -> None:
    across = Evidence(value=0.3, interval=(-0.1, 0.7), p_value=0.04, n=9, unit="models")
    assert judge([across], ["above"])[0].verdict == "not enough data"
    over = judge([across], ["below"], against=[0.8])[0]
    assert over.verdict == "supported"
    with pytest.raises(PidError):
        judge([across], [])


def test_one_claim_of_many_needs_a_smaller_p_value() -> None:
    sure = Evidence(value=0.8, interval=(0.4, 0.9), p_value=0.02, n=9, unit="models")
    unsure = Evidence(value=0.1, interval=(-0.4, 0.5), p_value=0.7, n=9, unit="models")
    unknown = Evidence(value=np.nan, interval=(np.nan, np.nan), p_value=np.nan, n=1, unit="models")
    sides: list[Side] = ["above", "above", "above"]
    found = judge([sure, unsure, unknown], sides)
    assert found[0].adjusted_p == pytest.approx(0.04), "what cannot be tested does not count"
    assert [one.verdict for one in found] == ["supported", *["not enough data"] * 2]
    assert judge([sure, unsure, unsure], sides)[0].verdict == "not enough data"
    assert judge([sure, unsure, unsure], sides, correction="bh")[0].adjusted_p == pytest.approx(
        0.06
    )


def test_a_perfect_order_is_judged_by_its_p_value() -> None:
    few, many = (of_association(spearman(range(n), range(n))) for n in (4, 6))
    assert np.isnan(few.interval).all()
    assert judge([few], ["above"])[0].verdict == "not enough data", "p is 1/12"
    assert judge([many], ["above"])[0].verdict == "supported"
    assert judge([many], ["below"])[0].verdict == "contradicted"


def test_a_mean_is_judged_as_its_interval_says() -> None:
    generator = np.random.default_rng(1)
    for shift in (-0.4, -0.2, 0.0, 0.2, 0.4, 0.7):
        found = of_mean(generator.normal(shift, 0.5, size=12))
        low, high = found.interval
        assert (found.p_value < 0.01) <= (low > 0 or high < 0) <= (found.p_value < 0.2), shift
    assert of_mean([1.0, 2.0, 3.0]).note.startswith("3 models say nothing")
    grouped = of_mean(np.arange(8.0), groups=[0, 0, 0, 0, 1, 1, 1, 1], unit="families")
    assert grouped.note.startswith("2 families")
    assert np.isnan(of_mean([]).value)


def test_a_mean_of_nothing_but_noise_is_seldom_called_sure() -> None:
    generator = np.random.default_rng(2)
    sure = [of_mean(generator.normal(size=6), resamples=400).p_value < 0.05 for _ in range(300)]
    assert np.mean(sure) < 0.10


def test_a_difference_is_as_sure_as_its_nearer_end() -> None:
    found = of_difference(0.5, 0.1, 0.2, n=50)
    assert found.interval == pytest.approx((0.3 - 0.196, 0.5 + 0.196), abs=1e-3)
    assert found.p_value == pytest.approx(2 * scipy.stats.norm.sf(3.0))
    assert of_difference(0.5, np.nan, n=1).note
    assert of_difference(0.5, 0.0, n=9).p_value == 0.0


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (3, 7), (14, 20)])
def test_shares_have_exact_intervals(hits: int, n: int) -> None:
    found, theirs = of_share(hits, n), scipy.stats.binomtest(hits, n)
    exact = theirs.proportion_ci(method="exact")
    assert found.interval == pytest.approx((exact.low, exact.high))
    assert found.p_value == pytest.approx(theirs.pvalue)
