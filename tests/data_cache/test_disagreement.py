import math

import numpy as np
import pytest

from data_cache.disagreement import (
    KINDS,
    Agreement,
    Pair,
    agreement,
    disagreements,
    paired_rows,
)
from data_cache.errors import CacheError, CacheMissing
from data_cache.samples_view import PAGE_LIMIT
from tests.data_cache.answers import estimated, right, wrong
from tests.data_cache.spools import PIXEL, small_benchmark

COUNT = 24


def every(period, otherwise):
    """Answers that are right in every so manyth sample."""
    return lambda sample: right(sample) if sample.meta["i"] % period == 0 else otherwise(sample)


def none(sample):
    return -1


@pytest.fixture
def pair(tmp_path):
    """A is right in every 2nd sample, B in every 3rd; else A names a wrong option, B none."""
    benchmark = small_benchmark(COUNT)
    rising = [i / COUNT for i in range(COUNT)]
    a = estimated(
        tmp_path,
        benchmark,
        model="demo/a",
        answers=every(2, wrong),
        numbers={"gap_score": rising},
    )
    b = estimated(
        tmp_path,
        benchmark,
        model="demo/b",
        answers=every(3, none),
        numbers={"gap_score": [0.0] * COUNT},
    )
    return Pair(a=a.estimate_key, b=b.estimate_key)


def places(page):
    return [row.position for row in page.rows]


def test_answers_are_counted_by_who_is_right(tmp_path, pair):
    found = agreement(tmp_path, pair)
    assert found == Agreement(
        both_right=4,
        only_a=8,
        only_b=4,
        both_wrong_same=0,
        both_wrong_differently=8,
        samples_a=COUNT,
        samples_b=COUNT,
    )
    assert found.common == COUNT


def test_the_same_wrong_answer_is_no_disagreement(tmp_path):
    benchmark = small_benchmark(COUNT)
    pairs = {}
    for name, answers in (("wrong", wrong), ("none", none)):
        one, two = (
            estimated(tmp_path, benchmark, model=f"demo/{name}-{side}", answers=answers)
            for side in "ab"
        )
        pairs[name] = Pair(a=one.estimate_key, b=two.estimate_key)
    for pair in pairs.values():
        assert agreement(tmp_path, pair).both_wrong_same == COUNT
        assert disagreements(tmp_path, pair, limit=9).total == 0


def test_every_kind_lists_what_was_counted(tmp_path, pair):
    found = agreement(tmp_path, pair)
    listed = {kind: disagreements(tmp_path, pair, kind=kind, limit=COUNT) for kind in KINDS}
    assert {kind: page.total for kind, page in listed.items()} == {
        "any": found.only_a + found.only_b + found.both_wrong_differently,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "both_wrong": found.both_wrong_differently,
    }
    for row in listed["only_a"].rows:
        assert row.a.choice == row.answer != row.b.choice
    for row in listed["both_wrong"].rows:
        assert row.b.choice is None
        assert row.a.choice not in (None, row.answer)
    parts = [place for kind in KINDS[1:] for place in places(listed[kind])]
    assert sorted(places(listed["any"])) == sorted(parts)


def test_pages_follow_each_other_in_either_order(tmp_path, pair):
    for order, expected in (("position", False), ("gap", True)):
        seen = []
        for offset in range(0, COUNT, 7):
            page = disagreements(tmp_path, pair, order_by=order, limit=7, offset=offset)
            seen += places(page)
        # A's GapScore rises with the place and B's is zero.
        assert seen == sorted(seen, reverse=expected)
        assert len(seen) == page.total == len(set(seen))
    assert disagreements(tmp_path, pair, limit=7, offset=COUNT).rows == ()


def test_a_row_has_what_a_list_shows(tmp_path, pair):
    benchmark = small_benchmark(COUNT)
    row = disagreements(tmp_path, pair, order_by="position", limit=9).rows[0]
    sample = benchmark.samples[row.position]
    assert (row.sample_id, row.question, row.options) == (
        sample.id,
        sample.question,
        sample.options,
    )
    assert (row.answer, row.subset, row.thumbnail) == (sample.answer, sample.subset, PIXEL)
    assert row.a.numbers["gap_score"] == row.position / COUNT
    assert row.b.numbers["gap_score"] == 0


def test_an_undefined_score_comes_last(tmp_path):
    benchmark = small_benchmark(3)
    a = estimated(tmp_path, benchmark, model="demo/a", numbers={"gap_score": [math.nan, 0.1, 0.5]})
    b = estimated(
        tmp_path, benchmark, model="demo/b", answers=wrong, numbers={"gap_score": [0.0, 0.0, 0.0]}
    )
    page = disagreements(tmp_path, Pair(a=a.estimate_key, b=b.estimate_key), limit=3)
    assert places(page) == [2, 1, 0]


def test_only_samples_of_both_are_compared(tmp_path):
    benchmark = small_benchmark(COUNT)
    ids = [sample.id for sample in benchmark.samples]
    a = estimated(tmp_path, benchmark, model="demo/a", ids=ids[:10])
    b = estimated(tmp_path, benchmark, model="demo/b", ids=ids[6:])
    pair = Pair(a=a.estimate_key, b=b.estimate_key)
    found = agreement(tmp_path, pair)
    assert (found.samples_a, found.samples_b, found.common) == (10, COUNT - 6, 4)
    rows = paired_rows(tmp_path, pair)
    assert len(rows.group_ids) == 4
    assert not rows.is_whole


def test_another_version_of_the_benchmark_has_nothing_in_common(tmp_path):
    a = estimated(tmp_path, small_benchmark(10), model="demo/a")
    b = estimated(tmp_path, small_benchmark(12), model="demo/b")
    assert agreement(tmp_path, Pair(a=a.estimate_key, b=b.estimate_key)).common == 0
    rows = paired_rows(tmp_path, Pair(a=a.estimate_key, b=b.estimate_key))
    assert rows.atoms_a.shape == (0, 4)


def test_paired_rows_average_to_both_records(tmp_path):
    benchmark = small_benchmark(COUNT)
    a = estimated(tmp_path, benchmark, model="demo/a")
    b = estimated(tmp_path, benchmark, model="demo/b")
    rows = paired_rows(tmp_path, Pair(a=a.estimate_key, b=b.estimate_key))
    assert rows.is_whole
    for values, record in ((rows.atoms_a, a), (rows.atoms_b, b)):
        atoms = [record.redundancy, record.unique_1, record.unique_2, record.synergy]
        assert values.mean(axis=0) == pytest.approx(np.array(atoms))
    assert len(set(rows.group_ids)) == COUNT // 2


def test_unknown_kinds_orders_pages_and_estimates_are_refused(tmp_path, pair):
    with pytest.raises(CacheError, match="of the kind 'all; DROP TABLE samples'"):
        disagreements(tmp_path, pair, kind="all; DROP TABLE samples", limit=1)
    with pytest.raises(CacheError, match="by 'random'"):
        disagreements(tmp_path, pair, order_by="random", limit=1)
    for limit, offset in ((0, 0), (PAGE_LIMIT + 1, 0), (1, -1)):
        with pytest.raises(CacheError, match="page of"):
            disagreements(tmp_path, pair, limit=limit, offset=offset)
    with pytest.raises(CacheError, match="no estimate 'gone'"):
        agreement(tmp_path, Pair(a=pair.a, b="gone"))
    with pytest.raises(CacheMissing):
        agreement(tmp_path / "none", pair)
