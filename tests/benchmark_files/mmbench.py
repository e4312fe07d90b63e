"""MMBench in its four forms: the official TSV, two data sets of the hub, and CCBench.

Three made-up questions with 4, 2 and 3 options, each as often as it has options. Oddities: rotated
rows name the base row (TSV); a hint; a question of two lines with a tab and quotation marks; the
option None, which pandas would take for nothing; two questions about one image; `L2-category`, an
index of text and the word nan (lmms-lab); base64 in a Parquet column (HuggingFaceM4).
"""

import base64
import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected

COLUMNS = [
    *("index", "question", "hint", "A", "B", "C", "D", "answer", "category", "image"),
    *("source", "l2-category", "comment", "split"),
]

# index, question, hint, options, answer, category, image, source, l2-category
Fields = tuple[int, str, str, tuple[str, ...], str, str, str, str, str]
TWO_LINES = 'The sign says\t"STOP".\nIs the cat past it?'
HINT = "Balls roll; cubes do not."
ROWS: tuple[Fields, ...] = (
    (241, "Which toy rolls away?", HINT, ("cube", "ball", "book", "brick"), "B",
     "physical_property", "toys.jpg", "drawn", "attribute_reasoning"),
    (1000241, "Which toy rolls away?", HINT, ("ball", "book", "brick", "cube"), "A",
     "physical_property", "toys.jpg", "drawn", "attribute_reasoning"),
    (2000241, "Which toy rolls away?", HINT, ("book", "brick", "cube", "ball"), "D",
     "physical_property", "toys.jpg", "drawn", "attribute_reasoning"),
    (3000241, "Which toy rolls away?", HINT, ("brick", "cube", "ball", "book"), "C",
     "physical_property", "toys.jpg", "drawn", "attribute_reasoning"),
    (12, TWO_LINES, "", ("yes, it is", "no"), "A",
     "spatial_relationship", "street", "photo", "finegrained_perception"),
    (77, "How many dogs wear a hat?", "", ("one", "2", "None"), "C",
     "counting", "street", "photo", "finegrained_perception"),
    (1000012, TWO_LINES, "", ("no", "yes, it is"), "B",
     "spatial_relationship", "street", "photo", "finegrained_perception"),
    (1000077, "How many dogs wear a hat?", "", ("2", "None", "one"), "B",
     "counting", "street", "photo", "finegrained_perception"),
    (2000077, "How many dogs wear a hat?", "", ("None", "one", "2"), "A",
     "counting", "street", "photo", "finegrained_perception"),
)  # fmt: skip

EXPECTED = Expected(
    rows=9,
    samples=9,
    questions=3,
    options={
        "241": ("cube", "ball", "book", "brick"),
        "1000241": ("ball", "book", "brick", "cube"),
        "2000241": ("book", "brick", "cube", "ball"),
        "3000241": ("brick", "cube", "ball", "book"),
        "12": ("yes, it is", "no"),
        "1000012": ("no", "yes, it is"),
        "77": ("one", "2", "None"),
        "1000077": ("2", "None", "one"),
        "2000077": ("None", "one", "2"),
    },
    answers={
        "241": 1, "1000241": 0, "2000241": 3, "3000241": 2,
        "12": 0, "1000012": 1,
        "77": 2, "1000077": 1, "2000077": 0,
    },
    groups={
        "241": "241", "1000241": "241", "2000241": "241", "3000241": "241",
        "12": "12", "1000012": "12",
        "77": "77", "1000077": "77", "2000077": "77",
    },
    images={
        "241": ("toys.jpg",), "1000241": ("toys.jpg",), "2000241": ("toys.jpg",),
        "3000241": ("toys.jpg",), "12": ("street",), "1000012": ("street",),
        "77": ("street",), "1000077": ("street",), "2000077": ("street",),
    },
    texts={
        "241": "Hint: Balls roll; cubes do not.\nQuestion: Which toy rolls away?",
        "12": 'The sign says\t"STOP".\nIs the cat past it?',
        "1000077": "How many dogs wear a hat?",
    },
    subsets={
        "241": "attribute_reasoning", "1000241": "attribute_reasoning",
        "2000241": "attribute_reasoning", "3000241": "attribute_reasoning",
        "12": "finegrained_perception", "1000012": "finegrained_perception",
        "77": "finegrained_perception", "1000077": "finegrained_perception",
        "2000077": "finegrained_perception",
    },
    meta={
        "241": {"category": "physical_property", "source": "drawn", "pass": 0},
        "2000077": {"category": "counting", "source": "photo", "pass": 2},
    },
)  # fmt: skip
IMAGES = 2
"""Different ones, however many rows show them."""

EXPECTED_BASE = Expected(
    rows=9,
    samples=3,
    questions=3,
    options={
        "241": ("cube", "ball", "book", "brick"),
        "12": ("yes, it is", "no"),
        "77": ("one", "2", "None"),
    },
    answers={"241": 1, "12": 0, "77": 2},
    left_out={"rotated copy": 6},
)
"""Of the same files, with base questions only."""

EXPECTED_CC = Expected(
    rows=4,
    samples=4,
    questions=2,
    options={
        "5": ("筷子", "勺子"),
        "1000005": ("勺子", "筷子"),
        "8": ("鼓", "琴"),
        "1000008": ("琴", "鼓"),
    },
    answers={"5": 0, "1000005": 1, "8": 1, "1000008": 0},
    groups={"5": "5", "1000005": "5", "8": "8", "1000008": "8"},
    images={"5": ("bowl",), "1000005": ("bowl",), "8": ("stage",), "1000008": ("stage",)},
    texts={"5": "图中有什么?", "8": "他弹的是什么?"},
    subsets={
        "5": "food_clothes",
        "1000005": "food_clothes",
        "8": "traditional_show",
        "1000008": "traditional_show",
    },
)


def base64_of(name: str) -> str:
    return base64.b64encode(drawn(name)).decode()


def record(fields: Fields) -> dict[str, Any]:
    """A row of the official table, with base64 in a base row and its index in a rotated one."""
    index, question, hint, options, answer, category, image, source, subset = fields
    letters = dict(zip("ABCD", (*options, "", ""), strict=False))
    return {
        "index": index,
        "question": question,
        "hint": hint,
        **letters,
        "answer": answer,
        "category": category,
        "image": base64_of(image) if index < 1_000_000 else str(index % 1_000_000),
        "source": source,
        "l2-category": subset,
        "comment": "",
        "split": "dev",
    }


def write_table(path: Path, records: list[dict[str, Any]], columns: list[str]) -> Path:
    """As pandas writes one: cells with a tab, a line break or a quotation mark are quoted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, columns, delimiter="\t", lineterminator="\n", extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerows(records)
    return path


def write(folder: Path) -> Path:
    """The official table of the English development split."""
    write_table(folder / "MMBench_DEV_EN.tsv", [record(fields) for fields in ROWS], COLUMNS)
    return folder


def write_test_split(folder: Path) -> Path:
    """A table without answers, as the authors publish the test split."""
    columns = [column for column in COLUMNS if column != "answer"]
    write_table(folder / "MMBench_TEST_EN.tsv", [record(fields) for fields in ROWS], columns)
    return folder


def write_lmms_lab(folder: Path) -> Path:
    """As `lmms-lab/MMBench`: a struct in every row, an index of text, the word nan."""
    rows: list[dict[str, Any]] = []
    for fields in ROWS:
        row = {name: value if value != "" else "nan" for name, value in record(fields).items()}
        row["index"] = str(row["index"])
        row["L2-category"] = row.pop("l2-category")
        row["image"] = {"bytes": drawn(fields[6]), "path": None}
        rows.append(row)
    path = folder / "en" / "dev-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return folder


def write_huggingface_m4(folder: Path) -> Path:
    """As `HuggingFaceM4/MMBench`: base64 in every row, nulls."""
    rows: list[dict[str, Any]] = []
    for fields in ROWS:
        row = {name: value if value != "" else None for name, value in record(fields).items()}
        row["image"] = base64_of(fields[6])
        rows.append(row)
    path = folder / "data" / "validation-00000-of-00001-93861598ee8837c0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return folder


def write_cc(folder: Path) -> Path:
    """CCBench: no hints and no l2-category."""
    columns = ["index", "question", "answer", "A", "B", "C", "D", "category", "image", "source"]
    bowl, stage = base64_of("bowl"), base64_of("stage")
    food = {"question": "图中有什么?", "category": "food_clothes", "source": "drawn"}
    show = {"question": "他弹的是什么?", "category": "traditional_show", "source": "drawn"}
    rows = [
        {"index": 5, "A": "筷子", "B": "勺子", "answer": "A", "image": bowl, **food},
        {"index": 1000005, "A": "勺子", "B": "筷子", "answer": "B", "image": "5", **food},
        {"index": 8, "A": "鼓", "B": "琴", "answer": "B", "image": stage, **show},
        {"index": 1000008, "A": "琴", "B": "鼓", "answer": "A", "image": "8", **show},
    ]
    write_table(folder / "CCBench.tsv", rows, columns)
    return folder
