"""Some samples of a benchmark as a table in VLMEvalKit's form, which loads as a benchmark again.

Every row is read back with the reader of such tables before it is kept, so that questions, options,
answers, groups, subsets, splits, images and ids are those of the original, or one sentence says of
which sample they are not. What is read is a few samples at a time: nothing grows with their number
but a line per image.
"""

import base64
import csv
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from data_cache.atomic import temporary_path
from data_cache.benchmarks.vlmeval_tsv import sample_showing
from data_cache.errors import CacheError
from data_cache.formats.embedded import LONGEST_REFERENCE
from data_cache.formats.rows import BadRow, Row
from data_cache.images import ImageFile
from data_cache.originals import Originals
from data_cache.permission import require_writing
from data_cache.queries import StoredSample, samples
from data_cache.samples import LETTERS, SPLITS, Sample, letter_of
from data_cache.store import reader

AT_ONCE = 100
"""Samples whose texts and images are in memory together."""
SUFFIX = ".tsv"

Progress = Callable[[int, int], None]
"""Told how many samples are done, of how many."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A sample that is not in the file."""

    sample_id: str
    reason: str
    """A sentence without its full stop."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written."""

    path: Path
    rows: int
    size: int
    """Bytes."""
    left_out: tuple[LeftOut, ...] = ()


class _Unwritable(Exception):
    """A sample that such a table cannot hold; the message says why."""


def unseen(_done: int, _of: int) -> None:
    """Tell nobody."""


def write_benchmark(
    cache: Path,
    benchmark_key: str,
    sample_ids: Sequence[str],
    path: Path,
    *,
    leave_out: bool = False,
    progress: Progress = unseen,
) -> Exported:
    """Write samples as a table that `--benchmark FILE.tsv` reads; `--split-policy own` keeps sides.

    Parameters
    ----------
    cache
        The cache folder.
    benchmark_key
        The benchmark, as it was read.
    sample_ids
        Which of its samples, in the order of the rows.
    path
        The file, which ends in `.tsv`; one that is there is replaced when all rows are written.
    leave_out
        Leave out, and name, a sample that cannot be written; otherwise the first one ends it.
    progress
        Told after every few samples.

    Raises
    ------
    CacheError
        If there are no such samples, the original of an image is not here, or the file cannot be
        written; then no half of it is left.
    """
    if path.suffix.lower() != SUFFIX:
        raise CacheError(f"{path} must end in {SUFFIX}, so that it is read as the table that it is")
    name, most, has_system = _header(cache, benchmark_key, sample_ids)
    columns = columns_of(most, has_system=has_system)
    originals = Originals(cache, name, benchmark_key)
    shown: dict[tuple[str, ...], str] = {}
    gone: list[LeftOut] = []
    with new_file(path) as file:
        table = csv.DictWriter(file, columns, delimiter="\t", quoting=csv.QUOTE_ALL)
        table.writeheader()
        for start in range(0, len(sample_ids), AT_ONCE):
            ids = sample_ids[start : start + AT_ONCE]
            found = {one.sample_id: one for one in samples(cache, benchmark_key, ids)}
            for sample_id in ids:
                try:
                    if sample_id not in found:
                        raise _Unwritable(f"the cache has no text of the sample {sample_id!r}")
                    table.writerow(_row(found[sample_id], originals, path, shown))
                except _Unwritable as error:
                    if not leave_out:
                        raise CacheError(
                            f"{error}; leave such samples out (--leave-out), or choose others"
                        ) from error
                    gone.append(LeftOut(sample_id=sample_id, reason=str(error)))
            progress(start + len(ids), len(sample_ids))
        if len(gone) == len(sample_ids):
            raise CacheError(f"none of the samples can be written; the first: {gone[0].reason}")
    return Exported(
        path=path,
        rows=len(sample_ids) - len(gone),
        size=path.stat().st_size,
        left_out=tuple(gone),
    )


def columns_of(options: int, *, has_system: bool) -> list[str]:
    """Return the columns of a table whose questions have up to so many options."""
    letters = LETTERS[: min(max(options, 2), len(LETTERS))]
    system = ["system"] if has_system else []
    about = ["category", "l2-category", "source", "g_index", "split"]
    return ["index", *system, "question", *letters, "answer", *about, "image"]


@contextmanager
def new_file(path: Path, *, binary: bool = False) -> Generator[IO[Any]]:
    """Open a file that appears under its name when all is written, and not at all otherwise.

    Raises
    ------
    CacheError
        If the disk is full or the folder cannot be written.
    """
    require_writing(f"write {path.name}")
    temporary = temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                temporary.open("xb")
                if binary
                else temporary.open("x", encoding="utf-8", newline="")
            ) as file:
                yield file
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)  # after the rename there is none
    except OSError as error:
        raise CacheError(
            f"{path} could not be written ({error.strerror or error}); free some space, or choose "
            "another place"
        ) from error


def name_of(cache: Path, benchmark_key: str) -> str:
    """Return what runs call a benchmark; empty where there is none."""
    with reader(cache) as connection:
        rows = connection.execute(
            "SELECT benchmark FROM runs WHERE benchmark_key = ? ORDER BY run_key LIMIT 1",
            [benchmark_key],
        ).fetchall()
    return rows[0][0] if rows else ""


def _header(cache: Path, benchmark_key: str, sample_ids: Sequence[str]) -> tuple[str, int, bool]:
    """Return the benchmark's name, the largest number of options, whether systems are told."""
    with reader(cache) as connection:
        rows = connection.execute(
            """SELECT max(len(options)), bool_or(system IS NOT NULL) FROM samples
               WHERE benchmark_key = ? AND sample_id IN (SELECT unnest(?::VARCHAR[]))""",
            [benchmark_key, list(sample_ids)],
        ).fetchall()
    if rows[0][0] is None:
        raise CacheError(
            f"none of the {len(sample_ids)} samples is in the cache {cache}; choose a tag or a "
            "list that has some"
        )
    return name_of(cache, benchmark_key), int(rows[0][0]), bool(rows[0][1])


def _row(
    sample: StoredSample, originals: Originals, path: Path, shown: dict[tuple[str, ...], str]
) -> dict[str, str]:
    """Return the cells of a sample; what it shows is remembered in `shown`."""
    raw = _images(sample, originals)
    images = tuple(ImageFile(data=one) for one in raw)
    cells = _cells(sample)
    _read_back(sample, cells, images, path)
    digests = tuple(image.digest for image in images)
    earlier = shown.get(digests)
    cells["image"] = image_cell(raw) if earlier is None else earlier
    if earlier is None and can_be_named(sample.sample_id):
        shown[digests] = sample.sample_id
    return cells


def _images(sample: StoredSample, originals: Originals) -> list[bytes]:
    what = f"the sample {sample.sample_id!r}"
    if not sample.images:
        raise _Unwritable(f"{what} has no image, and such a table needs one of each")
    raw: list[bytes] = []
    for number, one in enumerate(originals.of(sample), start=1):
        if one is None:
            which = f"image {number} of {len(sample.images)}" if len(sample.images) > 1 else "image"
            raise _Unwritable(
                f"the original of the {which} of {what} is not on this machine, or has changed "
                "since the benchmark was read, and its thumbnail does not stand in for it"
            )
        raw.append(one)
    return raw


def _cells(sample: StoredSample) -> dict[str, str]:
    """Return everything but the image."""
    if len(sample.options) > len(LETTERS):
        raise _Unwritable(
            f"the sample {sample.sample_id!r} has {len(sample.options)} options, and such a table "
            f"has letters for {len(LETTERS)}"
        )
    about = {name: sample.meta.get(name) for name in ("category", "source")}
    return {
        "index": sample.sample_id,
        **({} if sample.system is None else {"system": sample.system}),
        "question": sample.question,
        **{letter_of(place): option for place, option in enumerate(sample.options)},
        "answer": letter_of(sample.answer),
        **{name: text for name, text in about.items() if isinstance(text, str)},
        "l2-category": sample.subset,
        "g_index": sample.group_id,
        "split": sample.split,
    }


def _read_back(
    sample: StoredSample, cells: Mapping[str, str], images: tuple[ImageFile, ...], path: Path
) -> None:
    """Refuse cells of which another sample would be read."""
    try:
        back = sample_showing(Row(file=path, number=1, values=cells), lambda: images)
    except BadRow as error:
        raise _Unwritable(
            f"the sample {sample.sample_id!r} cannot be a row of such a table, column "
            f"{error.problem.column}: {error.problem.reason}"
        ) from error
    wanted = _wanted(sample, images)
    split = next((one for one in SPLITS if one == back.meta.get("split")), "test")
    if replace(back, split=split).digest == wanted.digest:
        return
    names = ("id", "question", "options", "answer", "subset", "group_id", "system", "split")
    other = next((name for name in names if getattr(back, name) != getattr(wanted, name)), "text")
    raise _Unwritable(
        f"the sample {sample.sample_id!r} would come back from such a table with another "
        f"{other.replace('_', ' ')}: blanks at its ends, or a word that means an empty cell"
    )


def _wanted(sample: StoredSample, images: tuple[ImageFile, ...]) -> Sample:
    return Sample(
        id=sample.sample_id,
        group_id=sample.group_id,
        question=sample.question,
        options=sample.options,
        answer=sample.answer,
        images=images,
        subset=sample.subset,
        split=next(one for one in SPLITS if one == sample.split),
        system=sample.system,
    )


def image_cell(raw: Iterable[bytes]) -> str:
    """Return the cell of some images: base64, or a Python list of it.

    >>> image_cell([b"a" * 60])[:8], image_cell([b"a", b"b"]), image_cell([b"a"])
    ('YWFhYWFh', "['YQ==', 'Yg==']", 'data:image/x;base64,YQ==')
    """
    texts = [base64.b64encode(one).decode("ascii") for one in raw]
    if len(texts) > 1:
        return repr(texts)
    # A short text would be read as the index of another row.
    return texts[0] if len(texts[0]) > LONGEST_REFERENCE else f"data:image/x;base64,{texts[0]}"


def can_be_named(sample_id: str) -> bool:
    """Whether a row can name another one by this id instead of repeating its image.

    >>> can_be_named("12"), can_be_named("[a]"), can_be_named("7.0"), can_be_named("x" * 65)
    (True, False, False, False)
    """
    return (
        0 < len(sample_id) <= LONGEST_REFERENCE
        and sample_id == sample_id.strip()
        and not sample_id.startswith("[")
        and not sample_id.endswith(".0")
        and sample_id != "nan"
    )
