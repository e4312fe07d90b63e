"""MMStar: questions that cannot be answered without their image, six abilities.

The Parquet file writes the options into the question, in either of two forms; VLMEvalKit's table
and a data set of the hub have a column per option and the image as base64.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

from data_cache.benchmarks.source import Context, HubFiles, Source, Variant
from data_cache.formats.choices import answer_of, lettered_options
from data_cache.formats.embedded import with_images
from data_cache.formats.options import NoOptions, Parts, options_in_question
from data_cache.formats.rows import Row
from data_cache.formats.tables import read_table
from data_cache.samples import Sample

REQUIRED = ("index", "question", "answer", "image")
PLACE = re.compile(r"[ \t]*<image \d+>")
"""Questions that come from MMMU say where the image goes; there is one, and it comes first."""
DETAILED = ("l2_category", "l2-category", "L2-category")

SOURCE = Source(
    title="MMStar",
    summary="questions that need their image, 6 abilities, 4 options",
    licence="not stated",
    homepage="https://mmstar-benchmark.github.io",
    group="question",
    variants={
        "val": Variant(
            summary="all 1500 questions",
            files=(
                *("mmstar.parquet", "**/mmstar.parquet", "MMStar.tsv", "**/MMStar.tsv"),
                *("data/*.parquet", "val*.parquet", "val/*.parquet"),
            ),
            lmudata=("MMStar.tsv",),
            hub=(
                HubFiles(repos=("Lin-Chen/MMStar",), patterns=("mmstar.parquet",), size="42 MB"),
                HubFiles(repos=("Lin-Chen/MMStar",), patterns=("MMStar.tsv",), size="60 MB"),
                HubFiles(repos=("morpheushoc/MMStar_opencompass",), patterns=("data/*.parquet",)),
            ),
            expected_rows=1500,
        )
    },
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the questions with their images.

    Raises
    ------
    BenchmarkError
        If a file cannot be read.
    """
    tables = chain.from_iterable(
        read_table(path, required=REQUIRED) for path in context.found.files
    )
    return with_images(tables, context.store)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a question.

    Raises
    ------
    BadRow
        If it has no image, or no options in any of the forms, or another answer.
    """
    name = row.text("index").removesuffix(".0")
    if not row.images:
        raise row.bad("image", "there is no image in it")
    parts = _parts(row)
    return Sample(
        id=name,
        group_id=name,
        images=row.images,
        question=parts.question,
        options=parts.options,
        answer=answer_of(row, parts.options),
        subset=row.text("category"),
        meta=_meta(row),
    )


def _parts(row: Row) -> Parts:
    text = row.text("question")
    if row.optional("A") is not None:
        found = Parts(question=text, options=lettered_options(row))
    else:
        try:
            found = options_in_question(text)
        except NoOptions as error:
            raise row.bad("question", str(error)) from error
    question = PLACE.sub("", found.question).strip()
    if not question:
        raise row.bad("question", "it is empty but for the place of its image")
    return Parts(question=question, options=found.options)


def _meta(row: Row) -> dict[str, Any]:
    found = row.get("meta_info")
    origin = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    details = (row.optional(column) for column in DETAILED)
    return {
        "l2_category": next((text for text in details if text is not None), None),
        "source": origin.get("source") or row.optional("source") or row.optional("bench"),
    }
