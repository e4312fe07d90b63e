"""A table by the end of its name: Parquet, TSV or CSV."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from data_cache.formats.delimited import read_delimited
from data_cache.formats.parquet import read_parquet
from data_cache.formats.rows import Row


def read_table(path: Path, *, required: Iterable[str] = ()) -> Iterator[Row]:
    """Yield the rows of a table; what is neither `.parquet` nor `.csv` is separated by tabs.

    Parameters
    ----------
    path
        The file.
    required
        Columns that it must have.

    Raises
    ------
    BenchmarkError
        As the readers of the formats.
    """
    if path.suffix.lower() == ".parquet":
        return read_parquet(path, required=required)
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    return read_delimited(path, delimiter=delimiter, required=required)
