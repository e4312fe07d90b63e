"""What the cache says of a run's coverage is what its chunks hold, whatever came first."""

import shutil
from collections import Counter
from pathlib import Path

import duckdb

from data_cache import schema
from data_cache.coverage import RunCoverage, coverage
from data_cache.estimates import save
from data_cache.ingest import ingest, rebuild
from data_cache.location import database_path, samples_directory
from data_cache.store import reader, writer
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum


def covered(cache: Path) -> list[tuple[object, ...]]:
    with reader(cache) as connection:
        return connection.execute("SELECT * FROM covered ORDER BY ALL").fetchall()


def test_samples_are_counted_by_split_and_the_benchmark_by_what_is_known_of_it(tmp_path):
    benchmark = small_benchmark(100)
    key = profile(tmp_path, benchmark, limit=70)
    ingest(tmp_path)
    measured = Counter(sample.split for sample in benchmark.samples[:70])
    known = Counter(sample.split for sample in benchmark.samples)
    assert coverage(tmp_path) == {
        key: RunCoverage(
            run_key=key,
            samples=70,
            by_split={"train": measured["train"], "test": measured["test"]},
            known={"train": known["train"], "test": known["test"]},
            spectra=0,
            layers_with_spectra=0,
        )
    }


def test_subsets_are_counted_too(tmp_path):
    benchmark = small_benchmark(100)
    key = profile(tmp_path, benchmark)
    ingest(tmp_path)
    expected = Counter((i // 64, s.split, s.subset) for i, s in enumerate(benchmark.samples))
    assert covered(tmp_path) == sorted((key, *what, n) for what, n in expected.items())


def test_spectra_of_the_output_and_of_layers_are_told_apart(tmp_path):
    key = profile(tmp_path, small_benchmark(8), layers=(-1, 0, 1))
    for record in (spectrum(key), spectrum(key, subset="left"), spectrum(key, layer=1)):
        save(tmp_path, record, pointwise_rows())
    (one,) = coverage(tmp_path).values()
    assert (one.spectra, one.layers_with_spectra) == (2, 1)


def test_no_cache_has_no_coverage(tmp_path):
    assert coverage(tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()


def test_samples_that_arrive_late_are_counted_when_they_do(tmp_path):
    benchmark = small_benchmark(100)
    key = profile(tmp_path, benchmark, limit=70)
    samples, aside = samples_directory(tmp_path, benchmark.key), tmp_path / "aside"
    shutil.move(samples, aside)
    ingest(tmp_path)
    assert coverage(tmp_path)[key].samples == 70
    assert coverage(tmp_path)[key].by_split == {"train": 0, "test": 0}
    shutil.move(aside, samples)
    ingest(tmp_path)
    late = covered(tmp_path)
    assert sum(row[-1] for row in late) == 70
    rebuild(tmp_path)
    assert covered(tmp_path) == late


def test_a_longer_run_counts_every_sample_once(tmp_path):
    benchmark = small_benchmark(100)
    profile(tmp_path, benchmark, limit=10)
    ingest(tmp_path)
    key = profile(tmp_path, benchmark, limit=40)
    ingest(tmp_path)
    assert sum(coverage(tmp_path)[key].by_split.values()) == 40


def test_an_older_file_is_counted_when_it_is_upgraded(tmp_path):
    profile(tmp_path, small_benchmark(100), limit=70)
    ingest(tmp_path)
    expected = covered(tmp_path)
    with duckdb.connect(database_path(tmp_path)) as connection:
        connection.execute("DROP TABLE covered")
        connection.execute("DROP TABLE swaps")
        connection.execute("UPDATE cache_schema SET version = 4")
    with writer(tmp_path):
        pass
    assert covered(tmp_path) == expected
    assert schema.MIGRATIONS[4] is schema.count_by_split


def test_the_predictions_are_not_read(tmp_path):
    profile(tmp_path, small_benchmark(100), limit=70)
    ingest(tmp_path)
    expected = coverage(tmp_path)
    with writer(tmp_path) as connection:
        for table in ("predictions", "features", "layer_features", "pointwise"):
            connection.execute(f"DROP TABLE {table}")
    assert coverage(tmp_path) == expected
