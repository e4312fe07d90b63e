"""Somebody's own questions: JSON lines, a JSON array, and a CSV, each beside a folder of images.

Made up. Oddities: options as a list, as numbers, as an object and as columns; answers as a letter,
an index and a text; no id; two images; `<image>` before a question; a data URL; the same image in
two questions; a name with a blank and an umlaut; a record without an image; other entries.
"""

import base64
import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected

UMLAUT = "grüne tür.png"
IMAGES = ("park.jpg", "left", "right", UMLAUT)
"""Drawn as files: the first in `images`, the second and third in `tiles`, the last beside."""


def group_of(image: str) -> str:
    """The group of a question that names none: its first image."""
    return f"image-{hashlib.sha256(drawn(image)).hexdigest()[:16]}"


RECORDS: list[dict[str, Any]] = [
    {
        "id": "q1",
        "image": "park.jpg",
        "question": "<image>\nWho sits on the bench?",
        "hint": "It barks.",
        "options": ["a cat", "a dog", "nobody"],
        "answer": "B",
        "group_id": "park",
        "subset": "animals",
        "split": "train",
    },
    {
        "id": 2,
        "image": "images/park.jpg",
        "question": "How many trees are there?",
        "choices": [4, 3, 2.5, 1],
        "answer": "D",
        "group": "park",
        "category": "counting",
        "split": "test",
    },
    {
        "images": ["tiles/left.png", "tiles/right.png"],
        "question": "Which tile is darker?",
        "A": "the left one",
        "B": "the right one",
        "answer": 1,
        "split": "train",
        "level": "**hard**",
        "seconds": 2.5,
    },
    {
        "id": "q4",
        "image_path": "tiles/left.png",
        "question": "Is the tile <b>red</b>? <image>",
        "options": {"B": "no", "A": "yes"},
        "answer": "No",
        "split": "test",
    },
    {
        "id": "q5",
        "image": UMLAUT,
        "question": "Wohin führt die Tür?",
        "options": ["in den Garten", "auf die Straße"],
        "answer": "auf die Straße",
        "split": "train",
    },
    {
        "id": "q6",
        "image": f"data:image/png;base64,{base64.b64encode(drawn('dot')).decode()}",
        "question": "Where is the dot?",
        "options": "['left', \"it's right\"]",
        "answer": "A",
        "split": "train",
    },
    {"id": "q7", "image": None, "question": "What is 1 + 1?", "options": ["2", "3"], "answer": "A"},
]

EXPECTED = Expected(
    rows=7,
    samples=6,
    questions=4,
    options={
        "q1": ("a cat", "a dog", "nobody"),
        "2": ("4", "3", "2.5", "1"),
        "row-3": ("the left one", "the right one"),
        "q4": ("yes", "no"),
        "q5": ("in den Garten", "auf die Straße"),
        "q6": ("left", "it's right"),
    },
    answers={"q1": 1, "2": 3, "row-3": 1, "q4": 1, "q5": 1, "q6": 0},
    groups={
        "q1": "park",
        "2": "park",
        "row-3": group_of("left"),
        "q4": group_of("left"),
        "q5": group_of(UMLAUT),
        "q6": group_of("dot"),
    },
    images={
        "q1": ("park.jpg",),
        "2": ("park.jpg",),
        "row-3": ("left", "right"),
        "q4": ("left",),
        "q5": (UMLAUT,),
        "q6": ("dot",),
    },
    texts={
        "q1": "Hint: It barks.\nQuestion: Who sits on the bench?",
        "2": "How many trees are there?",
        "q4": "Is the tile <b>red</b>?",
        "q5": "Wohin führt die Tür?",
    },
    subsets={
        "q1": "animals",
        "2": "counting",
        "row-3": "all",
        "q4": "all",
        "q5": "all",
        "q6": "all",
    },
    meta={"row-3": {"level": "**hard**", "seconds": 2.5}, "q1": {"split": "train"}},
    left_out={"no image, video or sound": 1},
)
SPLITS = {"q1": "train", "2": "test", "row-3": "train", "q4": "test", "q5": "train", "q6": "train"}
"""As the records themselves say."""

CSV_ROWS: list[list[str]] = [
    ["id", "image", "question", "A", "B", "C", "answer", "group_id"],
    ["1", "park.jpg", 'Who, if anybody,\nsits on the "bench"?', "a cat", "a dog", "", "B", "park"],
    ["2", "['tiles/left.png', 'tiles/right.png']", "Dark?", "left", "right", "both", "2", ""],
    ["3", UMLAUT, "Is it shut; really?", "ja, ganz", "nein", "", "JA, ganz", ""],
]

EXPECTED_CSV = Expected(
    rows=3,
    samples=3,
    questions=3,
    options={"1": ("a cat", "a dog"), "2": ("left", "right", "both"), "3": ("ja, ganz", "nein")},
    answers={"1": 1, "2": 2, "3": 0},
    groups={"1": "park", "2": group_of("left"), "3": group_of(UMLAUT)},
    images={"1": ("park.jpg",), "2": ("left", "right"), "3": (UMLAUT,)},
    texts={"1": 'Who, if anybody,\nsits on the "bench"?', "3": "Is it shut; really?"},
    subsets={"1": "all", "2": "all", "3": "all"},
)


def write_images(folder: Path) -> None:
    for name in ("images", "tiles"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "images" / "park.jpg").write_bytes(drawn("park.jpg"))
    (folder / "tiles" / "left.png").write_bytes(drawn("left"))
    (folder / "tiles" / "right.png").write_bytes(drawn("right"))
    (folder / UMLAUT).write_bytes(drawn(UMLAUT))


def write(folder: Path) -> Path:
    """JSON lines, with an empty one at the end."""
    write_images(folder)
    path = folder / "own.jsonl"
    lines = [json.dumps(record, ensure_ascii=False) for record in RECORDS]
    path.write_text("\n".join(lines) + "\n\n", "utf-8")
    return path


def write_array(folder: Path) -> Path:
    """The same records as one indented array, after a byte order mark."""
    write_images(folder)
    path = folder / "own.json"
    path.write_text(json.dumps(RECORDS, indent=2), "utf-8-sig")
    return path


def write_csv(folder: Path) -> Path:
    """Columns for the options; a question of two lines; a Python list of images."""
    write_images(folder)
    path = folder / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(CSV_ROWS)
    return path
