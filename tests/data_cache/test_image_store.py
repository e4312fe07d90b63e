"""The image store: once per content, found by content, no copy of the user's files."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_cache.errors import BenchmarkError
from data_cache.image_store import ImageStore, original, store_path
from data_cache.images import ImageFile
from tests.data_cache.test_images import bomb, png


def test_an_image_is_kept_once_and_read_back_after_the_store_is_closed(tmp_path: Path) -> None:
    with ImageStore(tmp_path) as store:
        kept = [store.keep(png(8), "a"), store.keep(png(9), "b"), store.keep(png(8), "c")]
    with ImageStore(tmp_path) as store:
        again = store.keep(png(8), "d")
    assert [image.read() for image in (*kept, again)] == [png(8), png(9), png(8), png(8)]
    connection = sqlite3.connect(store_path(tmp_path))
    assert connection.execute("SELECT count(*) FROM images").fetchall() == [(2,)]
    connection.close()


def test_what_was_kept_before_an_error_stays(tmp_path: Path) -> None:
    def read_rows() -> Iterator[ImageFile]:
        with ImageStore(tmp_path) as store:
            yield store.keep(png(8), "a")
            store.keep(b"no image", "row 2")

    rows = read_rows()
    kept = next(rows)
    with pytest.raises(BenchmarkError):
        next(rows)
    assert kept.read() == png(8)


def test_no_image_and_no_bomb_is_kept(tmp_path: Path) -> None:
    with ImageStore(tmp_path) as store:
        for raw in (b"no image", bomb(20_000)):
            with pytest.raises(BenchmarkError, match="row 3"):
                store.keep(raw, "row 3")
    assert original(tmp_path, "0" * 64) is None


def test_a_file_is_not_copied_and_its_original_is_found_by_content(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    with ImageStore(tmp_path / "cache") as store:
        image = store.file(path)
    assert original(tmp_path / "cache", image.digest) == png(8)
    path.unlink()
    assert original(tmp_path / "cache", image.digest) is None


def test_an_original_that_changed_is_not_shown_for_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    with ImageStore(tmp_path / "cache") as store:
        image = store.file(path)
    path.write_bytes(png(9))
    assert original(tmp_path / "cache", image.digest) is None


def test_a_file_that_changed_has_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    with ImageStore(tmp_path / "cache") as store:
        before = store.file(path).digest
        path.write_bytes(png(8, colour=9))
        os.utime(path, ns=(1, 1))
        assert store.file(path).digest != before


def test_a_file_that_stays_the_same_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    os.utime(path, ns=(5, 5))
    with ImageStore(tmp_path / "cache") as store:
        before = store.file(path).digest
        # As many bytes, and the same time: only reading would tell, and that is what is spared.
        path.write_bytes(bytes(reversed(png(8))))
        os.utime(path, ns=(5, 5))
        image = store.file(path)
        assert image.digest == before
    with pytest.raises(BenchmarkError, match="has changed since"):
        image.read()


def test_questions_about_an_image_hold_it_together(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    with ImageStore(tmp_path / "cache") as store:
        assert store.file(path) is store.file(path)
        assert store.keep(png(8), "an image") is store.keep(png(8), "an image")
        before = store.file(path)
        os.utime(path, (1, 1))
        assert store.file(path) is not before


def test_bad_files_are_named_each_time(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    with ImageStore(tmp_path / "cache") as store:
        for _ in range(2):
            with pytest.raises(BenchmarkError, match=r"broken\.png is not an image"):
                store.file(broken)
        with pytest.raises(BenchmarkError, match=r"none\.png cannot be read: No such file"):
            store.file(tmp_path / "none.png")
        with pytest.raises(BenchmarkError, match="is a folder"):
            store.file(tmp_path)


def test_other_threads_read_while_one_adds(tmp_path: Path) -> None:
    found: list[bytes] = []
    with ImageStore(tmp_path) as store:
        first = store.keep(png(8), "a")
    with ImageStore(tmp_path) as store:
        store.keep(png(9), "b")  # not committed yet
        reader = threading.Thread(target=lambda: found.append(first.read()))
        reader.start()
        reader.join()
    assert found == [png(8)]


def test_a_store_that_was_deleted_says_what_to_do(tmp_path: Path) -> None:
    with ImageStore(tmp_path) as store:
        image = store.keep(png(8), "a")
    store_path(tmp_path).unlink()
    with pytest.raises(BenchmarkError, match="made anew when benchmarks are read"):
        image.read()
