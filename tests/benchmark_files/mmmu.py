"""MMMU in its three forms: one Parquet file per subject, all in one, and VLMEvalKit's table.

Made-up questions of three subjects. Oddities: the options are a Python list in a text, with both
kinds of quotation marks; images inside options; a number is mentioned twice, out of order, and an
image that no text mentions; nine options; an open question without options; another split in the
table.
"""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected
from tests.benchmark_files.mmbench import write_table

# id, question, options, answer, kind, subfield, images in columns 1, 2, ...
Fields = tuple[str, str, tuple[str, ...], str, str, str, tuple[str, ...]]
ROWS: tuple[Fields, ...] = (
    ("validation_Accounting_1", "Read <image 1>: what did the shop's owner owe?",
     ("$3,100", "it's $3,200"), "B", "multiple-choice", "Costs", ("ledger",)),
    ("validation_Accounting_2", "How much is left, by <image 1>?", (), "412", "open", "Costs",
     ("ledger",)),
    ("validation_Art_Theory_7", "Which painting goes with <image 1>?",
     ("<image 3>", "<image 2>", "none of <image 2> and <image 3>"), "A", "multiple-choice",
     "Colour", ("frame.jpg", "red", "blue", "unused")),
    ("validation_Math_30", 'The curve "f" of <image 1> crosses 0 at',
     ("1", "2", "3", "4", "5", "6", "7", "8", "9"), "I", "multiple-choice", "Calculus",
     ("curve",)),
)  # fmt: skip

EXPECTED = Expected(
    rows=4,
    samples=3,
    questions=3,
    options={
        "validation_Accounting_1": ("$3,100", "it's $3,200"),
        "validation_Art_Theory_7": ("<image 3>", "<image 2>", "none of <image 2> and <image 3>"),
        "validation_Math_30": ("1", "2", "3", "4", "5", "6", "7", "8", "9"),
    },
    answers={
        "validation_Accounting_1": 1,
        "validation_Art_Theory_7": 0,
        "validation_Math_30": 8,
    },
    groups={
        "validation_Accounting_1": "validation_Accounting_1",
        "validation_Art_Theory_7": "validation_Art_Theory_7",
        "validation_Math_30": "validation_Math_30",
    },
    images={
        "validation_Accounting_1": ("ledger",),
        "validation_Art_Theory_7": ("frame.jpg", "red", "blue"),
        "validation_Math_30": ("curve",),
    },
    texts={
        "validation_Accounting_1": "Read <image 1>: what did the shop's owner owe?",
        "validation_Math_30": 'The curve "f" of <image 1> crosses 0 at',
    },
    subsets={
        "validation_Accounting_1": "Business",
        "validation_Art_Theory_7": "Art and Design",
        "validation_Math_30": "Science",
    },
    meta={
        "validation_Art_Theory_7": {
            "subject": "Art_Theory",
            "subfield": "Colour",
            "difficulty": "Easy",
        }
    },
    left_out={"open question": 1},
)
OF_THE_DEV_SPLIT = 2
"""Rows of the other split in VLMEvalKit's table."""


def hub_record(fields: Fields) -> dict[str, Any]:
    name, question, options, answer, kind, subfield, images = fields
    pictures: dict[str, Any] = {f"image_{number}": None for number in range(1, 8)}
    for number, image in enumerate(images, start=1):
        pictures[f"image_{number}"] = {"bytes": drawn(image), "path": f"{name}_{number}.png"}
    return {
        "id": name,
        "question": question,
        "options": str(list(options)),
        "explanation": "",
        **pictures,
        "img_type": "['Tables']",
        "answer": answer,
        "topic_difficulty": "Easy",
        "question_type": kind,
        "subfield": subfield,
    }


def write_parquet(path: Path, records: list[dict[str, Any]]) -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {name: image if name.startswith("image_") else pa.string() for name in records[0]}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records, schema=pa.schema(columns)), path)


def write(folder: Path) -> Path:
    """As `MMMU/MMMU`: a folder for each subject."""
    for subject in ("Accounting", "Art_Theory", "Math"):
        records = [hub_record(row) for row in ROWS if row[0].split("_", 1)[1].startswith(subject)]
        write_parquet(folder / subject / "validation-00000-of-00001.parquet", records)
    return folder


def write_merged(folder: Path) -> Path:
    """As `lmms-lab/MMMU`: all subjects in one file."""
    path = folder / "data" / "validation-00000-of-00001.parquet"
    write_parquet(path, [hub_record(fields) for fields in ROWS])
    return folder


def write_test_split(folder: Path) -> Path:
    """As the authors publish the test split: a question mark for an answer."""
    records = [{**hub_record(fields), "answer": "?"} for fields in ROWS]
    write_parquet(folder / "Math" / "test-00000-of-00001.parquet", records)
    return folder


def write_table_of_vlmevalkit(folder: Path, rows: Sequence[Fields] | None = None) -> Path:
    """`MMMU_DEV_VAL.tsv`: a column per option, the images of a row in one cell, both splits."""
    letters = "ABCDEFGHI"
    columns = [
        *("id", "index", "question", "split", *letters, "answer", "topic_difficulty", "subfield"),
        *("image_type", "question_type", "explanation", "image", "image_path", "category"),
        "l2-category",
    ]
    dev = [("dev_Accounting_1", *ROWS[0][1:]), ("dev_Math_2", *ROWS[3][1:])]
    records: list[dict[str, Any]] = []
    for number, (name, question, options, answer, kind, subfield, images) in enumerate(
        (*dev, *ROWS) if rows is None else rows, start=1
    ):
        texts = [base64.b64encode(drawn(image)).decode() for image in images]
        records.append(
            {
                "id": name,
                "index": number,
                "question": question,
                **dict(zip(letters, options, strict=False)),
                "answer": answer,
                "topic_difficulty": "Easy",
                "subfield": subfield,
                "question_type": kind,
                "image": texts[0] if len(texts) == 1 else str(texts),
                "image_path": str([f"{name}_{place}.jpg" for place in range(len(texts))]),
                "split": name.partition("_")[0],
            }
        )
    write_table(folder / "MMMU_DEV_VAL.tsv", records, columns)
    return folder
