"""One's own questions: JSON lines, a JSON array or a CSV, beside the images.

Keys: `question`; `options` or `choices` (a list, or an object with A, B, ...) or columns A, B, ...;
`answer` (a letter, an index from 0, or an option's text); `image`, `images` or `image_path` (a file
name or a list, beside the file or in its folder `images`, or a data URL), or `video` or `audio` (a
file name, beside the file or in a folder of that name). Where they are there: `id`, `group_id` or
`group`, `subset` or `category`, `split` (train or test), `hint`.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, cast

from data_cache.benchmarks.source import Context, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.beside import find_beside
from data_cache.formats.choices import (
    answer_of,
    lettered_options,
    listed_options,
    refuse_unanswered,
    with_hint,
)
from data_cache.formats.delimited import read_delimited
from data_cache.formats.image_files import group_of_images, named_images
from data_cache.formats.json_records import read_json
from data_cache.formats.rows import LeftOut, Row
from data_cache.images import MediaFile
from data_cache.samples import LETTERS, Sample

REQUIRED = ("question", "answer")
IDS = ("id", "question_id", "index")
IMAGES = ("images", "image", "image_path")
MEDIA = ("video", "audio")
OPTIONS = ("options", "choices")
GROUPS = ("group_id", "group")
SUBSETS = ("subset", "category")
KNOWN = {*REQUIRED, *IDS, *IMAGES, *MEDIA, *OPTIONS, *GROUPS, *SUBSETS, *LETTERS, "hint"}
LONGEST_META = 200
"""Characters of another entry that is kept to be shown."""

PLACEHOLDER = re.compile(r"^(\s*<image>)+\s*|(\s*<image>)+\s*$")
"""Where some files say that an image stands; images always come before the question here."""

SOURCE = Source(
    title="JSONL or CSV",
    summary="a file of your own, beside its images",
    licence="that of your data",
    homepage="",
    group="group_id where the file has it, otherwise the first image",
    variants={"file": Variant(summary="one file", files=("*.jsonl", "*.json", "*.csv"))},
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the records.

    Raises
    ------
    BenchmarkError
        If the file cannot be read, lacks a key, or has no answers.
    """
    return chain.from_iterable(
        refuse_unanswered(path, _read(path), "each record needs one")
        for path in context.found.files
    )


def _read(path: Path) -> Iterator[Row]:
    if path.suffix.lower() == ".csv":
        return read_delimited(path, delimiter=",", required=REQUIRED)
    return read_json(path, required=REQUIRED)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a record.

    Raises
    ------
    BadRow
        If its question, options, answer or images cannot be used.
    LeftOut
        If it has no image.
    """
    question = PLACEHOLDER.sub("", row.text("question"))
    if not question:
        raise row.bad("question", "it is empty but for <image>")
    options = _options(row)
    answer = answer_of(row, options)
    column = _first(row, IMAGES) or IMAGES[0]
    folder = row.file.parent
    images = named_images(row, column, (folder, folder / "images"), context.store)
    video, audio = _media(row, "video", context), _media(row, "audio", context)
    if video is not None and not images:
        video, images = context.store.video(cast(Path, video.path), context.frames)
    if not images and audio is None:
        raise LeftOut("no image, video or sound")
    name = _text(row, IDS) or f"row-{row.number}"
    return Sample(
        id=name,
        group_id=_text(row, GROUPS) or group_of_images(images) or name,
        images=images,
        video=video,
        audio=audio,
        question=with_hint(question, row.optional("hint")),
        options=options,
        answer=answer,
        subset=_text(row, SUBSETS) or "all",
        meta=_meta(row),
    )


def _media(row: Row, column: str, context: Context) -> MediaFile | None:
    """Return the file that a record names as its video or sound."""
    name = row.optional(column)
    if name is None:
        return None
    path = find_beside(row, column, [name], row.file.parent, (column, f"{column}s"))
    try:
        if column == "audio":
            return context.store.sound(path)
        return context.store.video(path, 1)[0]
    except BenchmarkError as error:
        raise row.bad(column, str(error)) from error


def _options(row: Row) -> tuple[str, ...]:
    column = _first(row, OPTIONS)
    if column is not None:
        return listed_options(row, column)
    if "A" not in row.values:
        raise row.bad(OPTIONS[0], "there are none; give options, choices, or A, B, ...")
    return lettered_options(row)


def _first(row: Row, columns: tuple[str, ...]) -> str | None:
    """Return the first of some columns that has a value."""
    for column in columns:
        value = row.get(column)
        if value is not None and value == value and value not in ("", []):
            return column
    return None


def _text(row: Row, columns: tuple[str, ...]) -> str | None:
    column = _first(row, columns)
    return None if column is None else row.optional(column)


def _meta(row: Row) -> dict[str, Any]:
    """Return the short entries that mean nothing to PIDscope, to be shown."""
    meta: dict[str, Any] = {}
    for name, value in row.values.items():
        if name in KNOWN or not name.isprintable() or isinstance(value, dict | list):
            continue
        text = row.optional(name)
        if text is not None and len(text) <= LONGEST_META:
            meta[name] = text if isinstance(value, str) else value
    return meta
