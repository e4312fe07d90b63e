import numpy as np
import pytest

from data_cache.conditions import PROBED, Condition
from data_cache.errors import CacheError
from data_cache.estimates import save
from data_cache.sample_detail import sample_detail
from pid_core import predictive
from tests.data_cache.spools import (
    PIXEL,
    pointwise_rows,
    profile,
    score_of,
    small_benchmark,
    spectrum,
)


def stored(cache, **settings):
    record = spectrum(
        profile(cache, small_benchmark(10), draws=3), settings={"tau": 0.3, "draws": 2} | settings
    )
    save(cache, record, pointwise_rows())
    return record


def test_a_sample_comes_with_everything_that_was_asked_and_answered(tmp_path):
    record = stored(tmp_path)
    detail = sample_detail(tmp_path, [record.estimate_key], "s0002")
    assert detail.sample.question == "Question 2?"
    assert detail.sample.thumbnails == (PIXEL,)
    assert detail.record == record
    assert detail.numbers["gap_score"] == pytest.approx(0.55)
    assert list(detail.distributions) == list(PROBED)


def test_distributions_are_those_of_the_estimate(tmp_path):
    record = stored(tmp_path)
    detail = sample_detail(tmp_path, [record.estimate_key], "s0002")
    k = len(detail.sample.options)
    found = detail.distributions[Condition.ONLY_1]
    scores = [[score_of("s0002", Condition.ONLY_1, draw, -1, k) for draw in range(2)]]
    expected = predictive(np.asarray(scores, dtype=np.float32)).mean()[0]
    assert found.probabilities == pytest.approx(expected)
    assert found.draws.shape == (2, k), "the estimate used two of the three draws"
    assert found.strict_choice == (0, 1)
    assert len(detail.distributions[Condition.FULL].draws) == 1


def test_too_little_mass_is_uniform_and_said_so(tmp_path):
    record = stored(tmp_path, tau=0.95)
    found = sample_detail(tmp_path, [record.estimate_key], "s0001").distributions[Condition.FULL]
    assert found.fallback.all()
    assert np.ptp(found.probabilities) == 0


def test_the_first_estimate_that_has_the_sample_is_taken(tmp_path):
    key = profile(tmp_path, small_benchmark(10))
    left, right = spectrum(key, subset="left"), spectrum(key, subset="right")
    save(tmp_path, left, pointwise_rows(["s0002", "s0004"]))
    save(tmp_path, right, pointwise_rows(["s0001", "s0002"]))
    keys = [right.estimate_key, left.estimate_key]
    assert sample_detail(tmp_path, keys, "s0002").record == right
    assert sample_detail(tmp_path, keys, "s0004").record == left


def test_an_unknown_sample_is_one_sentence(tmp_path):
    record = stored(tmp_path)
    with pytest.raises(CacheError, match="none of the estimates asked for has a sample 's9'"):
        sample_detail(tmp_path, [record.estimate_key], "s9")
    save(tmp_path, record, pointwise_rows(["elsewhere"]))
    with pytest.raises(CacheError, match="no text for the sample 'elsewhere'"):
        sample_detail(tmp_path, [record.estimate_key], "elsewhere")
