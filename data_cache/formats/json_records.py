"""Records in JSON: one object on each line, or one array of them; the first character tells."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from data_cache.errors import BenchmarkError
from data_cache.formats.rows import Row, no_rows, refuse_archive, require_columns
from data_cache.samples import RowProblem

READ_CHARACTERS = 1 << 20
"""What is read of an array at a time; more only where one record is longer."""


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
            records = _of_lines(path, file) if start == "{" else _of_array(path, file)
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
        except (ValueError, RecursionError) as error:
            if number == 1 and line.strip() == "{":
                raise BenchmarkError(
                    f"{path} holds one object over several lines; one object on each line, or an "
                    "array of objects, is expected"
                ) from error
            yield _problem(path, number, f"it is no JSON ({error})")
            continue
        yield _row(path, number, value)


def _of_array(path: Path, file: TextIO) -> Iterator[Row]:
    """Yield one element after the other: whole, a file with embeddings would take gigabytes."""
    array = _Array(file)
    array.take()  # the bracket
    if array.sign() == "]":
        raise no_rows(path)
    number = 0
    while True:
        number += 1
        try:
            value = array.value()
        except (ValueError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise _cut(path, f"record {number}: {said}") from error
        yield _row(path, number, value)
        sign = array.sign()
        if sign == "]":
            return
        if sign != ",":
            what = f"{sign!r} stands after" if sign else "it ends after"
            raise _cut(path, f"{what} record {number}")
        array.take()


class _Array:
    """The signs and values of a JSON text that is never whole in memory."""

    _NOT_BLANK = re.compile(r"[^ \t\r\n]")

    def __init__(self, file: TextIO) -> None:
        self.file, self.text, self.place = file, "", 0
        self.decoder = json.JSONDecoder()

    def sign(self) -> str:
        """Return the next sign that is no blank, without taking it; empty at the end."""
        while True:
            found = self._NOT_BLANK.search(self.text, self.place)
            if found:
                self.place = found.start()
                return found[0]
            self.place = len(self.text)
            if not self._read():
                return ""

    def take(self) -> None:
        """Take the next sign."""
        self.sign()
        self.place += 1

    def value(self) -> object:
        """Take the next value."""
        self.sign()
        while True:
            try:
                value, end = cast(
                    tuple[object, int], self.decoder.raw_decode(self.text, self.place)
                )
            except json.JSONDecodeError:
                if not self._read():
                    raise
                continue
            if end < len(self.text) or not self._read():  # else a number may go on
                self.place = end
                return value

    def _read(self) -> bool:
        """Read as much again as was not enough, so that no record is decoded often."""
        more = self.file.read(max(READ_CHARACTERS, len(self.text) - self.place))
        self.text, self.place = self.text[self.place :] + more, 0
        return bool(more)


def _cut(path: Path, what: str) -> BenchmarkError:
    return BenchmarkError(f"{path} is no JSON, {what}; was its download stopped?")


def _row(path: Path, number: int, value: object) -> Row:
    if not isinstance(value, dict):
        return _problem(path, number, "it is no object with names")
    return Row(file=path, number=number, values=cast(dict[str, Any], value))


def _problem(path: Path, number: int, reason: str) -> Row:
    problem = RowProblem(file=str(path), row=number, column="", reason=reason)
    return Row(file=path, number=number, problem=problem)
