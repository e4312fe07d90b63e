"""POPE in its six forms: lines and arrays called .json, POPEv2, two of the hub, VLMEvalKit's table.

Seven made-up questions about two images in three settings. Oddities: `.json` holds lines; labels
are written yes, No and YES; images lie in val2014 beside the folder of the questions; a question of
all settings is one row of the table, its categories joined by commas; the hub names an image
without its ending; in POPEv2 two images have one file name in two folders, with a slash before it.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected
from tests.benchmark_files.mmbench import write_table

FIRST, SECOND = "COCO_val2014_000000000041.jpg", "COCO_val2014_000000000057.jpg"
# setting, question_id, image, question, label
Fields = tuple[str, int, str, str, str]
ROWS: tuple[Fields, ...] = (
    ("adversarial", 1, FIRST, "Is there a kite in the image?", "yes"),
    ("adversarial", 2, FIRST, "Is there a surfboard in the image?", "no"),
    ("adversarial", 3, SECOND, "Is there a **fork** in the image?", "no"),
    ("popular", 1, FIRST, "Is there a kite in the image?", "yes"),
    ("popular", 2, SECOND, "Is there a person in the image?", "no"),
    ("random", 1, FIRST, "Is there a kite in the image?", "yes"),
    ("random", 2, SECOND, "Is there a zebra in the image?", "no"),
)

EXPECTED = Expected(
    rows=3,
    samples=3,
    questions=2,
    options={
        "adversarial-1": ("Yes", "No"),
        "adversarial-2": ("Yes", "No"),
        "adversarial-3": ("Yes", "No"),
    },
    answers={"adversarial-1": 0, "adversarial-2": 1, "adversarial-3": 1},
    groups={
        "adversarial-1": "COCO_val2014_000000000041",
        "adversarial-2": "COCO_val2014_000000000041",
        "adversarial-3": "COCO_val2014_000000000057",
    },
    images={"adversarial-1": (FIRST,), "adversarial-2": (FIRST,), "adversarial-3": (SECOND,)},
    texts={"adversarial-3": "Is there a **fork** in the image?"},
    subsets={
        "adversarial-1": "adversarial",
        "adversarial-2": "adversarial",
        "adversarial-3": "adversarial",
    },
)
"""Of the default, the adversarial setting."""
ALL_IDS = {
    *("adversarial-1", "adversarial-2", "adversarial-3"),
    *("popular-1", "popular-2", "random-1", "random-2"),
}

TABLE_EXPECTED = Expected(
    rows=5,
    samples=3,
    questions=2,
    options={"0": ("Yes", "No"), "1": ("Yes", "No"), "2": ("Yes", "No")},
    answers={"0": 0, "1": 1, "2": 1},
    images={"0": (FIRST,), "1": (FIRST,), "2": (SECOND,)},
    subsets={"0": "adversarial", "1": "adversarial", "2": "adversarial"},
    meta={
        "0": {"category": "adversarial,popular,random"},
        "1": {"category": "adversarial"},
    },
    left_out={"of another setting": 2},
)
"""Of VLMEvalKit's table."""

EDITED_EXPECTED = Expected(
    rows=2,
    samples=2,
    questions=1,
    options={
        "images/000000000009.jpg remote": ("Yes", "No"),
        "coco/train2017/000000000009.jpg remote": ("Yes", "No"),
    },
    answers={
        "images/000000000009.jpg remote": 1,
        "coco/train2017/000000000009.jpg remote": 0,
    },
    groups={
        "images/000000000009.jpg remote": "9",
        "coco/train2017/000000000009.jpg remote": "9",
    },
    images={
        "images/000000000009.jpg remote": ("without.jpg",),
        "coco/train2017/000000000009.jpg remote": ("with.jpg",),
    },
)
"""Of POPEv2."""


def lines_of(setting: str) -> list[dict[str, Any]]:
    return [
        {"question_id": number, "image": image, "text": question, "label": label}
        for of, number, image, question, label in ROWS
        if of == setting
    ]


def write_images(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (FIRST, SECOND):
        (folder / name).write_bytes(drawn(name))


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records) + "\n", "utf-8")


def write(folder: Path) -> Path:
    """As the authors publish it on COCO, the images beside the folder of the questions."""
    for setting in ("random", "popular", "adversarial"):
        write_lines(folder / "coco" / f"coco_pope_{setting}.json", lines_of(setting))
    (folder / "coco" / "coco_co_occur.json").write_text("{}", "utf-8")
    write_images(folder / "val2014")
    return folder


def write_arrays(folder: Path) -> Path:
    """As the authors publish it on GQA: arrays over many lines, images in their own folder."""
    for setting in ("random", "popular", "adversarial"):
        path = folder / "output" / "seem" / "gqa" / f"gqa_pope_seem_{setting}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n " + json.dumps(lines_of(setting), indent=4), "utf-8")
    write_images(folder / "images")
    return folder


def write_edited(folder: Path) -> Path:
    """POPEv2: one file name in two folders, one image with the object and one without."""
    records = [
        {"image_id": 9, "image_name": f"/{place}/000000000009.jpg", "target_object": "remote",
         "query": "Is there a remote in the image?", "label": label}
        for place, label in (("images", "No"), ("coco/train2017", "Yes"))
    ]  # fmt: skip
    dataset = folder / "dataset"
    for place, name in (("images", "without.jpg"), ("train2017", "with.jpg")):
        (dataset / place).mkdir(parents=True)
        (dataset / place / "000000000009.jpg").write_bytes(drawn(name))
    (dataset / "annotations.json").write_text(json.dumps(records, indent=4), "utf-8")
    return folder


def hub_records(*settings: str) -> list[dict[str, Any]]:
    return [
        {
            "id": str(place),
            "question_id": str(number),
            "question": question,
            "answer": label,
            "image_source": image.removesuffix(".jpg"),
            "image": {"bytes": drawn(image), "path": None},
            "category": setting,
        }
        for place, (setting, number, image, question, label) in enumerate(ROWS)
        if setting in settings
    ]


def write_parquet(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {name: image if name == "image" else pa.string() for name in records[0]}
    pq.write_table(pa.Table.from_pylist(records, schema=pa.schema(columns)), path)


def write_full(folder: Path) -> Path:
    """The hub's config `Full`: a file for each setting."""
    for setting in ("adversarial", "popular", "random"):
        write_parquet(folder / "Full" / f"{setting}-00000-of-00001.parquet", hub_records(setting))
    return folder


def write_default(folder: Path) -> Path:
    """The hub's config `default`: all settings in the files of one split."""
    records = hub_records("adversarial", "popular", "random")
    for part in (0, 1):
        write_parquet(folder / "data" / f"test-0000{part}-of-00002.parquet", records[part::2])
    return folder


def write_table_of_vlmevalkit(folder: Path) -> Path:
    """`POPE.tsv`: Yes and No, joined categories, an image that an earlier row has."""
    first, second = (base64.b64encode(drawn(name)).decode() for name in (FIRST, SECOND))
    every = "adversarial,popular,random"
    records = [
        {"index": 0, "question": ROWS[0][3], "answer": "Yes", "category": every, "image": first},
        {"index": 1, "question": ROWS[1][3], "answer": "No", "category": "adversarial",
         "image": "0"},
        {"index": 2, "question": ROWS[2][3], "answer": "No", "category": "adversarial",
         "image": second},
        {"index": 3, "question": ROWS[4][3], "answer": "No", "category": "popular", "image": "2"},
        {"index": 4, "question": ROWS[6][3], "answer": "No", "category": "random", "image": "2"},
    ]  # fmt: skip
    columns = ["index", "image", "question", "answer", "category"]
    write_table(folder / "POPE.tsv", records, columns)
    return folder
