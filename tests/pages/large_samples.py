"""The texts and pictures of the made-up benchmarks of `large_cache`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pyarrow as pa

from data_cache.image_store import ImageStore
from data_cache.images import sha256
from data_cache.plan import BLOCK_SIZE
from data_cache.thumbnails import thumbnail
from tests.pages.large_runs import PER_GROUP, MadeBenchmark

SIZE = (480, 360)
"""Pixels of a picture: more than its thumbnail has."""
SHAPES = ("circle", "square", "bar", "frame")
PLACES = ("left of", "above", "behind", "touching", "smaller than", "the colour of")


def write_samples(
    cache: Path, benchmarks: Sequence[MadeBenchmark], pictures: int
) -> Iterator[tuple[str, pa.Table]]:
    """Keep the originals in the image store and return the rows of samples and thumbnails."""
    digests: list[str] = []
    small: list[bytes] = []
    with ImageStore(cache) as store:
        for number in range(pictures):
            raw = picture(number)
            store.keep(raw, f"picture {number}")
            digests.append(sha256(raw))
            small.append(thumbnail(raw, f"picture {number}"))
    yield "thumbnails", pa.table({"digest": digests, "data": pa.array(small, pa.binary())})
    for place, benchmark in enumerate(benchmarks):
        yield "samples", _samples(place, benchmark, digests)


def picture(number: int) -> bytes:
    """Return a JPEG of some shapes; another one for every number."""
    random = np.random.default_rng(number)
    image = PIL.Image.new("RGB", SIZE, tuple(random.integers(120, 255, 3).tolist()))
    draw = PIL.ImageDraw.Draw(image)
    for _ in range(6):
        x, y = random.integers(0, (SIZE[0] - 60, SIZE[1] - 60)).tolist()
        wide, high = random.integers(30, 180, 2).tolist()
        colour = tuple(random.integers(0, 255, 3).tolist())
        kind = SHAPES[int(random.integers(len(SHAPES)))]
        box = (x, y, x + wide, y + (20 if kind == "bar" else high))
        if kind == "circle":
            draw.ellipse(box, fill=colour)
        else:
            draw.rectangle(box, fill=None if kind == "frame" else colour, outline=colour, width=6)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _samples(place: int, benchmark: MadeBenchmark, digests: Sequence[str]) -> pa.Table:
    count = len(benchmark.ids)
    numbers = range(count)
    yes_no = benchmark.options == 2
    shown = [(place * 331 + number // PER_GROUP) % len(digests) for number in numbers]
    return pa.table(
        {
            "benchmark_key": [benchmark.key] * count,
            "block": pa.array([number // BLOCK_SIZE for number in numbers], pa.int32()),
            "position": pa.array(list(numbers), pa.int32()),
            "sample_id": list(benchmark.ids),
            "group_id": [f"group-{number // PER_GROUP}" for number in numbers],
            "subset": [benchmark.subsets[one] for one in benchmark.subset],
            "split": ["test" if one else "train" for one in benchmark.is_test],
            "system": pa.nulls(count, pa.string()),
            "question": [_question(benchmark, number, yes_no=yes_no) for number in numbers],
            "options": [
                ["yes", "no"] if yes_no else [f"the {shape}" for shape in SHAPES] for _ in numbers
            ],
            "answer": pa.array(benchmark.answer.astype(np.int16)),
            "meta": [f'{{"row": {number}}}' for number in numbers],
            "images": [[digests[one]] for one in shown],
            "video": pa.nulls(count, pa.string()),
            "audio": pa.nulls(count, pa.string()),
        }
    )


def _question(benchmark: MadeBenchmark, number: int, *, yes_no: bool) -> str:
    what = benchmark.subsets[benchmark.subset[number]].replace("_", " ")
    where = PLACES[number % len(PLACES)]
    begin = f"Question {number} on {what}:"
    if yes_no:
        return f"{begin} is there a {SHAPES[number % 3]} in the picture?"
    return f"{begin} which of these is {where} the largest shape in the picture?"
