"""What was chosen stays what it was, whatever becomes of the tag."""

from pathlib import Path

import pytest

from data_cache.errors import CacheError, SchemaTooNew
from data_cache.selections import Selection, keep, read

CHOSEN = Selection.of("a" * 16, ("s2", "s1", "s2"))


def test_the_same_samples_have_one_key_and_one_file(tmp_path: Path) -> None:
    assert CHOSEN.sample_ids == ("s1", "s2")
    assert CHOSEN.key == Selection.of("a" * 16, ("s1", "s2")).key
    others = {Selection.of("a" * 16, ("s1",)).key, Selection.of("b" * 16, ("s1", "s2")).key}
    assert CHOSEN.key not in others
    path = keep(tmp_path, CHOSEN)
    before = path.stat().st_mtime_ns
    assert keep(tmp_path, CHOSEN) == path
    assert path.stat().st_mtime_ns == before
    assert read(tmp_path, CHOSEN.key) == CHOSEN


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "there is no selection"),
        ("[]", "is no selection of samples"),
        ('{"schema_version": 1, "benchmark_key": "x", "sample_ids": ["s1"]}', "other samples than"),
    ],
)
def test_what_cannot_be_read_is_said(text: str | None, sentence: str, tmp_path: Path) -> None:
    path = keep(tmp_path, CHOSEN)
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(CacheError, match=sentence):
        read(tmp_path, CHOSEN.key)


def test_a_newer_file_asks_for_an_upgrade(tmp_path: Path) -> None:
    path = keep(tmp_path, CHOSEN)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(SchemaTooNew, match="upgrade"):
        read(tmp_path, CHOSEN.key)


def test_a_key_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="is no selection key"):
        read(tmp_path, "../jobs")
