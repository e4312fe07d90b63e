"""Parquet tables as the hub keeps them, streamed row by row."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

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
                for values in batch.to_pylist():
                    number += 1
                    yield Row(file=path, number=number, values=values)
    except (OSError, pa.ArrowException) as error:
        raise BenchmarkError(
            f"{path} is no readable Parquet file ({error}); was its download stopped?"
        ) from error
