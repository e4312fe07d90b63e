"""MUSIC-AVQA: what is seen and heard in videos of people playing instruments.

Lists of JSON objects, of which `type` and `templ_values` are JSON once more, inside a text, and the
answer is called `anser`. A question is a template whose places are filled from left to right. The
answer is one word; the options are all words that can answer the template (2 to 22), which its
first words and its places tell. Underscores of instruments' names are written as blanks.

The sound is in the video; models that look at pictures are shown some of its frames.
"""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from typing import cast

from data_cache.benchmarks.source import Context, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.beside import find_beside
from data_cache.formats.json_records import read_json
from data_cache.formats.rows import LeftOut, Row, quoted
from data_cache.samples import Sample
from data_cache.videos import INSTALL

REQUIRED = ("video_id", "question_id", "type", "question_content", "templ_values")
ANSWERS = ("anser", "answer")
MODALITIES = ("Audio", "Visual", "Audio-Visual")
PLACE = re.compile(r"<[A-Za-z]+>")
VIDEO_FOLDERS = (
    *("videos", "video", "MUSIC-AVQA-videos-Real", "MUSIC-AVQA-videos-Synthetic"),
    *("videos/MUSIC-AVQA-videos-Real", "videos/MUSIC-AVQA-videos-Synthetic", "avqa-videos"),
)
ENDINGS = (".mp4", ".mkv", ".avi", ".webm")

YES_NO = ("yes", "no")
SIDES = ("left", "middle", "right")
COUNTS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    "more than ten",
)
INSTRUMENTS = (
    *("accordion", "acoustic_guitar", "bagpipe", "banjo", "bassoon", "cello", "clarinet", "congas"),
    *("drum", "electric_bass", "erhu", "flute", "guzheng", "piano", "pipa", "saxophone", "suona"),
    *("trumpet", "tuba", "ukulele", "violin", "xylophone"),
)
KINDS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(Is|Are) "), YES_NO),
    (re.compile(r"How many "), COUNTS),
    (re.compile(r"Where is the performance"), ("indoor", "outdoor")),
    (re.compile(r"Where is the <(LL|FL)> "), SIDES),
    # Of two or three instruments of one kind, or all at once.
    (re.compile(r"Which <Object> makes the sound <FL>"), (*SIDES, "simultaneously")),
    (re.compile(r"(What|Which) .*instrument"), INSTRUMENTS),
)
"""How a template begins, and what can answer it; the first that fits. It fits all 33 templates."""


def _variant(summary: str, split: str, rows: int | None) -> Variant:
    name = f"avqa-{split}.json"
    # The authors' corrected annotations are in json_update.
    folders = ("json_update/", "data/json_update/", "**/json_update/", "", "**/")
    return Variant(
        summary=summary, files=tuple(folder + name for folder in folders), expected_rows=rows
    )


SOURCE = Source(
    title="MUSIC-AVQA",
    summary="videos of people playing instruments, what is seen and heard, 2 to 22 options",
    licence="MIT (videos of YouTube under their own terms)",
    homepage="https://gewu-lab.github.io/MUSIC-AVQA",
    group="video",
    variants={
        "test": _variant("test questions", "test", 9129),
        "val": _variant("validation questions", "val", 4568),
        "train": _variant("training questions", "train", None),
    },
    how_to_get=(
        "`git clone https://github.com/GeWu-Lab/MUSIC-AVQA` downloads the questions; put the "
        "videos that https://gewu-lab.github.io/MUSIC-AVQA offers into its folder videos"
    ),
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the questions.

    Raises
    ------
    BenchmarkError
        If a file cannot be read, or PyAV is not installed.
    """
    if find_spec("av") is None:
        raise BenchmarkError(f"videos are read with PyAV; install it: {INSTALL}")
    return chain.from_iterable(read_json(path, required=REQUIRED) for path in context.found.files)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a question.

    Raises
    ------
    BadRow
        If its template cannot be filled or is none, its answer does not answer it, or its video is
        not there.
    LeftOut
        If its authors have taken it back.
    """
    if row.optional("question_deleted") not in (None, "0", "False"):
        raise LeftOut("taken back by its authors")
    kinds = _list(row, "type")
    modality = kinds[0] if kinds else ""
    if modality not in MODALITIES:
        raise row.bad("type", f"{quoted(modality)} is none of {', '.join(MODALITIES)}")
    template = row.text("question_content").replace("\uff1f", "?")  # a full-width question mark
    words = _words(row, template)
    answer = _answer(row, template, words)
    name = row.text("video_id")
    question = _filled(row, template)
    files = [name + ending for ending in ENDINGS]
    path = find_beside(row, "video_id", files, context.found.root, VIDEO_FOLDERS)
    try:
        video, frames = context.store.video(path, context.frames)
    except BenchmarkError as error:
        raise row.bad("video_id", str(error)) from error
    return Sample(
        id=row.text("question_id"),
        group_id=name,
        images=frames,
        video=video,
        question=question,
        options=tuple(map(_plain, words)),
        answer=answer,
        subset=modality,
        meta={
            "question_type": kinds[1] if len(kinds) > 1 else None,
            "template": template,
            # Real videos are called by eight digits; made ones have letters before them.
            "synthetic": name.rstrip("0123456789") or None,
        },
    )


def _list(row: Row, column: str) -> list[str]:
    """Return the texts of a list, which is JSON inside a text or a list as it is."""
    value = row.get(column)
    if isinstance(value, str):
        try:
            value = json.loads(row.text(column))
        except ValueError as error:
            raise row.bad(column, f"it is no list in JSON: {quoted(value)}") from error
    if not isinstance(value, list):
        raise row.bad(column, f"it is no list in JSON: {quoted(value)}")
    return [str(item) for item in cast(list[object], value)]


def _words(row: Row, template: str) -> tuple[str, ...]:
    for beginning, words in KINDS:
        if beginning.match(template):
            return words
    raise row.bad("question_content", f"it is none of the known templates: {quoted(template)}")


def _answer(row: Row, template: str, words: tuple[str, ...]) -> int:
    column = next((name for name in ANSWERS if name in row.values), ANSWERS[0])
    said = row.text(column)
    try:
        return words.index(said.lower())
    except ValueError:
        raise row.bad(
            column,
            f"{quoted(said)} is none of the {len(words)} answers to {quoted(template)}: "
            f"{', '.join(words)}",
        ) from None


def _filled(row: Row, template: str) -> str:
    values = _list(row, "templ_values")
    places = PLACE.findall(template)
    if len(places) != len(values):
        raise row.bad(
            "templ_values",
            f"it has {len(values)} values for {len(places)} places of {quoted(template)}",
        )
    following = iter(values)
    return PLACE.sub(lambda _: _plain(next(following)), template)


def _plain(word: str) -> str:
    return word.replace("_", " ")
