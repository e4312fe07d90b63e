"""PMC-VQA: questions about figures of medical papers, four options.

Two versions of comma-separated files, whose images are in a folder or still in the archive that
comes with them; and a Parquet form. In version 1 the answer is a text and a letter, in columns that
older files spell `Anwser`, and each choice begins with its letter; in version 2 it is the letter.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from data_cache.benchmarks.source import Context, HubFiles, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.archive import ImageArchive
from data_cache.formats.beside import bases_of, find_beside
from data_cache.formats.choices import answer_of, listed_options
from data_cache.formats.embedded import with_images
from data_cache.formats.image_files import group_of_images
from data_cache.formats.options import without_letter
from data_cache.formats.rows import BadRow, Row, quoted
from data_cache.formats.tables import read_table
from data_cache.images import ImageFile
from data_cache.samples import Sample, letter_of

FIGURE = "Figure_path"
CHOICES = {letter: f"Choice {letter}" for letter in "ABCD"}
LABELS = ("Answer_label", "Anwser_label")
ANSWERS = ("Answer", "Anwser")
REQUIRED = (FIGURE, "Question", *CHOICES.values())
REPOS = ("xmcmic/PMC-VQA", "RadGenome/PMC-VQA")
ARCHIVES = {False: ("images.zip",), True: ("images_2.zip", "images2.zip")}
"""By whether it is version 2."""
FOLDERS = {
    False: ("images", "figures", "images/images"),
    True: ("images_2", "images2", "figures", "images_2/figures", "images"),
}


def _variant(summary: str, name: str, rows: int | None, *, parquet: str | None = None) -> Variant:
    second = name.endswith("_2")
    hub = [
        HubFiles(
            repos=REPOS,
            patterns=(f"{name}.csv",),
            extra=(ARCHIVES[second][0],),
            size="2.2 GB" if second else "18.9 GB",
        )
    ]
    shards: tuple[str, ...] = ()
    if parquet is not None:
        hub.append(HubFiles(repos=("OctoMed/PMC-VQA",), patterns=(f"data/{parquet}-*.parquet",)))
        shards = (f"data/{parquet}-*.parquet", f"{parquet}-*.parquet")
    return Variant(
        summary=summary,
        files=(f"{name}.csv", f"**/{name}.csv", *shards),
        hub=tuple(hub),
        expected_rows=rows,
    )


SOURCE = Source(
    title="PMC-VQA",
    summary="figures of medical papers, 4 options",
    licence="CC BY-SA (figures CC0 or CC BY)",
    homepage="https://huggingface.co/datasets/xmcmic/PMC-VQA",
    group="figure",
    variants={
        "test_clean": _variant(
            "test questions checked by hand", "test_clean", 2000, parquet="test"
        ),
        "test": _variant("all test questions", "test", None),
        "train": _variant("training questions", "train", None, parquet="train"),
        "test_2": _variant("version 2 (figures of one part), test", "test_2", None),
        "train_2": _variant("version 2 (figures of one part), training", "train_2", None),
    },
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the questions with their figures.

    Raises
    ------
    BenchmarkError
        If a file or the archive cannot be read.
    """
    return chain.from_iterable(_rows_of(path, context) for path in context.found.files)


def _rows_of(path: Path, context: Context) -> Iterator[Row]:
    if path.suffix.lower() == ".parquet":
        table = read_table(path, required=("image", "question", "options", "answer"))
        return with_images(table, context.store)
    return _with_figures(path, context)


def _with_figures(path: Path, context: Context) -> Iterator[Row]:
    with ExitStack() as stack:

        @cache  # the list of names in an archive is long, and often not needed
        def archives() -> list[ImageArchive]:
            places = (
                Path(base) / name
                for base in bases_of(path, context.found.root)
                for name in ARCHIVES[_is_second(path)]
            )
            return [stack.enter_context(ImageArchive(place)) for place in places if place.is_file()]

        for row in read_table(path, required=REQUIRED):
            if row.problem is None:
                try:
                    yield replace(row, images=(_figure(row, context, archives),))
                except BenchmarkError as error:
                    bad = error if isinstance(error, BadRow) else row.bad(FIGURE, str(error))
                    yield replace(row, problem=bad.problem)
            else:
                yield row


def _figure(row: Row, context: Context, archives: Callable[[], list[ImageArchive]]) -> ImageFile:
    figure = row.text(FIGURE)
    second = _is_second(row.file)
    try:
        path = find_beside(row, FIGURE, (figure,), context.found.root, FOLDERS[second])
    except BadRow as missing:
        for archive in archives():
            raw = archive.read(figure)
            if raw is not None:
                return context.store.keep(raw, f"{figure} in {archive.path}")
        where = " or ".join(str(archive.path) for archive in archives())
        also = f", nor in {where}" if where else f", and no {ARCHIVES[second][0]} beside it"
        raise row.bad(FIGURE, missing.problem.reason + also) from missing
    return context.store.file(path)


def _is_second(table: Path) -> bool:
    return table.stem.endswith("_2")


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a question.

    Raises
    ------
    BadRow
        If a choice is empty, or the answer is none of them or contradicts its letter.
    """
    if FIGURE not in row.values:
        return _of_parquet(row)
    options = _choices(row)
    answer = _answer(row, options)
    index = row.optional("index")
    return Sample(
        id=index.removesuffix(".0") if index else str(row.number),
        group_id=row.text(FIGURE),
        images=row.images,
        question=row.text("Question"),
        options=options,
        answer=answer,
        meta={
            name: text
            for name, column in (("caption", "Caption"), ("split", "split"))
            if (text := row.optional(column)) is not None
        },
    )


def _of_parquet(row: Row) -> Sample:
    if not row.images:
        raise row.bad("image", "there is no image in it")
    options = listed_options(row, "options")
    return Sample(
        id=row.optional("id") or str(row.number),
        group_id=group_of_images(row.images) or "",
        images=row.images,
        question=row.text("question"),
        options=options,
        answer=answer_of(row, options),
    )


def _choices(row: Row) -> tuple[str, ...]:
    """Return the choices without the letters before them, if every one has its own."""
    texts = {letter: row.text(column) for letter, column in CHOICES.items()}
    bare = {letter: without_letter(text, letter) for letter, text in texts.items()}
    if any(bare[letter] == texts[letter] for letter in CHOICES):
        return tuple(texts.values())
    for letter, text in bare.items():
        if not text:
            raise row.bad(CHOICES[letter], "it is empty")
    return tuple(bare.values())


def _answer(row: Row, options: tuple[str, ...]) -> int:
    said = next((column for column in ANSWERS if row.optional(column) is not None), ANSWERS[0])
    label = next((column for column in LABELS if column in row.values), None)
    if label is None:
        return answer_of(row, options, said)
    answer = answer_of(row, options, label)
    text = (row.optional(said) or "").casefold()
    others = [place for place, option in enumerate(options) if option.casefold() == text]
    if others and answer not in others:
        raise row.bad(
            label,
            f"it is {letter_of(answer)}, and column {said} has option {letter_of(others[0])}, "
            f"{quoted(options[others[0]])}",
        )
    return answer
