"""A Stage-2 JSON of Xiu26 as its scripts write it, with made-up text and drawn images.

What is odd about it is kept: `num_options` differs between items while all lists have four numbers;
`*_orig_prob` gives mass to letters that are no options of the item; where the options hold less
than 0.3 together, `*_prob` is uniform; the mark of the image stands at the prompt's end; `value`
was overwritten by the model's first word, which may be none of the letters; images are base64 in
one file and paths in the other.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.benchmark_files.drawn import drawn

ASK = (
    "\nPlease select the correct answer from the options above. "
    "You must answer with the letter of the correct option only.\n<image>"
)
THRESHOLD = 0.3


def forced(mass: list[float], count: int) -> list[float]:
    """What `*_prob` holds of what `*_orig_prob` holds."""
    total = sum(mass[:count])
    shown = [1 / count] * count if total < THRESHOLD else [p / total for p in mass[:count]]
    return shown + [0.0] * (len(mass) - count)


def item(
    image: str,
    question: str,
    options: list[str],
    label: str,
    said: str,
    masses: dict[str, list[float]],
    *,
    width: int = 3,
) -> dict[str, Any]:
    count = len(options)
    listed = "".join(f"\n{letter}. {text}" for letter, text in zip("ABCD", options, strict=False))
    turn: dict[str, Any] = {
        "from": "gpt",
        "value": said,
        "label": label,
        "v_feature": [0.25 * count, 0.5, -1.0][:width],
        "l_feature": [1.5, 0.125 * len(question)],
    }
    for name in ("v", "l", "vl"):
        turn[f"{name}_prob"] = forced(masses[name], count)
    for name in ("v", "l", "vl"):
        turn[f"{name}_orig_prob"] = masses[name]
    human = {"from": "human", "value": question + listed + ASK}
    return {"image": image, "num_options": count, "conversations": [human, turn]}


def items(images: dict[str, str]) -> list[dict[str, Any]]:
    """Return the items of one file, with these images by their names."""
    return [
        item(
            images["circle"],
            "What shape is drawn?",
            ["a circle", "a square", "a star", "nothing"],
            "A",
            "A",
            {
                "v": [0.6, 0.1, 0.05, 0.05],
                "l": [0.05, 0.05, 0.05, 0.05],  # 0.2 in all: uniform at 0.3
                "vl": [0.9, 0.04, 0.03, 0.02],
            },
        ),
        item(
            images["circle"],
            "Is it filled?",
            ["yes", "no"],
            "B",
            "The",  # none of the letters
            {
                "v": [0.25, 0.15, 0.3, 0.1],  # C is likeliest, and no option
                "l": [0.2, 0.5, 0.01, 0.01],
                "vl": [0.1, 0.3, 0.02, 0.02],
            },
        ),
        item(
            images["square"],
            "Which of these\nis not there?",
            ["a circle", "a square", "red"],
            "C",
            " C",
            {
                "v": [0.1, 0.2, 0.4, 0.02],  # 0.28 is left to other words
                "l": [0.35, 0.35, 0.2, 0.0],  # two share the first place
                "vl": [0.0, 0.05, 0.9, 0.0],
            },
        ),
    ]


def write(folder: Path) -> Path:
    """Write train/demo_3.json (images as base64) and val/demo_3.json (images as paths)."""
    pictures = {name: drawn(name) for name in ("circle", "square")}
    for split in ("train", "val"):
        inside = split == "train"
        place = folder / split
        place.mkdir(parents=True)
        images = {
            name: base64.b64encode(raw).decode() if inside else f"pictures/{name}.png"
            for name, raw in pictures.items()
        }
        (place / "demo_3.json").write_text(json.dumps(items(images), indent=2), "utf-8")
        if not inside:
            (place / "pictures").mkdir()
            for name, raw in pictures.items():
                (place / "pictures" / f"{name}.png").write_bytes(raw)
    return folder


# Written down by hand, for either file, in the order of its items.
QUESTIONS = ("What shape is drawn?", "Is it filled?", "Which of these\nis not there?")
OPTIONS = (
    ("a circle", "a square", "a star", "nothing"),
    ("yes", "no"),
    ("a circle", "a square", "red"),
)
ANSWERS = (0, 1, 2)
CHOICES = {
    "full": (0, -1, 2),  # what the model said
    "only_1": (0, -1, 2),  # 0.6 > 0.2 left; C is no option; 0.4 > 0.28 left
    "only_2": (-1, 1, -1),  # 0.8 left; 0.5 > 0.28; a tie
}
FALLBACKS = {"full": (0, 0, 0), "only_1": (0, 0, 0), "only_2": (1, 0, 0)}
"""At tau 0.3; the first item's text alone holds 0.2."""
