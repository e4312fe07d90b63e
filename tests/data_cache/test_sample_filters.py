"""Filters leave exactly the samples that are as they say, and count the rest."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data_cache import tags
from data_cache.chunks import ChunkPlan, write_chunk
from data_cache.conditions import PROBED, Condition
from data_cache.errors import CacheError
from data_cache.estimates import save
from data_cache.ingest import ingest
from data_cache.location import run_directory
from data_cache.queries import predictions
from data_cache.records import ATOMS, SCORES
from data_cache.runs import run_key, write_sidecar
from data_cache.sample_chunks import write_samples
from data_cache.sample_filters import FORMING, Bound, SampleFilters
from data_cache.samples import Benchmark
from data_cache.samples_view import SampleOrder, place_of, sample_ids, sample_page
from pid_core import predictive
from tests.data_cache.answers import answered, right, wrong
from tests.data_cache.spools import config_of, rows_of, small_benchmark, spectrum

COUNT = 24
IDS = [f"s{i:04d}" for i in range(COUNT)]
TAU = 0.3
FELL: dict[str, tuple[Condition, int]] = {
    "s0001": (Condition.FULL, 0),
    "s0002": (Condition.ONLY_1, 0),
    "s0003": (Condition.ONLY_2, 1),
    "s0004": (Condition.NEITHER, 0),
    "s0005": (Condition.NO_IMAGE, 0),
    "s0006": (Condition.ONLY_1, 2),  # in a draw that the estimate did not take
}
"""Where which sample's options have less mass than tau."""
MINE = dict.fromkeys(IDS, 0) | {IDS[-1]: -1, "s0010": 1}
"""What the model answers."""


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return small_benchmark(COUNT)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, benchmark: Benchmark) -> Path:
    """A run of three draws with an estimate of two, and a second run that answers otherwise."""
    folder = tmp_path_factory.mktemp("filters")
    config = config_of(benchmark, model="demo/mine")
    key = run_key(config)
    write_sidecar(folder, key, config, environment={})
    write_samples(folder, benchmark, range(COUNT))
    plan = ChunkPlan(run_key=key, index=0, sample_ids=tuple(IDS), draws=3)
    rows = rows_of(plan, {one.id: len(one.options) for one in benchmark.samples}).to_pylist()
    for row in rows:
        if FELL.get(row["sample_id"]) == (row["condition"], row["draw"]):
            row["scores"] = [score - 5.0 for score in row["scores"]]
        if row["condition"] == Condition.FULL:
            row["strict_choice"] = MINE[row["sample_id"]]
    write_chunk(run_directory(folder, key), plan, pa.Table.from_pylist(rows))
    rising = np.arange(COUNT, dtype=np.float64)
    numbers = dict.fromkeys((*ATOMS, *SCORES), rising)
    numbers["gap_score"] = np.where(rising == 20, math.nan, rising)
    record = spectrum(key, n=COUNT, estimate_key="e" * 16)
    assert record.settings == {"tau": TAU, "draws": 2}
    save(folder, record, pa.table({"sample_id": IDS, **numbers}))
    return folder


@pytest.fixture(scope="module")
def order() -> SampleOrder:
    return SampleOrder(estimate_keys=("e" * 16,), order_by="position", descending=False)


def left(cache: Path, order: SampleOrder, **filters: Any) -> list[str]:
    """The ids that pass, after a page and the list of all have agreed on them."""
    filtered = replace(order, filters=SampleFilters(**filters))
    ids = sample_ids(cache, filtered)
    page = sample_page(cache, filtered, limit=COUNT)
    assert tuple(row.sample_id for row in page.rows) == ids
    assert (page.total, page.everything, page.without_text) == (len(ids), COUNT, 0)
    return list(ids)


def test_without_a_filter_every_sample_is_listed(cache: Path, order: SampleOrder) -> None:
    assert left(cache, order) == IDS
    assert SampleFilters().is_empty
    assert not SampleFilters(text="x").is_empty


def test_both_ends_of_a_range_belong_to_it_and_undefined_numbers_to_none(
    cache: Path, order: SampleOrder
) -> None:
    assert left(cache, order, bounds=(Bound(field="synergy", low=3, high=5),)) == IDS[3:6]
    over = left(cache, order, bounds=(Bound(field="gap_score", low=18.5),))
    assert over == ["s0019", "s0021", "s0022", "s0023"]
    two = (Bound(field="gap_score", high=9.0), Bound(field="unique_1", low=8.0))
    assert left(cache, order, bounds=two) == IDS[8:10]


def test_a_sample_carries_all_tags_of_its_own_benchmark(
    cache: Path, order: SampleOrder, benchmark: Benchmark
) -> None:
    for name, key, ids in (
        ("a", benchmark.key, IDS[:4]),
        ("b", benchmark.key, [*IDS[2:6], "elsewhere"]),
        ("b", "another", IDS),
    ):
        tags.add(cache, name, benchmark="small", benchmark_key=key, sample_ids=ids)
    assert left(cache, order, tags=("b",)) == IDS[2:6]
    assert left(cache, order, tags=("a", "b")) == IDS[2:4]
    assert left(cache, order, tags=("none",)) == []


def test_words_are_found_in_questions_and_options_as_they_are(
    cache: Path, order: SampleOrder
) -> None:
    assert left(cache, order, text="question 1?") == ["s0001"]
    assert left(cache, order, text="BOTH") == [one for i, one in enumerate(IDS) if i % 3]
    for nothing in ("%", "Question_1", "' OR 1=1 --", "yes\nno"):
        assert (left(cache, order, text=nothing) == []) == (nothing != "yes\nno")


def test_a_fall_back_is_the_one_that_the_estimate_saw(
    cache: Path, order: SampleOrder, benchmark: Benchmark
) -> None:
    key = run_key(config_of(benchmark, model="demo/mine"))
    held = predictions(cache, key, draws=2)
    for condition in PROBED:
        seen = predictive(held.scores[condition], held.valid, TAU).fallback.any(axis=1)
        assert seen.sum() == 1
        assert left(cache, order, fallback=str(condition)) == list(held.sample_ids[seen])


def test_any_and_none_speak_of_the_conditions_that_form_the_atoms(
    cache: Path, order: SampleOrder
) -> None:
    any_of_them = left(cache, order, fallback="any")
    assert any_of_them == ["s0001", "s0002", "s0003"]
    assert {FELL[one][0] for one in any_of_them} == set(FORMING)
    assert left(cache, order, fallback="none") == [one for one in IDS if one not in any_of_them]


def test_another_answer_is_another_option_or_none_at_all(
    cache: Path, order: SampleOrder, benchmark: Benchmark
) -> None:
    same = answered(cache, benchmark, model="demo/right", answers=right)
    other = answered(cache, benchmark, model="demo/wrong", answers=wrong)
    elsewhere = answered(cache, small_benchmark(COUNT + 1), model="demo/right")
    ingest(cache)
    answers = {one.id: (one.answer, (one.answer + 1) % len(one.options)) for one in
               benchmark.samples}  # fmt: skip
    assert left(cache, order, unlike=same) == [one for one in IDS if answers[one][0] != MINE[one]]
    assert left(cache, order, unlike=other) == [one for one in IDS if answers[one][1] != MINE[one]]
    assert left(cache, order, unlike=elsewhere) == []
    wrong_here = replace(order, correct=False)
    assert set(left(cache, wrong_here, unlike=same)) == set(left(cache, order, unlike=same))


def test_filters_and_the_other_choices_all_hold(cache: Path, order: SampleOrder) -> None:
    few = replace(order, subset="right", split="test", correct=None)
    bounds = (Bound(field="synergy", high=5),)
    assert left(cache, few, bounds=bounds, fallback="none") == ["s0005"]
    filtered = replace(order, filters=SampleFilters(bounds=bounds, fallback="none"))
    place = place_of(cache, filtered, "s0004")
    assert place is not None
    assert (place.number, place.total, place.previous, place.next) == (1, 3, "s0000", "s0005")


def test_only_ranges_tags_conditions_and_runs_that_can_be_are_asked_for(
    cache: Path, order: SampleOrder
) -> None:
    bad: dict[str, Any]
    for bad in ({"field": "x; DROP TABLE samples", "low": 1.0}, {"field": "synergy"},
                {"field": "synergy", "low": 2.0, "high": 1.0},
                {"field": "synergy", "low": math.nan}):  # fmt: skip
        with pytest.raises(CacheError, match=r"no number|is no range"):
            Bound(**bad)
    one = Bound(field="synergy", low=1.0)
    filters: dict[str, Any]
    for filters, message in (
        ({"bounds": (one, one)}, "two ranges: synergy, synergy"),
        ({"tags": ("a\nb",)}, "cannot be a tag's name"),
        ({"fallback": "maybe"}, "no condition that can fall back"),
        ({"text": "x" * 201}, "up to 200 characters"),
    ):
        with pytest.raises(CacheError, match=message):
            SampleFilters(**filters)
    with pytest.raises(CacheError, match="no run 'none' whose answers could differ"):
        left(cache, order, unlike="none")


def test_estimates_that_are_not_there_have_no_samples(cache: Path, order: SampleOrder) -> None:
    nowhere = replace(order, estimate_keys=("none",), filters=SampleFilters(tags=("a",)))
    page = sample_page(cache, nowhere, limit=1)
    assert (page.rows, page.total, page.everything) == ((), 0, 0)
    assert sample_ids(cache, nowhere) == ()
