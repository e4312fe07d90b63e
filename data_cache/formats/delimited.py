"""Tables of text with a delimiter (TSV, CSV), streamed; a quoted cell may have several lines."""

import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from data_cache.errors import BenchmarkError
from data_cache.formats.rows import Row, encodable, no_rows, quoted, refuse_archive, require_columns
from data_cache.samples import RowProblem

OTHER_DELIMITERS = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a bar"}


def read_delimited(path: Path, *, delimiter: str, required: Iterable[str] = ()) -> Iterator[Row]:
    """Yield the rows of a table whose first row names the columns.

    Bytes that are not UTF-8 stay in their cell as lone surrogates, so that one such cell is one bad
    row and not a file that cannot be read.

    Parameters
    ----------
    path
        The file.
    delimiter
        One character.
    required
        Columns that it must have.

    Raises
    ------
    BenchmarkError
        If it cannot be read, has another delimiter, lacks a column, or has no rows.
    """
    refuse_archive(path)
    csv.field_size_limit(sys.maxsize)  # a cell may hold an image
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            # A NUL is no text; Python's reader takes it as it is.
            reader = csv.reader(file, delimiter=delimiter, strict=False)
            header = next(reader, None)
            if header is None:
                raise no_rows(path)
            names = [encodable(name).strip() for name in header]
            _refuse_other_delimiter(path, names, delimiter, required)
            _refuse_repeated(path, names)
            require_columns(path, names, required)
            number = 0
            for cells in reader:
                if not cells:
                    continue  # an empty line
                number += 1
                if len(cells) != len(names):
                    yield Row(file=path, number=number, problem=_ragged(path, number, cells, names))
                    continue
                yield Row(file=path, number=number, values=dict(zip(names, cells, strict=True)))
            if not number:
                raise no_rows(path)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise BenchmarkError(f"{path} is no table of text: {error}") from error


def _refuse_other_delimiter(
    path: Path, names: list[str], delimiter: str, required: Iterable[str]
) -> None:
    if len(names) > 1 or not list(required):
        return
    for other, word in OTHER_DELIMITERS.items():
        if other != delimiter and other in names[0]:
            wanted = OTHER_DELIMITERS.get(delimiter, repr(delimiter))
            raise BenchmarkError(
                f"{path} is separated by {word}, and {wanted} is expected; name it .csv or .tsv "
                "after what it is, or save it again"
            )


def _refuse_repeated(path: Path, names: list[str]) -> None:
    """Refuse two columns of one name; columns without a name are nobody's."""
    for place, name in enumerate(names):
        if name and name in names[:place]:
            raise BenchmarkError(f"{path} has two columns {quoted(name)}; rename one of them")


def _ragged(path: Path, number: int, cells: list[str], names: list[str]) -> RowProblem:
    return RowProblem(
        file=str(path),
        row=number,
        column=names[min(len(cells), len(names)) - 1],
        reason=f"it has {len(cells)} cells, and the header has {len(names)}",
    )
