"""No name that a person, an address, a bundle or a spool gives leads out of the cache folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cache import jobs, location, tags
from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError, CacheError, DataError
from data_cache.location import QUARANTINE, SAMPLES, spool_directory
from data_cache.records import read_estimate
from data_cache.runs import read_sidecar
from data_cache.spool_parts import check_part, part_of
from model_runners.__main__ import main
from tests.security.attacks import PATHS, SQL

KEYS = {"key", "run_key", "benchmark_key", "job_key"}
PLACES: dict[str, Callable[[Path, str], Path]] = {
    "run": location.run_directory,
    "estimates": location.estimates_directory,
    "samples": location.samples_directory,
    "times": location.times_path,
    "adapter": lambda cache, key: location.adapter_directory(cache, key),
    "lens": location.lens_path,
    "selection": location.selection_path,
    "log": location.log_path,
}
"""Every function that makes a path of a name."""


@pytest.mark.parametrize("what", PLACES)
def test_a_name_that_is_no_key_makes_no_path(what: str, tmp_path: Path) -> None:
    for name in (*PATHS, *SQL):
        with pytest.raises(CacheError, match=r"is no .*key"):
            PLACES[what](tmp_path, name)


@given(name=st.text())
def test_whatever_a_key_is_it_stays_in_its_folder(name: str) -> None:
    cache = Path("/cache")
    for place in PLACES.values():
        try:
            path = place(cache, name)
        except CacheError:
            continue
        assert path.is_relative_to(cache)
        assert ".." not in path.parts
        assert name not in (SAMPLES, QUARANTINE)


@given(name=st.text() | st.from_regex(r"[./0-9a-f-]{0,40}(\.parquet|run\.json)"))
def test_whatever_a_file_of_a_spool_is_called_it_stays_in_the_spool(name: str) -> None:
    if part_of(name) is not None:
        assert not Path(name).is_absolute()
        assert ".." not in Path(name).parts
        assert "\\" not in name
        assert "\0" not in name


def test_every_table_of_paths_is_tried(tmp_path: Path) -> None:
    """A function of `location` that takes a key and is not tried above fails here."""
    import inspect

    taking = {
        function
        for name, function in inspect.getmembers(location, inspect.isfunction)
        if function.__module__ == location.__name__
        and {"key", "run_key", "benchmark_key", "job_key"}
        & set(inspect.signature(function).parameters)
        and name != "checked_key"
    }
    opened: set[str] = set()
    for function in taking:
        for name in PATHS:
            try:
                path = function(tmp_path, name)
            except CacheError:
                continue
            if path != tmp_path:
                opened.add(f"{function.__name__}({name!r})")
    assert taking
    assert not opened


def test_neither_do_readers_and_writers_that_take_names(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    cache = tmp_path / "cache"
    cache.mkdir()
    outside = sorted(tmp_path.rglob("*"))
    for name in PATHS:
        with pytest.raises(CacheError):
            read_sidecar(cache, name)
        with pytest.raises(DataError):
            check_part(spool_directory(cache), name)
        with pytest.raises(CacheError):
            jobs.find(cache, name)
        with pytest.raises((BenchmarkError, OSError, ValueError)):
            load_benchmark(BenchmarkChoice(name=name), cache=cache)
    for name in ("", " x", "x\n", "a" * 61, "x\x00"):
        with pytest.raises(CacheError, match="cannot be a tag's name"):
            tags.checked_name(name)
    assert sorted(tmp_path.rglob("*")) == outside
    with pytest.raises(DataError):
        read_estimate(tmp_path / "secret.json")


def test_nor_do_names_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for words in (
        ("resume", "../secret"),
        ("cancel", "../../x"),
        ("export", "x.zip", "--model", "../secret"),
        ("fetch", "../secret"),
        ("profile", "--model", "demo/oracle", "--benchmark", "../secret"),
        ("profile", "--model", "demo/oracle", "--benchmark", "digits_vqa", "--lens", "../secret"),
    ):
        code = main([*words, "--cache", str(tmp_path / "cache")])
        assert code == 2, words
        assert "pidscope: " in capsys.readouterr().err
    assert [path for path in sorted(tmp_path.rglob("*")) if "cache" not in path.parts] == before
