"""Parquet tables as the hub keeps them, streamed row by row."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data_cache.arrow import pa, pq
from data_cache.errors import BenchmarkError
from data_cache.formats.rows import Row, no_rows, refuse_archive, require_columns

BATCH_ROWS = 64
"""Rows in memory at once: of images of a few megabytes, some hundred megabytes."""


def read_parquet(
    path: Path, *, required: Iterable[str] = (), columns: Sequence[str] | None = None
) -> Iterator[Row]:
    """Yield the rows of a table.

    Parameters
    ----------
    path
        The file.
    required
        Columns that it must have.
    columns
        The columns to read, of those that are there; None reads all.

    Raises
    ------
    BenchmarkError
        If it is no Parquet file, lacks a column, or has no rows.
    """
    refuse_archive(path)
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            require_columns(path, names, required)
            if not file.metadata.num_rows:
                raise no_rows(path)
            chosen = None if columns is None else [name for name in columns if name in names]
            number = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=chosen):
                for values in _records(batch):
                    number += 1
                    yield Row(file=path, number=number, values=values)
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise BenchmarkError(
            f"{path} is no readable Parquet file ({error}); was its download stopped?"
        ) from error


def _records(batch: Any) -> list[dict[str, Any]]:
    """Return the rows; bytes of a text that are not UTF-8 become lone surrogates in it."""
    try:
        return batch.to_pylist()
    except UnicodeDecodeError:
        columns = {name: _texts(batch.column(name)) for name in batch.schema.names}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _texts(column: Any) -> list[Any]:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column.to_pylist()
    raw: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in raw]
