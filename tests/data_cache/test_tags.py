"""Tags: each once per sample, in order, in a file of their own that outlives the database."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from data_cache import tags
from data_cache.errors import CacheBusy, CacheDamaged, CacheError, SchemaTooNew
from data_cache.ingest import rebuild
from data_cache.location import tags_path
from tests.data_cache.spools import profile, small_benchmark

KEY = "k" * 16


def put(cache: Path, name: str, *ids: str, key: str = KEY, description: str = "") -> int:
    return tags.add(
        cache,
        name,
        benchmark=f"bench-{key[0]}",
        benchmark_key=key,
        sample_ids=ids,
        description=description,
    )


def test_without_a_file_there_are_no_tags_and_none_is_made_by_looking(tmp_path: Path) -> None:
    assert tags.tags(tmp_path) == []
    assert tags.tagged(tmp_path, "a", KEY) == tags.tags_of(tmp_path, KEY, "s") == ()
    assert tags.take_off(tmp_path, "a", KEY) == 0
    assert tags.version(tmp_path) == "0"
    assert list(tmp_path.iterdir()) == []


def test_samples_are_kept_once_in_the_order_they_were_added(tmp_path: Path) -> None:
    assert put(tmp_path / "new", "hard", "s3", "s1") == 2
    assert put(tmp_path / "new", "hard", "s1", "s2") == 1
    assert tags.tagged(tmp_path / "new", "hard", KEY) == ("s3", "s1", "s2")


def test_a_tag_belongs_to_one_benchmark(tmp_path: Path) -> None:
    put(tmp_path, "hard", "s1", "s2")
    put(tmp_path, "hard", "s1", key="o" * 16)
    put(tmp_path, "easy", "s1")
    found = [(one.name, one.benchmark_key[0], one.samples) for one in tags.tags(tmp_path)]
    assert found == [("easy", "k", 1), ("hard", "k", 2), ("hard", "o", 1)]
    assert [one.name for one in tags.tags(tmp_path, "bench-o")] == ["hard"]
    assert tags.tags_of(tmp_path, KEY, "s1") == ("easy", "hard")
    assert tags.tags_of(tmp_path, "o" * 16, "s2") == ()


def test_a_tag_comes_off_some_samples_or_all_and_is_gone_without_any(tmp_path: Path) -> None:
    put(tmp_path, "hard", "s1", "s2", "s3")
    put(tmp_path, "easy", "s1")
    assert tags.take_off(tmp_path, "hard", KEY, ["s1", "never"]) == 1
    assert tags.tagged(tmp_path, "hard", KEY) == ("s2", "s3")
    assert tags.take_off(tmp_path, "hard", KEY) == 2
    assert tags.take_off(tmp_path, "easy", KEY, ["s1"]) == 1
    assert tags.tags(tmp_path) == []
    put(tmp_path, "hard", "s9")
    assert tags.tagged(tmp_path, "hard", KEY) == ("s9",)


def test_how_samples_were_chosen_is_kept_a_sentence_a_line(tmp_path: Path) -> None:
    for sentence in ("", "GapScore above 1 bit.", "", "Wrong answers.", "GapScore above 1 bit."):
        put(tmp_path, "hard", "s1", description=sentence)
    assert tags.tags(tmp_path)[0].description == "GapScore above 1 bit.\nWrong answers."


def test_the_version_changes_with_every_change_and_never_comes_back(tmp_path: Path) -> None:
    seen = {tags.version(tmp_path)}
    for change in (
        lambda: put(tmp_path, "hard", "s1"),
        lambda: put(tmp_path, "hard", "s2"),
        lambda: tags.take_off(tmp_path, "hard", KEY, ["s2"]),
        lambda: tags_path(tmp_path).unlink(),
        lambda: put(tmp_path, "hard", "s1"),
    ):
        change()
        now = tags.version(tmp_path)
        assert tags.version(tmp_path) == now
        seen.add(now)
    assert len(seen) == 5  # "0" before the first and while the file was gone


@pytest.mark.parametrize("name", ["", " ", "a ", "x" * 61, "two\nlines", "\u202eright to left"])
def test_a_name_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(CacheError, match="cannot be a tag's name; give it 1 to 60 printable"):
        put(tmp_path, name, "s1")
    assert not tags_path(tmp_path).exists()


def test_any_printable_name_and_id_is_kept_as_it_is(tmp_path: Path) -> None:
    for name in ("x" * 60, "'; DROP TABLE tags; --", "![x](http://example.org)", "日本 <b>"):
        put(tmp_path, name, name)
        assert tags.tagged(tmp_path, name, KEY) == (name,)


def test_a_refused_description_and_no_samples_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="up to 2,000 printable"):
        put(tmp_path, "hard", "s1", description="x" * 2001)
    assert put(tmp_path, "hard") == 0
    assert tags.tags(tmp_path) == []


def test_a_rebuild_of_the_database_leaves_the_tags_alone(tmp_path: Path) -> None:
    benchmark = small_benchmark(2)
    profile(tmp_path, benchmark)
    put(tmp_path, "hard", "s0001", key=benchmark.key)
    before = tags.version(tmp_path)
    rebuild(tmp_path)
    assert tags.tagged(tmp_path, "hard", benchmark.key) == ("s0001",)
    assert tags.version(tmp_path) == before


def test_threads_that_tag_at_once_lose_nothing(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for i in range(5):
            put(tmp_path, "hard", f"s{number}{i}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags.tagged(tmp_path, "hard", KEY)) == 20


def test_a_file_in_use_damaged_or_from_the_future_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "hard", "s1")
    monkeypatch.setattr(tags, "PATIENCE", 0.05)
    with closing(sqlite3.connect(tags_path(tmp_path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CacheBusy, match="in use by another process"):
            put(tmp_path, "hard", "s2")
        other.execute("ROLLBACK")
        other.execute("PRAGMA user_version=9")
    with pytest.raises(SchemaTooNew, match="schema 9, this one reads 1"):
        tags.tags(tmp_path)
    tags_path(tmp_path).write_bytes(b"no database" * 1000)
    with pytest.raises(CacheDamaged, match="put a copy of it back"):
        tags.tags(tmp_path)
