import dataclasses
import math

import pyarrow as pa
import pytest

from data_cache.errors import CacheError, CacheMissing
from data_cache.estimates import ATOMS, SCORES, save
from data_cache.samples_view import (
    PAGE_LIMIT,
    SORT_COLUMNS,
    SampleOrder,
    place_of,
    sample_page,
    subsets_of,
)
from tests.data_cache.spools import PIXEL, profile, small_benchmark, spectrum

COUNT = 40


def numbers(ids, **columns):
    """Rows in which every number is the sample's place in `ids`, unless given."""
    rising = [float(place) for place in range(len(ids))]
    table = {name: columns.get(name, rising) for name in (*ATOMS, *SCORES)}
    return pa.table({"sample_id": list(ids), **table})


@pytest.fixture
def benchmark_of_forty():
    return small_benchmark(COUNT)


@pytest.fixture
def order(tmp_path, benchmark_of_forty):
    """All forty samples, GapScore rising with the id."""
    record = spectrum(profile(tmp_path, benchmark_of_forty))
    save(tmp_path, record, numbers([sample.id for sample in benchmark_of_forty.samples]))
    return SampleOrder(estimate_keys=(record.estimate_key,))


def ids_of(page):
    return [row.sample_id for row in page.rows]


def test_pages_follow_each_other_and_leave_nothing_out(tmp_path, order):
    seen = []
    for offset in range(0, COUNT, 7):
        page = sample_page(tmp_path, order, limit=7, offset=offset)
        assert page.total == COUNT
        seen += ids_of(page)
    assert seen == [f"s{i:04d}" for i in reversed(range(COUNT))]
    assert sample_page(tmp_path, order, limit=7, offset=COUNT).rows == ()


def test_a_row_has_what_a_list_shows(tmp_path, order, benchmark_of_forty):
    row = sample_page(tmp_path, order, limit=1).rows[0]
    sample = benchmark_of_forty.samples[-1]
    assert (row.sample_id, row.question, row.options) == (
        sample.id,
        sample.question,
        sample.options,
    )
    assert (row.answer, row.subset, row.split) == (sample.answer, sample.subset, sample.split)
    assert row.thumbnail == PIXEL
    assert row.choice == 0
    assert row.numbers["synergy"] == COUNT - 1


@pytest.mark.parametrize("column", SORT_COLUMNS)
def test_every_column_sorts_both_ways(tmp_path, order, column):
    up = dataclasses.replace(order, order_by=column, descending=False)
    down = dataclasses.replace(order, order_by=column)
    rising = ids_of(sample_page(tmp_path, up, limit=COUNT))
    assert rising == sorted(rising)
    assert ids_of(sample_page(tmp_path, down, limit=COUNT)) == rising[::-1]


def test_subset_split_and_correctness_are_filters_that_add_up(tmp_path, order):
    right = sample_page(tmp_path, dataclasses.replace(order, correct=True), limit=COUNT)
    wrong = sample_page(tmp_path, dataclasses.replace(order, correct=False), limit=COUNT)
    assert all(row.correct for row in right.rows)
    assert not any(row.correct for row in wrong.rows)
    assert right.total + wrong.total == COUNT
    left = sample_page(
        tmp_path, dataclasses.replace(order, subset="left", split="train"), limit=COUNT
    )
    assert {(row.subset, row.split) for row in left.rows} == {("left", "train")}
    assert left.total == COUNT // 4


def test_ties_and_undefined_numbers_keep_the_benchmarks_order(tmp_path):
    record = spectrum(profile(tmp_path, small_benchmark(5)))
    ids = [f"s{i:04d}" for i in range(5)]
    save(tmp_path, record, numbers(ids, gap_score=[1.0, math.nan, 2.0, 1.0, math.nan]))
    order = SampleOrder(estimate_keys=(record.estimate_key,))
    page = sample_page(tmp_path, order, limit=5)
    assert ids_of(page) == ["s0002", "s0000", "s0003", "s0001", "s0004"]
    assert page.rows[-1].numbers["gap_score"] is None
    rising = sample_page(tmp_path, dataclasses.replace(order, descending=False), limit=5)
    assert ids_of(rising) == ["s0000", "s0003", "s0002", "s0001", "s0004"]


def test_each_sample_has_the_numbers_of_its_own_estimate(tmp_path):
    benchmark = small_benchmark(6)
    key = profile(tmp_path, benchmark)
    keys = []
    for subset, value in (("left", 1.0), ("right", 2.0)):
        ids = [sample.id for sample in benchmark.samples if sample.subset == subset]
        record = spectrum(key, subset=subset)
        save(tmp_path, record, numbers(ids, gap_score=[value] * len(ids)))
        keys.append(record.estimate_key)
    page = sample_page(tmp_path, SampleOrder(estimate_keys=tuple(keys)), limit=6)
    assert [(row.subset, row.numbers["gap_score"]) for row in page.rows] == [
        ("right", 2.0),
    ] * 3 + [("left", 1.0)] * 3
    assert {row.estimate_key for row in page.rows if row.subset == "left"} == {keys[0]}


def test_samples_whose_text_is_not_there_are_counted(tmp_path):
    record = spectrum(profile(tmp_path, small_benchmark(4)))
    save(tmp_path, record, numbers(["s0000", "s0001", "elsewhere"]))
    page = sample_page(tmp_path, SampleOrder(estimate_keys=(record.estimate_key,)), limit=9)
    assert (page.total, page.without_text) == (2, 1)


def test_neighbours_are_the_rows_before_and_after(tmp_path, order):
    listed = ids_of(sample_page(tmp_path, order, limit=COUNT))
    for number in (0, 1, COUNT - 1):
        place = place_of(tmp_path, order, listed[number])
        assert place is not None
        assert (place.number, place.total) == (number, COUNT)
        assert place.previous == (listed[number - 1] if number else None)
        assert place.next == (listed[number + 1] if number + 1 < COUNT else None)


def test_a_sample_outside_the_order_has_no_place(tmp_path, order):
    assert place_of(tmp_path, order, "'; DROP TABLE samples; --") is None
    assert place_of(tmp_path, dataclasses.replace(order, subset="left"), "s0001") is None


def test_the_subsets_of_an_estimate_are_named(tmp_path, order):
    assert subsets_of(tmp_path, order.estimate_keys) == ("left", "right")
    assert subsets_of(tmp_path, ("none",)) == ()


def test_only_known_columns_splits_and_sizes_are_accepted(tmp_path, order):
    with pytest.raises(CacheError, match="cannot be sorted by 'position; DROP TABLE samples'"):
        SampleOrder(estimate_keys=(), order_by="position; DROP TABLE samples")
    with pytest.raises(CacheError, match="no split 'dev'"):
        SampleOrder(estimate_keys=(), split="dev")
    for limit, offset in ((0, 0), (PAGE_LIMIT + 1, 0), (1, -1)):
        with pytest.raises(CacheError, match="page of"):
            sample_page(tmp_path, order, limit=limit, offset=offset)


def test_without_a_database_there_is_nothing_to_page(tmp_path):
    with pytest.raises(CacheMissing):
        sample_page(tmp_path / "none", SampleOrder(estimate_keys=()), limit=1)
