"""The samples of several estimates in one reading."""

from pathlib import Path

import numpy as np
import pytest

from data_cache.paired import Pair, paired_rows
from data_cache.sample_rows import sample_rows
from tests.data_cache.answers import estimated, wrong
from tests.data_cache.spools import small_benchmark

COUNT = 12


def test_one_reading_says_of_all_estimates_what_pairs_say(tmp_path: Path) -> None:
    benchmark = small_benchmark(COUNT)
    ids = [sample.id for sample in benchmark.samples]
    records = [
        estimated(tmp_path, benchmark, model="demo/a", influences=True),
        estimated(tmp_path, benchmark, model="demo/b", answers=wrong, influences=True),
        estimated(tmp_path, benchmark, model="demo/c", ids=ids[4:8]),
    ]
    keys = [record.estimate_key for record in records]
    found = sample_rows(tmp_path, [*keys, "nothing"])
    assert set(found) == set(keys)
    one, two, three = (found[key] for key in keys)
    theirs = paired_rows(tmp_path, Pair(a=keys[0], b=keys[1]), answers=True)
    assert one.influences is not None
    assert two.influences is not None
    assert one.influences == pytest.approx(theirs.influences_a)
    assert two.influences == pytest.approx(theirs.influences_b)
    for rows, right in ((one, theirs.right_a), (two, theirs.right_b)):
        assert right is not None
        np.testing.assert_array_equal(rows.right, right)
    assert one.right[:, 0].all()
    assert not two.right[:, 0].any()
    assert one.group_ids.tolist() == theirs.group_ids.tolist()
    assert three.influences is None, "an estimate from before they were stored"
    assert np.all(np.diff(one.positions) > 0)
    assert len(one.positions) == COUNT
    assert set(three.positions) < set(one.positions), "a place is the same sample in all of them"
    assert one.benchmark_key == benchmark.key
    assert sample_rows(tmp_path, []) == {}
