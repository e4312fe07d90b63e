"""Records in JSON: one object on each line, or one array of them; the first character tells."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from data_cache.errors import BenchmarkError
from data_cache.formats.rows import Row, no_rows, refuse_archive, require_columns
from data_cache.samples import RowProblem


def read_json(path: Path, *, required: Iterable[str] = ()) -> Iterator[Row]:
    """Yield the records of a file, whatever its name says.

    Parameters
    ----------
    path
        The file.
    required
        Keys that the first good record must have.

    Raises
    ------
    BenchmarkError
        If it cannot be read, holds neither lines nor an array, lacks a key, or has no records.
    """
    refuse_archive(path)
    try:
        # Surrogates stand for bytes that are not UTF-8; they make one bad row each.
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            start = file.read(1)
            while start.isspace():
                start = file.read(1)
            if start not in {"{", "["}:
                if not start:
                    raise no_rows(path)
                raise BenchmarkError(
                    f"{path} begins with {start!r}; JSON begins with an object on each line or "
                    "with an array of objects"
                )
            file.seek(0)
            records = _of_lines(path, file) if start == "{" else _of_array(path, file.read())
            known = False
            for row in records:
                if row.problem is None and not known:
                    require_columns(path, row.values, required)
                    known = True
                yield row
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read: {error.strerror}") from error


def _of_lines(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip("\ufeff \t\r\n"):
            continue
        try:
            value: object = json.loads(line)
        except ValueError as error:
            if number == 1 and line.strip() == "{":
                raise BenchmarkError(
                    f"{path} holds one object over several lines; one object on each line, or an "
                    "array of objects, is expected"
                ) from error
            yield _problem(path, number, f"it is no JSON ({error})")
            continue
        yield _row(path, number, value)


def _of_array(path: Path, text: str) -> Iterator[Row]:
    try:
        values: object = json.loads(text)
    except ValueError as error:
        raise BenchmarkError(f"{path} is no JSON: {error}; was its download stopped?") from error
    if not values:
        raise no_rows(path)
    for number, value in enumerate(cast(list[object], values), start=1):
        yield _row(path, number, value)


def _row(path: Path, number: int, value: object) -> Row:
    if not isinstance(value, dict):
        return _problem(path, number, "it is no object with names")
    return Row(file=path, number=number, values=cast(dict[str, Any], value))


def _problem(path: Path, number: int, reason: str) -> Row:
    problem = RowProblem(file=str(path), row=number, column="", reason=reason)
    return Row(file=path, number=number, problem=problem)
