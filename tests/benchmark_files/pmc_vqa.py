"""PMC-VQA in its four forms: version 1 in both spellings, version 2, and Parquet.

Made-up questions about two drawn figures. Oddities: each choice begins with its letter and has
stray blanks; the choice NA, which pandas would take for nothing; a choice that begins with another
letter and a colon, one with a comma; a question of two lines; columns spelt `Anwser`; figures in a
folder or in an archive, there in a folder of their own; version 2 has an index, captions, a split,
the letter alone as the answer, and no letters before its choices.
"""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected

FIRST, SECOND = "PMC1000001_F1.jpg", "PMC1000002_F3.jpg"
TWO_LINES = 'What does the "arrow"\npoint at?'
# figure, question, choices, letter
Fields = tuple[str, str, tuple[str, str, str, str], str]
ROWS: tuple[Fields, ...] = (
    (FIRST, "Which colour has the ring?", (" A:Red ", " B:Dark blue ", "C: Green, light ", "D:NA"),
     "B"),
    (FIRST, TWO_LINES, ("A:a cell", "B:E: a vessel", "C:the frame", "D:none"), "D"),
    (SECOND, "How many bars are there?", ("A: 1", "B: 2", "C: 3", "D: 4"), "C"),
)  # fmt: skip

EXPECTED = Expected(
    rows=3,
    samples=3,
    questions=2,
    options={
        "1": ("Red", "Dark blue", "Green, light", "NA"),
        "2": ("a cell", "E: a vessel", "the frame", "none"),
        "3": ("1", "2", "3", "4"),
    },
    answers={"1": 1, "2": 3, "3": 2},
    groups={"1": FIRST, "2": FIRST, "3": SECOND},
    images={"1": (FIRST,), "2": (FIRST,), "3": (SECOND,)},
    texts={"2": TWO_LINES},
    subsets={"1": "all", "2": "all", "3": "all"},
)
TEXTS = ("Dark blue", "none", "3")
"""The answers as version 1 writes them."""

SECOND_EXPECTED = Expected(
    rows=2,
    samples=2,
    questions=2,
    options={
        "512": ("A. baumannii", "B cells", "both", "neither"),
        "513": ("left", "right", "above", "below"),
    },
    answers={"512": 0, "513": 3},
    groups={"512": "PMC2000001_Fig1_2.jpg", "513": "PMC2000002_Fig4_1.jpg"},
    images={"512": ("PMC2000001_Fig1_2.jpg",), "513": ("PMC2000002_Fig4_1.jpg",)},
    meta={"512": {"caption": "Fig. 1, b: growth", "split": "test"}},
)

PARQUET_EXPECTED = Expected(
    rows=2,
    samples=2,
    questions=2,
    options={"q1": ("Red", "Dark blue", "Green", "None"), "q2": ("1", "2", "3", "4")},
    answers={"q1": 3, "q2": 1},
    images={"q1": (FIRST,), "q2": (SECOND,)},
)


def records(*, answer: str = "Answer", label: str = "Answer_label") -> list[dict[str, str]]:
    return [
        {
            "Figure_path": figure,
            "Question": question,
            answer: text,
            **{f"Choice {place}": choice for place, choice in zip("ABCD", choices, strict=True)},
            label: letter,
        }
        for (figure, question, choices, letter), text in zip(ROWS, TEXTS, strict=True)
    ]


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of files by their names in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def write(folder: Path) -> Path:
    """Version 1 as it is today, its archive unpacked."""
    write_csv(folder / "test_clean.csv", records())
    (folder / "images").mkdir()
    for name in (FIRST, SECOND):
        (folder / "images" / name).write_bytes(drawn(name))
    return folder


def write_misspelt(folder: Path) -> Path:
    """Version 1 in its older spelling, its figures still in the archive."""
    write_csv(folder / "test_clean.csv", records(answer="Anwser", label="Anwser_label"))
    figures = {f"images/{name}": drawn(name) for name in (FIRST, SECOND)}
    (folder / "images.zip").write_bytes(archive({"images/": b"", **figures}))
    return folder


def write_second(folder: Path) -> Path:
    """Version 2."""
    first, second = SECOND_EXPECTED.groups.values()
    choices = [f"Choice {letter}" for letter in "ABCD"]
    rows = [
        {"index": "512", "Figure_path": first, "Caption": " Fig. 1, b: growth",
         "Question": "Which bacterium grows?",
         **dict(zip(choices, (" A. baumannii", " B cells", "both", "neither"), strict=True)),
         "Answer": "A", "split": "test"},
        {"index": "513", "Figure_path": second, "Caption": "", "Question": "Where is the scale?",
         **dict(zip(choices, ("left", "right", "above", "below"), strict=True)),
         "Answer": "D", "split": "test"},
    ]  # fmt: skip
    write_csv(folder / "test_2.csv", rows)
    packed = archive({f"figures/{name}": drawn(name) for name in (first, second)})
    (folder / "images_2.zip").write_bytes(packed)
    return folder


def write_parquet(folder: Path) -> Path:
    """As `OctoMed/PMC-VQA`: options in a list, the answer a letter or a text."""
    rows = [
        {"id": "q1", "image": {"bytes": drawn(FIRST), "path": FIRST}, "question": "Which colour?",
         "options": ["Red", "Dark blue", "Green", "None"], "answer": "D"},
        {"id": "q2", "image": {"bytes": drawn(SECOND), "path": SECOND}, "question": "How many?",
         "options": ["1", "2", "3", "4"], "answer": "B"},
    ]  # fmt: skip
    path = folder / "data" / "test-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return folder
