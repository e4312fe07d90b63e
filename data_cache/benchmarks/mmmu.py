"""MMMU: college examinations in 30 subjects, with up to seven images in a question or its options.

The hub's Parquet files (one folder per subject, or all in one) write the options as a Python list
in a text and each image into a column of its own; VLMEvalKit's table has a column per option and
all images of a row in one cell. Open questions are left out and counted.
"""

import re
from collections.abc import Iterator, Sequence

from data_cache.benchmarks.source import Context, HubFiles, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.choices import (
    answer_of,
    lettered_options,
    listed_options,
    read_answered,
)
from data_cache.formats.embedded import image_struct, with_images
from data_cache.formats.rows import LeftOut, Row, quoted
from data_cache.images import ImageFile
from data_cache.samples import Sample

REQUIRED = ("id", "question", "answer", "question_type")
OPEN = ("open", "short-answer")
"""What the hub and the repository call a question without options."""
REFERENCE = re.compile(r"<image ([0-9]{1,3})>")
IDENTITY = re.compile(r"(dev|validation|test)_(.+)_[0-9]+")
MOST_IMAGES = 7

DISCIPLINES: dict[str, tuple[str, ...]] = {
    "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
    "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
    "Health and Medicine": (
        "Basic_Medical_Science",
        "Clinical_Medicine",
        "Diagnostics_and_Laboratory_Medicine",
        "Pharmacy",
        "Public_Health",
    ),
    "Humanities and Social Science": ("History", "Literature", "Psychology", "Sociology"),
    "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
    "Tech and Engineering": (
        "Agriculture",
        "Architecture_and_Engineering",
        "Computer_Science",
        "Electronics",
        "Energy_and_Power",
        "Materials",
        "Mechanical_Engineering",
    ),
}
DISCIPLINE_OF = {subject: name for name, subjects in DISCIPLINES.items() for subject in subjects}
OTHER = "other subjects"

MERGED = ("lmms-lab/MMMU", "lmms-lab-encoder/MMMU", "HuggingFaceM4/MMMU")


def _variant(split: str, rows: int, size: str) -> Variant:
    patterns = (f"*/{split}-*.parquet",)
    return Variant(
        summary=f"the {split} split of all subjects, multiple choice only",
        files=(*patterns, f"{split}-*.parquet", "MMMU_DEV_VAL.tsv", "*/test-*.parquet"),
        lmudata=("MMMU_DEV_VAL.tsv",),
        hub=(
            HubFiles(repos=("MMMU/MMMU",), patterns=patterns, size=size),
            HubFiles(repos=MERGED, patterns=patterns, size=size),
        ),
        expected_rows=rows,
    )


SOURCE = Source(
    title="MMMU",
    summary="college examinations in 30 subjects of 6 disciplines, 2 to 9 options",
    licence="Apache-2.0",
    homepage="https://mmmu-benchmark.github.io",
    group="question",
    variants={
        "validation": _variant("validation", 900, "about 350 MB"),
        "dev": _variant("dev", 150, "about 60 MB"),
    },
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows of all subjects.

    Raises
    ------
    BenchmarkError
        If a file cannot be read, or has no answers.
    """
    advice = "its authors keep those of MMMU's test split; take the validation split"
    found = read_answered(context.found.files, required=REQUIRED, advice=advice)
    return with_images(found, context.store)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a row.

    Raises
    ------
    BadRow
        If its options, its answer or an image that it speaks of cannot be used.
    LeftOut
        If it is an open question, one of another split, or without an image.
    """
    name = row.text("id")
    identity = IDENTITY.fullmatch(name)
    if identity is None:
        raise row.bad("id", f"{quoted(name)} is not of the form validation_Accounting_1")
    split, subject = identity.groups()
    if split != context.variant:
        raise LeftOut(f"of the {split} split")
    kind = row.text("question_type")
    if kind in OPEN:
        raise LeftOut("open question")
    if kind != "multiple-choice":
        raise row.bad("question_type", f"{quoted(kind)} is neither multiple-choice nor open")
    listed = "options" in row.values
    options = listed_options(row, "options") if listed else lettered_options(row)
    question = row.text("question")
    images = _images(row, (question, *options), context)
    if not images:
        raise LeftOut("no image")
    return Sample(
        id=name,
        group_id=name,
        images=images,
        question=question,
        options=options,
        answer=answer_of(row, options),
        subset=DISCIPLINE_OF.get(subject, OTHER),
        meta={
            "subject": subject,
            "subfield": row.optional("subfield"),
            "difficulty": row.optional("topic_difficulty"),
        },
    )


def _images(row: Row, texts: Sequence[str], context: Context) -> tuple[ImageFile, ...]:
    """Return the images that the texts speak of, by number; all where they speak of none."""
    mentioned = sorted({int(number) for text in texts for number in REFERENCE.findall(text)})
    if "image_1" not in row.values:  # a table with all images in one cell
        if beyond := [number for number in mentioned if not 1 <= number <= len(row.images)]:
            raise row.bad(
                "image", f"its text speaks of <image {beyond[0]}>, and it has {len(row.images)}"
            )
        return tuple(row.images[number - 1] for number in mentioned) or row.images
    columns = [f"image_{number}" for number in mentioned] or [
        column
        for number in range(1, MOST_IMAGES + 1)
        if row.get(column := f"image_{number}") is not None
    ]
    images: list[ImageFile] = []
    for column in columns:
        try:
            images.append(context.store.keep(image_struct(row.get(column)), "it"))
        except BenchmarkError as error:
            raise row.bad(column, str(error)) from error
    return tuple(images)
