"""MMStar in its three forms: Parquet with options in the question, a table, base64 on the hub.

Made-up questions. Oddities of the Parquet file: options on one line after `Options:`, with commas
and colons inside them; lines `(A) …` after a hint and `Choices:`, without that word in another
question, and only three of them; a literal `<image 1>`; the column `l2_category` with an underscore
and a struct `meta_info`. The table has a column per option.
"""

import base64
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected
from tests.benchmark_files.mmbench import write_table

# index, question, options, form, answer, category, l2_category, source, image
Fields = tuple[int, str, tuple[str, ...], str, str, str, str, str, str]
HINT = "Hint: Please answer the question and provide the option's letter.\nQuestion: "
ROWS: tuple[Fields, ...] = (
    (0, "What stands by the *gate*?", ("A dog, wet", "Plan B: a cat", "3:1 sheep", "Nothing"),
     "Options", "B", "coarse perception", "image scene", "Drawn", "gate"),
    (1, "<image 1> Which curve rises?", ("the red one", "the blue one", "both", "none"),
     "Options", "D", "math", "functions", "MMMU", "curve.jpg"),
    (2, HINT + "How many cubes are left?", ("2", "3", "5", "8"), "Choices", "C", "math",
     "arithmetic", "MathVista", "cubes"),
    (3, HINT + "Is the sum even?", ("Yes", "No", "It depends\non the sign"), "(A)", "A",
     "logical reasoning", "numbers", "MathVista", "cubes"),
)  # fmt: skip

EXPECTED = Expected(
    rows=4,
    samples=4,
    questions=4,
    options={
        "0": ("A dog, wet", "Plan B: a cat", "3:1 sheep", "Nothing"),
        "1": ("the red one", "the blue one", "both", "none"),
        "2": ("2", "3", "5", "8"),
        "3": ("Yes", "No", "It depends\non the sign"),
    },
    answers={"0": 1, "1": 3, "2": 2, "3": 0},
    groups={"0": "0", "1": "1", "2": "2", "3": "3"},
    images={"0": ("gate",), "1": ("curve.jpg",), "2": ("cubes",), "3": ("cubes",)},
    texts={
        "0": "What stands by the *gate*?",
        "1": "Which curve rises?",
        "2": HINT + "How many cubes are left?",
        "3": HINT + "Is the sum even?",
    },
    subsets={"0": "coarse perception", "1": "math", "2": "math", "3": "logical reasoning"},
    meta={
        "0": {"l2_category": "image scene"},
        "2": {"l2_category": "arithmetic", "source": "MathVista"},
    },
)


def question_with_options(question: str, options: tuple[str, ...], form: str) -> str:
    if form == "Options":
        listed = ", ".join(
            f"{letter}: {text}" for letter, text in zip("ABCD", options, strict=True)
        )
        return f"{question}\nOptions: {listed}"
    listed = "\n".join(f"({letter}) {text}" for letter, text in zip("ABCD", options, strict=False))
    return f"{question}\nChoices:\n{listed}" if form == "Choices" else f"{question}\n{listed}"


def hub_records() -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "question": question_with_options(question, options, form),
            "image": {"bytes": drawn(image), "path": f"{index}.jpg"},
            "answer": answer,
            "category": category,
            "l2_category": detail,
            "meta_info": {"source": source, "split": "val", "image_path": f"images/{index}.jpg"},
        }
        for index, question, options, form, answer, category, detail, source, image in ROWS
    ]


def write_parquet(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records), path)


def write(folder: Path) -> Path:
    """The authors' Parquet file."""
    write_parquet(folder / "mmstar.parquet", hub_records())
    return folder


def table_records() -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "question": question,
            **dict(zip("ABCD", options, strict=False)),
            "answer": answer,
            "category": category,
            "l2_category": detail,
            "source": source,
            "image": base64.b64encode(drawn(image)).decode(),
        }
        for index, question, options, _, answer, category, detail, source, image in ROWS
    ]


def write_table_of_vlmevalkit(folder: Path) -> Path:
    """`MMStar.tsv`: a column per option."""
    columns = [
        *("index", "question", "image", "A", "B", "C", "D", "answer", "category", "l2_category"),
        "source",
    ]
    write_table(folder / "MMStar.tsv", table_records(), columns)
    return folder


def write_base64(folder: Path) -> Path:
    """The table's columns in a Parquet file, the image as text (MMStar_opencompass)."""
    records = [{"D": "nan", **record} for record in table_records()]
    write_parquet(folder / "data" / "val-00000-of-00001.parquet", records)
    return folder
