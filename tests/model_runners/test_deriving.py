"""What pages show is computed when something was stored, for the runs that it was stored of."""

import shutil
from pathlib import Path

import pytest

from data_cache import estimates, queries
from data_cache.derived import listed
from data_cache.ingest import rebuild
from data_cache.location import derived_directory, run_directory
from model_runners.deriving import derive
from tests.data_cache.answers import estimated
from tests.data_cache.patches import write_block
from tests.data_cache.spools import small_benchmark
from tests.model_runners.test_kept_courses import built  # noqa: F401 -- a fixture
from tests.pages.caches import build_cache
from tests.pages.many_models import models

BENCHMARK = small_benchmark(12)


@pytest.fixture
def cache(built: Path, tmp_path: Path) -> Path:  # noqa: F811
    """One model with layers."""
    return shutil.copytree(built, tmp_path / "cache")


def kept(cache: Path) -> dict[str, int]:
    names = [one.name for one in listed(cache) if one.is_current]
    return {name: names.count(name) for name in names}


def test_phases_and_effects_are_computed_for_the_runs_that_have_them(cache: Path) -> None:
    estimated(cache, BENCHMARK, model="demo/without-layers")
    (key,) = {one.run_key for one in estimates.load(cache, models=["demo/a"])}
    write_block(cache, key, [sample.id for sample in BENCHMARK.samples])
    said: list[str] = []
    assert derive(cache, say=said.append) == 2
    assert said == ["phases of demo/a, all", "effects of patches on demo/a, all"]
    assert kept(cache) == {"phases": 1, "patches": 1}


def test_other_runs_are_left_alone(cache: Path) -> None:
    estimated(cache, BENCHMARK, model="demo/b")
    (key,) = {one.run_key for one in estimates.load(cache, models=["demo/b"])}
    assert derive(cache, {key}) == 0
    assert kept(cache) == {}


def test_a_trajectory_with_a_hole_has_no_phases(cache: Path) -> None:
    (key,) = {one.run_key for one in estimates.load(cache)}
    for one in estimates.load(cache, layer=3):
        (run_directory(cache, key) / "estimates" / f"{one.estimate_key}.parquet").unlink()
    rebuild(cache)
    said: list[str] = []
    assert derive(cache, say=said.append) == 0
    assert said == []  # nor is it tried


def test_findings_take_four_models_and_are_of_all_benchmarks_and_of_each_subset(
    tmp_path: Path,
) -> None:
    cache = tmp_path / "cache"
    build_cache(cache, models(3, benchmark="mmbench"))
    assert derive(cache) == 0
    build_cache(
        cache, [*models(5, benchmark="mmbench"), *models(5, benchmark="mmbench", subset="one")]
    )
    assert derive(cache) == 1
    build_cache(cache, models(5, benchmark="pope"))
    said: list[str] = []
    runs = {run.run_key for run in queries.runs(cache) if run.benchmark == "pope"}
    assert derive(cache, runs, say=said.append) == 1
    assert said == ["findings of all benchmarks"]
    assert kept(cache) == {"findings": 2}


def test_trouble_with_one_is_left_to_the_page_and_the_others_are_computed(cache: Path) -> None:
    (key,) = {one.run_key for one in estimates.load(cache)}
    path = write_block(cache, key, [sample.id for sample in BENCHMARK.samples])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\x00" + content[len(content) // 2 + 1 :])
    assert derive(cache) >= 1
    assert kept(cache)["phases"] == 1


def test_older_results_are_swept(cache: Path) -> None:
    derive(cache)
    (path,) = derived_directory(cache).glob("phases/*.json")
    other = path.with_name(f"0{path.name[1:]}")
    other.write_bytes(path.read_bytes().replace(b'"version":"', b'"version":"x'))
    derive(cache)
    assert kept(cache) == {"phases": 1}
    assert not other.exists()


def test_it_stops_when_asked(cache: Path) -> None:
    assert derive(cache, stop=lambda: True) == 0
    assert kept(cache) == {}


def test_a_cache_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert derive(tmp_path / "nothing") == 0
