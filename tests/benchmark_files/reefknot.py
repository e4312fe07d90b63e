"""Reefknot: lines of JSON whose prompts hold the options, images in the folders of Visual Genome.

Made-up questions. Oddities: both kinds of relation in one file, which says `cognitive`; some
prompts end without a comma or a full stop before the request; options of several words and with
full stops; the images are in two folders, one of which has a number in its name; two questions
about one image.
"""

import json
from pathlib import Path
from typing import Any

from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import Expected

# image_id, query_prompt, label, relation_type
Fields = tuple[str, str, str, str]
ROWS: tuple[Fields, ...] = (
    ("7000001", "What is the relation with cup and table in this photo? A. under B. on C. behind "
     "D. into, please choose.", "B", "perception"),
    ("7000001", "What is the relation with cat and rug in this photo? A. in front of B. next to "
     "C. on top of D. across, please choose.", "C", "perception"),
    ("2390002", "What is the relation with boy and bread in this photo?  A. eating B. wearing "
     "C. riding D. selling, please choose", "A", "cognitive"),
    ("2390002", "What is the relation with lamp and no. 5 in this photo? A. at B. by the no. 5 "
     "C. of D. over please choose.", "D", "perception"),
)  # fmt: skip
YES_NO: tuple[Fields, ...] = (
    ("7000001", "Is the cup on table in this photo? Please answer yes or no.", "yes", "perception"),
    ("2390002", "Is the boy wearing bread in this photo? please answer yes or no.", "no",
     "cognitive"),
)  # fmt: skip

EXPECTED = Expected(
    rows=4,
    samples=3,
    questions=2,
    options={
        "1": ("under", "on", "behind", "into"),
        "2": ("in front of", "next to", "on top of", "across"),
        "4": ("at", "by the no. 5", "of", "over"),
    },
    answers={"1": 1, "2": 2, "4": 3},
    groups={"1": "7000001", "2": "7000001", "4": "2390002"},
    images={"1": ("7000001.jpg",), "2": ("7000001.jpg",), "4": ("2390002.jpg",)},
    texts={
        "1": "What is the relation with cup and table in this photo?",
        "4": "What is the relation with lamp and no. 5 in this photo?",
    },
    subsets={"1": "perception", "2": "perception", "4": "perception"},
    left_out={"of the other kind of relation": 1},
)
"""Of the default, perception."""

YES_NO_EXPECTED = Expected(
    rows=2,
    samples=2,
    questions=2,
    options={"1": ("Yes", "No"), "2": ("Yes", "No")},
    answers={"1": 0, "2": 1},
    groups={"1": "7000001", "2": "2390002"},
    images={"1": ("7000001.jpg",), "2": ("2390002.jpg",)},
    texts={"1": "Is the cup on table in this photo?"},
    subsets={"1": "perception", "2": "cognitive"},
)


def records_of(rows: tuple[Fields, ...], kind: str) -> list[dict[str, Any]]:
    return [
        {
            "image_id": image,
            "query_prompt": prompt,
            "label": label,
            "type": kind,
            "mllm_name": "",
            "response": "",
            "relation_type": relation,
        }
        for image, prompt, label, relation in rows
    ]


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")


def write(folder: Path) -> Path:
    """As a clone of the repository with the images beside the files."""
    dataset = folder / "Dataset"
    write_lines(dataset / "Multichoice.jsonl", records_of(ROWS, "Multichoice"))
    write_lines(dataset / "YESNO.jsonl", records_of(YES_NO, "Yes/No"))
    for place, name in (("VG_100K", "7000001.jpg"), ("VG_100K_2", "2390002.jpg")):
        (folder / place).mkdir(parents=True)
        (folder / place / name).write_bytes(drawn(name))
    return folder
