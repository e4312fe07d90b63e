import pytest

from data_cache.errors import CacheError
from data_cache.estimates import load, save
from data_cache.queries import runs
from data_cache.shipped import load_demo
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum


@pytest.fixture
def shipped(tmp_path):
    source = tmp_path / "shipped"
    key = profile(source, small_benchmark(100))
    save(source, spectrum(key), pointwise_rows())
    return source


def test_a_demo_is_copied_and_ingested(tmp_path, shipped):
    report = load_demo(tmp_path / "cache", source=shipped)
    assert (report.copied, report.present) == (6, 0)
    assert report.ingest.ingested == 5
    assert len(runs(tmp_path / "cache")) == len(load(tmp_path / "cache")) == 1


def test_a_second_load_copies_only_what_is_missing(tmp_path, shipped):
    cache = tmp_path / "cache"
    load_demo(cache, source=shipped)
    again = load_demo(cache, source=shipped)
    assert (again.copied, again.present, again.ingest.ingested) == (0, 6, 0)
    next((cache / "spool").glob("*/00001-*.parquet")).unlink()
    assert load_demo(cache, source=shipped).copied == 1


def test_estimates_of_the_user_are_kept(tmp_path, shipped):
    cache = tmp_path / "cache"
    load_demo(cache, source=shipped)
    (record,) = load(cache)
    save(cache, spectrum(record.run_key, synergy=1.25), pointwise_rows())
    load_demo(cache, source=shipped)
    assert load(cache)[0].synergy == 1.25


def test_a_folder_without_chunks_says_how_to_make_them(tmp_path):
    with pytest.raises(CacheError, match=r"no demo chunks in.*demo train oracle"):
        load_demo(tmp_path / "cache", source=tmp_path / "nothing")


def test_the_progress_of_copying_is_told(tmp_path, shipped):
    told = []
    load_demo(tmp_path / "cache", source=shipped, progress=lambda *place: told.append(place))
    assert told == [(place, 6) for place in range(7)]


def test_what_patching_did_comes_along(tmp_path, shipped):
    run = next(path.parent for path in shipped.glob("spool/*/run.json"))
    kept = run / "patches" / "00000-0123456789ab.parquet"
    kept.parent.mkdir()
    kept.write_bytes(b"as it is: pages read it, and no database holds it")
    assert load_demo(tmp_path / "cache", source=shipped).copied == 7
    copied = tmp_path / "cache" / "spool" / run.name / "patches" / kept.name
    assert copied.read_bytes() == kept.read_bytes()
