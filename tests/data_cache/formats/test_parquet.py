"""Parquet tables, row by row."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cache.errors import BenchmarkError
from data_cache.formats.parquet import BATCH_ROWS, read_parquet
from data_cache.formats.rows import BadRow


def test_rows_are_numbered_through_batches_and_columns_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    count = BATCH_ROWS * 2 + 3
    pq.write_table(pa.table({"a": list(range(count)), "b": ["x"] * count}), path)
    rows = list(read_parquet(path, required=("a",), columns=("a", "image")))
    assert [row.number for row in rows] == list(range(1, count + 1))
    assert dict(rows[-1].values) == {"a": count - 1}


def test_files_that_are_no_table_are_refused(tmp_path: Path) -> None:
    empty, broken = tmp_path / "empty.parquet", tmp_path / "broken.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), empty)
    broken.write_bytes(b"PAR1 and no more")
    for path, says in ((empty, "has no rows"), (broken, "no readable Parquet file")):
        with pytest.raises(BenchmarkError, match=says) as caught:
            list(read_parquet(path))
        assert str(path) in str(caught.value)
    with pytest.raises(BenchmarkError, match="has no column question; its columns are a"):
        list(read_parquet(empty, required=("question",)))


def test_a_text_that_is_not_utf_8_is_one_bad_row(tmp_path: Path) -> None:
    raw = pa.array([b"fine", b"caf\xe9", None], pa.binary())
    valid, offsets, data = raw.buffers()
    texts = pa.StringArray.from_buffers(3, offsets, data, valid)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "question": texts}), path)
    first, second, third = read_parquet(path)
    assert first.text("question") == "fine"
    assert third.optional("question") is None
    assert [row.get("id") for row in (first, second, third)] == [1, 2, 3]
    with pytest.raises(BadRow, match=r"t\.parquet, row 2, column question: it is not UTF-8"):
        second.text("question")
