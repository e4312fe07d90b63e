"""Which answers files of predictions hold, and which of their rows are bad."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.errors import BenchmarkError
from data_cache.formats.delimited import OTHER_DELIMITERS, read_delimited
from data_cache.formats.json_records import read_json
from data_cache.formats.parquet import read_parquet
from data_cache.formats.rows import BadRow, Row, refuse_archive
from data_cache.imported import table, xiu26
from data_cache.imported.answers import SPLIT_WORDS, Answer, Layout
from data_cache.samples import Benchmark, RowProblem, Sample, Split

TOLD_EVERY = 500
"""Rows between two calls of the progress."""

READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".json": read_json,
    ".jsonl": read_json,
    ".csv": lambda path: read_delimited(path, delimiter=checked_delimiter(path, ",")),
    ".tsv": lambda path: read_delimited(path, delimiter=checked_delimiter(path, "\t")),
    ".parquet": read_parquet,
}


@dataclass(frozen=True, kw_only=True)
class Read:
    """What the files hold."""

    answers: tuple[Answer, ...]
    """In the order of the files."""
    layout: Layout
    bad: tuple[RowProblem, ...]
    rows: int
    """With those that are bad."""


def read_answers(
    files: Sequence[Path],
    split: Split | None,
    known: Benchmark | None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Read:
    """Read every row of the files.

    Parameters
    ----------
    files
        One or more, of one format and with the same conditions.
    split
        Of rows that say none; None goes by the name of a file's folder.
    known
        The benchmark whose samples the rows may be about.
    progress
        Called now and then with the rows read so far.

    Raises
    ------
    BenchmarkError
        If a file cannot be read, is in no format that is known, or differs from the first.
    """
    samples = {sample.id: sample for sample in known.samples} if known else {}
    answers: list[Answer] = []
    bad: list[RowProblem] = []
    layout: Layout | None = None
    rows = 0
    for path in files:
        own: Layout | None = None
        assumed = split or SPLIT_WORDS.get(path.absolute().parent.name.lower())
        for row in rows_of(path):
            rows += 1
            try:
                if row.problem is not None:
                    raise BadRow(row.problem)
                if own is None:
                    own = _layout_of(row)
                answer = _answer_of(row, own, samples)
            except BadRow as error:
                bad.append(error.problem)
                continue
            answer.row = Row(file=row.file, number=row.number)  # its lists take far more memory
            answer.assumed_split = assumed
            answers.append(answer)
            if progress is not None and rows % TOLD_EVERY == 0:
                progress(rows)
        if own is not None and layout not in (None, own):
            raise BenchmarkError(
                f"{path} holds other conditions or another format than {files[0]}; import "
                "it on its own"
            )
        layout = layout or own
    if layout is None or not answers:
        first = f"; the first: {bad[0]}" if bad else ""
        raise BenchmarkError(f"no row of {files[0]} can be imported{first}")
    return Read(answers=tuple(answers), layout=layout, bad=tuple(bad), rows=rows)


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows of a file, read as its name ends.

    Raises
    ------
    BenchmarkError
        If it ends in something else, or cannot be read.
    """
    reader = READERS.get(path.suffix.lower())
    if path.is_dir():
        raise BenchmarkError(f"{path} is a folder; name the file in it that holds the predictions")
    if reader is None:
        raise BenchmarkError(
            f"{path} is in no format that can be imported; its name must end in "
            f"{', '.join(READERS)}"
        )
    return reader(path)


def checked_delimiter(path: Path, expected: str) -> str:
    """Return the delimiter that a name promises.

    Raises
    ------
    BenchmarkError
        If the first line has another one, and not this.
    """
    refuse_archive(path)
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        header = file.readline()
    for other, word in OTHER_DELIMITERS.items():
        if other in header and expected not in header:
            raise BenchmarkError(
                f"{path} is separated by {word}, and {OTHER_DELIMITERS[expected]} is expected of a "
                f"{path.suffix} file; save it again, with points in numbers such as 0.5"
            )
    return expected


def _layout_of(row: Row) -> Layout:
    return (
        xiu26.layout_of(row)
        if xiu26.is_stage_2(row)
        else table.layout_of(row.values, str(row.file))
    )


def _answer_of(row: Row, layout: Layout, known: Mapping[str, Sample]) -> Answer:
    if layout.format == "xiu26":
        return xiu26.answer_of(row, layout)
    return table.answer_of(row, layout, known)
