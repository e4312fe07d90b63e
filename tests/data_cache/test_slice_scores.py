"""The numbers of some samples as a table, against those that the page of a sample shows."""

import csv
import dataclasses
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_cache import tags
from data_cache.conditions import PROBED, Condition
from data_cache.errors import CacheError
from data_cache.estimates import save_all
from data_cache.ingest import ingest
from data_cache.sample_detail import sample_detail
from data_cache.samples import Benchmark, letter_of
from data_cache.slice_scores import COLUMN_OF, SCHEMA, estimates_of, write_scores
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum

IDS = tuple(f"s{i:04d}" for i in range(12))


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return small_benchmark(14)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, benchmark: Benchmark) -> Path:
    """Two models with one estimate a subset, of twelve samples, and a newer one of both subsets."""
    folder = tmp_path_factory.mktemp("scores")
    pairs = []
    for model in ("demo/oracle", "other"):
        key = profile(folder, benchmark, model=model, draws=3)
        for subset in ("left", "right", "all"):
            ids = [one.id for one in benchmark.samples[:12] if subset in ("all", one.subset)]
            made = "2026-01-03" if subset == "all" else "2026-01-02"
            record = spectrum(key, subset=subset, model=model, n=len(ids), created=made)
            pairs.append((record, pointwise_rows(ids)))
    save_all(folder, pairs)
    ingest(folder)
    tags.add(folder, "mine", benchmark="small", benchmark_key=benchmark.key, sample_ids=["s0003"])
    return folder


def test_each_row_has_what_the_sample_shows(
    cache: Path, benchmark: Benchmark, tmp_path: Path
) -> None:
    keys = estimates_of(cache, benchmark.key)
    wanted = IDS[::-1]
    told: list[tuple[int, int]] = []
    done = write_scores(
        cache, keys, wanted, tmp_path / "slice.parquet", progress=lambda *at: told.append(at)
    )
    table = pq.read_table(done.path)
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    assert done.rows == len(rows) == 24
    assert told == [(12, 12)]
    assert [(row["sample_id"], row["model"]) for row in rows] == [
        (one, model) for one in wanted for model in ("demo/oracle", "other")
    ]
    for row in rows:
        assert row["estimate_of"] == row["subset"], "a subset's own estimate comes first"
        shown = sample_detail(cache, [row["estimate_key"]], row["sample_id"])
        assert {name: row[column] for name, column in COLUMN_OF.items()} == shown.numbers
        assert row["question"] == shown.sample.question
        assert tuple(row["options"]) == shown.sample.options
        assert row["answer"] == letter_of(shown.sample.answer)
        assert row["tags"] == (["mine"] if row["sample_id"] == "s0003" else [])
        assert set(shown.distributions) == set(PROBED)
        for condition, one in shown.distributions.items():
            assert row[f"p_{condition}"] == pytest.approx(one.probabilities.tolist(), abs=1e-12)
            assert row[f"fell_back_{condition}"] == one.fallback.mean()
        choice = shown.distributions[Condition.FULL].strict_choice[0]
        assert choice is not None
        assert row["answered"] == letter_of(choice)
        assert row["correct"] == (choice == shown.sample.answer)


def test_csv_holds_the_same_with_lists_as_json(
    cache: Path, benchmark: Benchmark, tmp_path: Path
) -> None:
    keys = estimates_of(cache, benchmark.key, models=["other"])
    write_scores(cache, keys, IDS, tmp_path / "slice.parquet")
    write_scores(cache, keys, IDS, tmp_path / "slice.csv")
    rows = pq.read_table(tmp_path / "slice.parquet").to_pylist()
    with (tmp_path / "slice.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == SCHEMA.names
    for row, cells in zip(rows, lines, strict=True):
        assert cells["model"] == "other"
        assert float(cells["gap_score_bits"]) == row["gap_score_bits"]
        assert json.loads(cells["p_only_1"]) == row["p_only_1"]
        assert json.loads(cells["options"]) == row["options"]


def test_a_fallback_under_another_tau_is_that_of_the_estimate(
    cache: Path, benchmark: Benchmark, tmp_path: Path
) -> None:
    """The stored scores have a mass of 0.9; an estimate with a higher tau took them as uniform."""
    key = profile(cache, benchmark, model="strict", draws=3)
    record = dataclasses.replace(
        spectrum(key, model="strict"), settings={"tau": 0.95, "draws": 1}, estimate_key="f" * 16
    )
    save_all(cache, [(record, pointwise_rows(IDS))])
    write_scores(cache, ["f" * 16], IDS[:1], tmp_path / "x.parquet")
    (row,) = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert row["p_full"] == [0.5, 0.5]
    assert (row["fell_back_full"], row["tau"], row["draws"]) == (1.0, 0.95, 1)


def test_samples_without_numbers_are_named_or_refused(
    cache: Path, benchmark: Benchmark, tmp_path: Path
) -> None:
    keys = estimates_of(cache, benchmark.key, models=["other"])
    done = write_scores(cache, keys, ["s0013", "s0001"], tmp_path / "x.csv")
    assert (done.rows, [one.sample_id for one in done.left_out]) == (1, ["s0013"])
    with pytest.raises(CacheError, match="none of the 1 samples has numbers of these models"):
        write_scores(cache, keys, ["s0013"], tmp_path / "y.csv")
    assert not (tmp_path / "y.csv").exists()
    with pytest.raises(CacheError, match=r"must end in \.csv or \.parquet"):
        write_scores(cache, keys, ["s0001"], tmp_path / "x.xlsx")
    with pytest.raises(CacheError, match="no spectrum of 'none' on this benchmark; it has those"):
        estimates_of(cache, benchmark.key, models=["none"])
