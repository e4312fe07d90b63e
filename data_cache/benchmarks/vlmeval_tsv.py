"""Any multiple-choice table in VLMEvalKit's form, such as those of one's own.

Columns: `index` (unique), `question`, `A`, `B`, ... (as many as there are options), `answer`, and
`image` (base64, a Python list of it, or the index of the row whose image is meant) or `image_path`
(below `$LMUData/images/<name of the table>`, beside the table, or absolute). `hint`, `category`,
`l2-category`, `g_index` (group), `split` and `system` (a system message) are read where they are
there. A Parquet file with these columns, as many data sets of the hub are, does as well.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from data_cache.benchmarks.finding import lmudata
from data_cache.benchmarks.source import Context, Source, Variant
from data_cache.formats.choices import answer_of, asked, lettered_options, read_answered
from data_cache.formats.embedded import with_images
from data_cache.formats.image_files import group_of_images, named_images
from data_cache.formats.rows import LeftOut, Row
from data_cache.images import ImageFile
from data_cache.samples import Sample

REQUIRED = ("index", "question", "A", "B", "answer")
SUBSET_COLUMNS = ("l2-category", "L2-category", "category")
LOCAL = "_local"
"""How VLMEvalKit ends the name of a large table whose images it has put into files."""

SOURCE = Source(
    title="VLMEvalKit table",
    summary="a table of your own in VLMEvalKit's form",
    licence="that of your data",
    homepage="https://github.com/open-compass/VLMEvalKit",
    group="g_index where the table has it, otherwise the first image",
    variants={"file": Variant(summary="one table", files=("*.tsv", "*.parquet"))},
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows, with the images that are in the table.

    Raises
    ------
    BenchmarkError
        If the file cannot be read, or has no answers.
    """
    advice = "take a table that has them"
    found = read_answered(context.found.files, required=REQUIRED, advice=advice)
    return with_images(found, context.store)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a row.

    Raises
    ------
    BadRow
        If its options, answer or images cannot be used.
    LeftOut
        If it has no image.
    """
    return sample_showing(
        row,
        lambda: row.images or named_images(row, "image_path", _folders(row.file), context.store),
    )


def sample_showing(row: Row, find_images: Callable[[], tuple[ImageFile, ...]]) -> Sample:
    """Return the sample of a row whose images come from somewhere else.

    Parameters
    ----------
    row
        The row.
    find_images
        Asked for the images once all else can be used.

    Raises
    ------
    BadRow, LeftOut
        As `sample_of`.
    """
    name = row.text("index").removesuffix(".0")
    question = asked(row)
    options = lettered_options(row)
    answer = answer_of(row, options)
    images = find_images()
    if not images:
        raise LeftOut("no image")
    subsets = (row.optional(column) for column in SUBSET_COLUMNS)
    return Sample(
        id=name,
        group_id=row.optional("g_index") or group_of_images(images) or name,
        images=images,
        question=question,
        options=options,
        answer=answer,
        subset=next((subset for subset in subsets if subset is not None), "all"),
        system=row.optional("system"),
        meta={
            column: text
            for column in ("category", "source", "split")
            if (text := row.optional(column)) is not None
        },
    )


def _folders(table: Path) -> list[Path]:
    """Return where the images of a table may be."""
    name = table.stem.removesuffix(LOCAL)
    return [root / "images" / name for root in dict.fromkeys((table.parent, lmudata()))] + [
        table.parent / "images",
        table.parent,
    ]
