import datetime

import pytest

from data_cache.errors import CacheError
from data_cache.ingest import ingest
from data_cache.queries import runs, samples
from tests.data_cache.spools import PIXEL, config_of, profile, small_benchmark


def test_a_run_is_listed_with_what_all_its_samples_have(tmp_path):
    benchmark = small_benchmark(100)
    key = profile(tmp_path, benchmark, limit=64, draws=4, layers=(-1, 0, 1))
    profile(tmp_path, benchmark, limit=100, draws=2, layers=(-1, 1))
    ingest(tmp_path)
    (run,) = runs(tmp_path)
    assert (run.run_key, run.model, run.family) == (key, "demo/oracle", "llava")
    assert (run.benchmark, run.benchmark_key) == ("small", benchmark.key)
    assert (run.n_samples, run.draws, run.layers) == (100, 2, (-1, 1))
    assert run.config == config_of(benchmark)
    assert run.self_test == {"passed": True}
    age = datetime.datetime.now(datetime.UTC) - run.ingested_at
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=1)


def test_a_run_without_chunks_has_no_samples(tmp_path):
    profile(tmp_path, small_benchmark(4), limit=0)
    ingest(tmp_path)
    (run,) = runs(tmp_path)
    assert (run.n_samples, run.draws, run.layers) == (0, 0, ())


def test_samples_come_back_in_the_order_asked_for_with_their_thumbnails(tmp_path):
    benchmark = small_benchmark(70)
    profile(tmp_path, benchmark, limit=70)
    ingest(tmp_path)
    found = samples(tmp_path, benchmark.key, ["s0066", "nobody", "s0003"])
    assert [sample.sample_id for sample in found] == ["s0066", "s0003"]
    one, source = found[0], benchmark.samples[66]
    assert (one.question, one.options, one.answer) == (
        source.question,
        source.options,
        source.answer,
    )
    assert (one.position, one.system, one.meta) == (66, None, {"i": 66})
    assert one.thumbnails == (PIXEL,)


def test_too_many_samples_at_once_are_refused(tmp_path):
    with pytest.raises(CacheError, match="at most 1000"):
        samples(tmp_path, "key", ["x"] * 1001)
