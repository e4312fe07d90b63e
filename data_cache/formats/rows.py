"""What a row of a file is, and how a row that is bad is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_cache.errors import BenchmarkError
from data_cache.images import ImageFile
from data_cache.samples import RowProblem

BLANK = frozenset({"", "nan"})
"""What a cell without a value says: pandas writes the one, some tables on the hub the other."""
LONGEST_QUOTE = 60

# How a file begins that is something else than a table, and what to say of it.
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "is a zip archive; unpack it (unzip {path} -d {folder}) and give {folder}"),
    (b"\x1f\x8b", "is compressed; unpack it (gzip -d {path})"),
    (b"\xff\xfe", "is UTF-16, and UTF-8 is expected (iconv -f utf-16 -t utf-8)"),
    (b"\xfe\xff", "is UTF-16, and UTF-8 is expected (iconv -f utf-16 -t utf-8)"),
    (
        b"version https://git-lfs",
        "only says where Git LFS keeps the file; get the file itself (git lfs pull)",
    ),
    (b"<!doctype html", "is a web page and no table; download the file itself"),
    (b"<html", "is a web page and no table; download the file itself"),
)


class BadRow(BenchmarkError):
    """A row that is no sample; the others are read on."""

    def __init__(self, problem: RowProblem):
        """Keep the problem; its line is the message."""
        super().__init__(str(problem))
        self.problem = problem


class LeftOut(Exception):
    """A row that is left out on purpose, such as an open question."""

    def __init__(self, reason: str):
        """Keep the reason, a few words by which such rows are counted."""
        super().__init__(reason)
        self.reason = reason


@dataclass(kw_only=True)
class Row:
    """One record of a file."""

    file: Path
    number: int
    """Counted from 1, without the header."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    images: tuple[ImageFile, ...] = ()
    """Of a format whose image cells were read already."""
    problem: RowProblem | None = None
    """Why the record could not even be taken apart."""

    def get(self, column: str) -> Any:
        """Return a value as it is; None where there is no such column."""
        return self.values.get(column)

    def optional(self, column: str) -> str | None:
        """Return a text without blanks around it; None where there is none.

        Raises
        ------
        BadRow
            If it is not UTF-8.
        """
        value = self.values.get(column)
        if value is None or value != value:  # NaN
            return None
        text = value.strip() if isinstance(value, str) else str(value)
        # Bytes that are no UTF-8 were read as halves of characters, which cannot be stored.
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise self.bad(
                column, "it is not UTF-8; save the file in that encoding (iconv -t utf-8)"
            )
        return None if text in BLANK else text

    def text(self, column: str) -> str:
        """Return a text without blanks around it.

        Raises
        ------
        BadRow
            If there is none, or it is not UTF-8.
        """
        found = self.optional(column)
        if found is None:
            raise self.bad(column, "it is empty")
        return found

    def bad(self, column: str, reason: str) -> BadRow:
        """Return the error that says why this row is no sample."""
        return BadRow(
            RowProblem(file=str(self.file), row=self.number, column=column, reason=reason)
        )


def quoted(text: object) -> str:
    """Return a text for a message, shortened."""
    shown = str(text)
    return repr(shown if len(shown) <= LONGEST_QUOTE else f"{shown[: LONGEST_QUOTE - 1]}…")


def encodable(text: str) -> str:
    r"""Return a text that can be printed: halves of characters become question marks.

    >>> encodable("caf\udce9")
    'caf?'
    """
    return text.encode("utf-8", "replace").decode()


def require_columns(path: Path, present: Iterable[str], required: Iterable[str]) -> None:
    """Refuse a file that lacks a column.

    Raises
    ------
    BenchmarkError
        With the columns that are missing and those that are there.
    """
    there = list(present)
    missing = [name for name in required if name not in there]
    if missing:
        raise BenchmarkError(
            f"{path} has no column {', '.join(missing)}; its columns are "
            f"{', '.join(map(encodable, there[:30])) or 'none'}"
        )


def refuse_archive(path: Path) -> None:
    """Refuse an archive, or another file that is often found where a table is wanted.

    Raises
    ------
    BenchmarkError
        With what it is, and the line that helps.
    """
    try:
        with path.open("rb") as file:
            start = file.read(32).lstrip()
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read: {error.strerror}") from error
    for magic, what in _OTHER_FILES:
        if start[: len(magic)].lower() == magic.lower():
            raise BenchmarkError(f"{path} {what.format(path=path, folder=path.with_suffix(''))}")


def no_rows(path: Path) -> BenchmarkError:
    """Return the error for a file without records."""
    return BenchmarkError(f"{path} has no rows; was its download stopped?")
