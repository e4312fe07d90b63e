"""Encoded images: whole or not at all, within a limit, the least recently used first."""

import os
import time
from pathlib import Path

import pytest

from data_cache import encoded_images
from data_cache.encoded_images import EncodedImages, is_whole, listed
from data_cache.leftovers import leftovers, remove
from data_cache.location import vision_directory

MODEL = "0123456789abcdef"


def key(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture(autouse=True)
def any_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of a test may have less room than a run should leave."""
    monkeypatch.setattr(encoded_images, "FREE_BYTES", 0)


def test_what_was_kept_is_read_again_by_another_process(tmp_path: Path) -> None:
    assert EncodedImages(tmp_path, MODEL, limit_bytes=1000).is_empty
    assert EncodedImages(tmp_path, MODEL, limit_bytes=1000).write(key(1), b"vectors")
    other = EncodedImages(tmp_path, MODEL, limit_bytes=1000)
    assert other.read(key(1)) == b"vectors"
    assert other.read(key(2)) is None
    assert EncodedImages(tmp_path, MODEL[::-1], limit_bytes=1000).read(key(1)) is None


@pytest.mark.parametrize("place", [0, 31, 32, 40, -1])
def test_a_bit_that_turned_over_is_noticed_and_the_file_removed(tmp_path: Path, place: int) -> None:
    files = EncodedImages(tmp_path, MODEL, limit_bytes=1000)
    files.write(key(1), b"vectors of an image")
    path = files.path(key(1))
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    assert not is_whole(path)
    assert files.read(key(1)) is None
    assert files.damaged == 1
    assert not path.exists()


def test_a_truncated_file_counts_as_missing(tmp_path: Path) -> None:
    files = EncodedImages(tmp_path, MODEL, limit_bytes=1000)
    files.write(key(1), b"vectors")
    files.path(key(1)).write_bytes(b"")
    assert files.read(key(1)) is None


def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    before = EncodedImages(tmp_path, MODEL, limit_bytes=1000)
    for number in range(9):
        before.write(key(number), bytes(68))  # and 32 of the checksum
        long_ago = time.time() - 1e6 + number
        os.utime(before.path(key(number)), (long_ago, long_ago))
    before.read(key(0))  # so it is the latest that was used
    assert EncodedImages(tmp_path, MODEL, limit_bytes=1000).write(key(20), bytes(168))
    left = {path.stem for path, _, _ in listed(vision_directory(tmp_path))}
    assert {key(0), key(8), key(20)} <= left
    assert key(1) not in left
    assert sum(size for _, size, _ in listed(vision_directory(tmp_path))) <= 1000


def test_a_run_does_not_throw_out_what_it_has_just_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded_images, "TRIM_BYTES", 150)
    files = EncodedImages(tmp_path, MODEL, limit_bytes=500)
    kept = [files.write(key(number), bytes(68)) for number in range(12)]
    assert kept[0]
    assert not kept[-1]
    assert files.read(key(0)) == bytes(68)


def test_nothing_is_kept_on_a_disk_with_little_room_or_in_a_folder_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not EncodedImages(tmp_path, MODEL, limit_bytes=0).write(key(1), b"vectors")
    vision_directory(tmp_path).write_bytes(b"a file where the folder should be")
    assert not EncodedImages(tmp_path, MODEL, limit_bytes=1000).write(key(1), b"vectors")
    monkeypatch.setattr(encoded_images, "FREE_BYTES", 1 << 60)
    assert not EncodedImages(tmp_path / "b", MODEL, limit_bytes=1000).write(key(1), b"vectors")


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    for name in ("../../x", "", "g" * 32):
        with pytest.raises(ValueError, match="hexadecimal"):
            EncodedImages(tmp_path, MODEL, limit_bytes=1000).path(name)
        with pytest.raises(ValueError, match="hexadecimal"):
            EncodedImages(tmp_path, name, limit_bytes=1000)


def test_gc_lists_them_by_model_and_removes_them(tmp_path: Path) -> None:
    EncodedImages(tmp_path, MODEL, limit_bytes=1000).write(key(1), b"vectors")
    (found,) = leftovers(tmp_path)
    assert (found.kind, found.size, found.is_safe) == ("encoded images", 39, False)
    assert "1 images" in found.why
    assert remove(tmp_path, [found]) == 39
    assert leftovers(tmp_path) == []
