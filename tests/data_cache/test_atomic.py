import os
import time

import pytest

from data_cache.atomic import sweep_temporary_files, temporary_path, write_atomically
from data_cache.errors import CacheError


def test_a_file_appears_whole_with_its_folders(tmp_path):
    path = write_atomically(tmp_path / "a" / "b" / "file", b"content")
    assert path.read_bytes() == b"content"
    write_atomically(path, b"other")
    assert path.read_bytes() == b"other"
    assert os.listdir(path.parent) == ["file"]


def test_a_refused_write_leaves_nothing_and_says_where(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CacheError, match=r"folder could not be written \(.*\); free some space"):
        write_atomically(tmp_path / "folder", b"content")
    assert os.listdir(tmp_path) == ["folder"]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CacheError, match="could not be written"):
        write_atomically(tmp_path / "file" / "below", b"content")


def test_only_old_leftovers_of_processes_that_are_gone_are_swept(tmp_path):
    old, young = temporary_path(tmp_path / "chunk"), temporary_path(tmp_path / "chunk")
    gone = old.with_name(old.name.replace(f".{os.getpid()}-", f".{2**22 + 1}-"))
    gone_young = young.with_name(young.name.replace(f".{os.getpid()}-", f".{2**22 + 1}-"))
    for path in (old, young, gone, gone_young, tmp_path / "chunk"):
        path.write_bytes(b"")
    for path in (old, gone):  # `old` is of this process: the clock has jumped while it was written
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    assert sweep_temporary_files(tmp_path) == 1
    left = [old.name, young.name, gone_young.name, "chunk"]
    assert sorted(os.listdir(tmp_path)) == sorted(left)
