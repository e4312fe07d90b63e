"""gc, compact, export, import of a bundle and doctor, as a person calls them."""

import json
from pathlib import Path

import pytest

from data_cache.ingest import ingest
from data_cache.queries import runs
from model_runners.__main__ import main
from tests.data_cache.spools import profile, small_benchmark
from tests.data_cache.test_checkup import flipped


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    profile(folder, small_benchmark(20), draws=1)
    profile(folder, small_benchmark(20), draws=2)
    ingest(folder)
    return folder


def test_gc_lists_and_removes_only_what_is_confirmed(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chunks = sorted(cache.glob("spool/*/0*.parquet"))
    assert main(["gc", "--cache", str(cache)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("covered chunk  ")
    assert "nothing was removed" in said.err
    assert sorted(cache.glob("spool/*/0*.parquet")) == chunks
    assert main(["gc", "--yes", "--kind", "export", "--cache", str(cache)]) == 0
    assert sorted(cache.glob("spool/*/0*.parquet")) == chunks
    assert main(["gc", "--yes", "--json", "--cache", str(cache)]) == 0
    assert [one["kind"] for one in json.loads(capsys.readouterr().out)] == ["covered chunk"]
    assert len(list(cache.glob("spool/*/0*.parquet"))) == 1
    assert main(["doctor", "--cache", str(cache)]) == 0


def test_compact_drops_what_says_nothing_new(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compact", "--cache", str(cache)]) == 0
    assert "1 files that said nothing new are gone" in capsys.readouterr().err
    assert main(["doctor", "--cache", str(cache)]) == 0


def test_a_bundle_goes_from_one_cache_to_another(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, other = tmp_path / "mine.zip", tmp_path / "other"
    assert main(["export", str(bundle), "--model", "demo/oracle", "--cache", str(cache)]) == 0
    assert main(["import", str(bundle), "--cache", str(other)]) == 0
    assert [one.run_key for one in runs(other)] == [one.run_key for one in runs(cache)]
    capsys.readouterr()
    assert main(["export", str(bundle), "--model", "nobody", "--cache", str(cache)]) == 2
    assert "no run of" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "x.csv"), "--cache", str(other)]) == 2
    assert "no bundle of `export`" in capsys.readouterr().err


def test_doctor_ends_with_1_where_something_is_not_whole(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flipped(next(cache.glob("spool/*/0*.parquet")), 40)
    assert main(["doctor", "--json", "--cache", str(cache)]) == 1
    troubles = json.loads(capsys.readouterr().out)["troubles"]
    assert any("00000-" in one["where"] for one in troubles)
