"""A table of one's own in VLMEvalKit's form, with its images inside or in files.

Made up. Oddities: a list of two images in a cell; a row that names an earlier one and a row that
names a later one; five options; a text and a small letter for answers; a row without an image;
`_local` at the end of the name when the images are files.
"""

import base64
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected
from tests.benchmark_files.mmbench import write_table
from tests.benchmark_files.own_records import group_of

COLUMNS = [
    *("index", "question", "hint", "A", "B", "C", "D", "E", "answer", "category", "g_index"),
    *("split", "image"),
]
LOCAL_COLUMNS = [*COLUMNS[:-1], "image_path"]

# What a row shows: names of drawn images.
SHOWN: dict[int, tuple[str, ...]] = {
    10: ("triangle",), 11: ("triangle",), 12: ("sun.jpg", "moon.jpg"), 13: ("circle",), 14: (),
    15: ("circle",),
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"index": 10, "question": "How many corners?", "A": "3", "B": "4", "answer": "A",
     "category": "count"},
    {"index": 11, "question": "Is it round?", "A": "yes", "B": "no", "answer": "b",
     "category": "shape"},
    {"index": 12, "question": "What is the second one?", "A": "sun", "B": "star", "C": "earth",
     "D": "mars", "E": "moon", "answer": "E", "category": "shape"},
    {"index": 13, "question": "Is it a shape?", "hint": "Lines count.", "A": "yes", "B": "no",
     "answer": "A", "category": "shape", "g_index": "pair"},
    {"index": 14, "question": "What is 1 + 1?", "A": "2", "B": "3", "answer": "A"},
    {"index": 15, "question": "Which shape is it?", "A": "square", "B": "circle",
     "answer": "circle", "g_index": "pair"},
]  # fmt: skip

EXPECTED = Expected(
    rows=6,
    samples=5,
    questions=3,
    options={
        "10": ("3", "4"),
        "11": ("yes", "no"),
        "12": ("sun", "star", "earth", "mars", "moon"),
        "13": ("yes", "no"),
        "15": ("square", "circle"),
    },
    answers={"10": 0, "11": 1, "12": 4, "13": 0, "15": 1},
    groups={
        "10": group_of("triangle"),
        "11": group_of("triangle"),
        "12": group_of("sun.jpg"),
        "13": "pair",
        "15": "pair",
    },
    images={
        "10": ("triangle",),
        "11": ("triangle",),
        "12": ("sun.jpg", "moon.jpg"),
        "13": ("circle",),
        "15": ("circle",),
    },
    texts={
        "10": "How many corners?",
        "13": "Hint: Lines count.\nQuestion: Is it a shape?",
    },
    subsets={"10": "count", "11": "shape", "12": "shape", "13": "shape", "15": "all"},
    meta={"11": {"category": "shape"}},
    left_out={"no image": 1},
)


def _cell(index: int) -> str:
    references = {11: "10", 13: "15"}
    if index in references:
        return references[index]
    texts = [base64.b64encode(drawn(name)).decode() for name in SHOWN[index]]
    return str(texts) if len(texts) > 1 else "".join(texts)


def write(folder: Path) -> Path:
    """With the images inside."""
    rows = [{**row, "image": _cell(row["index"])} for row in ROWS]
    return write_table(folder / "shapes.tsv", rows, COLUMNS)


def write_parquet(folder: Path) -> Path:
    """As somebody puts such a table on the hub: lists of structs, and nulls."""
    rows: list[dict[str, Any]] = []
    for row in ROWS:
        shown = [{"bytes": drawn(name), "path": None} for name in SHOWN[row["index"]]]
        rows.append({**dict.fromkeys(COLUMNS), **row, "image": shown or None})
    path = folder / "shapes.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_local(folder: Path) -> Path:
    """With the images in `images/shapes`, as VLMEvalKit does with large tables."""
    images = folder / "images" / "shapes"
    images.mkdir(parents=True, exist_ok=True)
    for name in {name for names in SHOWN.values() for name in names}:
        (images / name).write_bytes(drawn(name))
    rows = [
        {**row, "image_path": str(list(names)) if len(names) > 1 else "".join(names)}
        for row in ROWS
        for names in [SHOWN[row["index"]]]
    ]
    return write_table(folder / "shapes_local.tsv", rows, LOCAL_COLUMNS)
