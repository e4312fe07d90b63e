"""digits_vqa: real handwriting, multiple-choice prompts, information atoms known in closed form.

The images are scikit-learn's bundled copy of the UCI "Optical Recognition of Handwritten Digits"
test set (1,797 images of 8 x 8 pixels, 17 grey levels; E. Alpaydin and C. Kaynak, 1998), digits 0
to 7, the same number of each. Every image occurs once in each of four subsets. For a solver that
knows the digit and reads the text, the answer's 2 bits are, for uniform digits and texts:

========== ================================================== ==========================
subset     question                                           2 bits of
========== ================================================== ==========================
synergy    (digit + n) mod 4, n in the text                    synergy: neither is enough
vision     which pair holds the digit; the text never varies  vision-unique
language   (a + b) mod 4 of two numbers in the text           language-unique
redundant  which pair holds the digit that the text names     redundancy
========== ================================================== ==========================

Within each digit of each split the texts are balanced, so that these values hold exactly in the
sample and not only in expectation. All prompts of a subset have the same words but for one or two
numbers.
"""

import gzip
import importlib.util
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from data_cache.order import fixed_order
from data_cache.samples import Benchmark, ImageFile, Sample, Split

DIGITS = 8
"""Digits 0 to 7: three bits, of which each subset asks two."""
TRAIN_IMAGES, TEST_IMAGES = 132, 44
"""Images per digit; both are multiples of 4 so that texts can be balanced within a digit."""
IMAGE_SIDE = 32
"""Pixels; the 8 x 8 originals are enlarged without change of content."""
SPLIT_SEED = 20260

SUMS = ("0", "1", "2", "3")
PAIRS = ("0 or 1", "2 or 3", "4 or 5", "6 or 7")


@dataclass(frozen=True, kw_only=True)
class Task:
    """The wording of one subset."""

    system: str
    """System message: it names the task, is never masked and says nothing about the answer."""
    question: str
    """A format string over `digit`, `first` and `second`."""
    options: tuple[str, ...]


TASKS: dict[str, Task] = {
    "synergy": Task(
        system="Task: combine.",
        question="Add {first} to the digit in the image. What is the sum modulo 4?",
        options=SUMS,
    ),
    "vision": Task(
        system="Task: look.",
        question="Which pair contains the digit in the image?",
        options=PAIRS,
    ),
    "language": Task(
        system="Task: read.",
        question="What is {first} plus {second} modulo 4?",
        options=SUMS,
    ),
    "redundant": Task(
        system="Task: check.",
        question="The digit in the image is {digit}. Which pair contains it?",
        options=PAIRS,
    ),
}


def question_of(subset: str, digit: int, first: int, second: int) -> tuple[str, int]:
    """Return the question's text and the index of its answer.

    Parameters
    ----------
    subset
        A key of `TASKS`.
    digit
        What the image shows, 0 to 7.
    first, second
        The numbers of the text, 0 to 3; used by `synergy` (first) and `language` (both).
    """
    text = TASKS[subset].question.format(digit=digit, first=first, second=second)
    answers = {
        "synergy": (digit + first) % 4,
        "vision": digit // 2,
        "language": (first + second) % 4,
        "redundant": digit // 2,
    }
    return text, answers[subset]


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode one digit (8, 8), grey levels 0 to 16, as a PNG of `IMAGE_SIDE` pixels a side."""
    import PIL.Image

    grey = np.clip(np.rint(pixels * (255.0 / 16.0)), 0, 255).astype(np.uint8)
    image = PIL.Image.fromarray(grey).resize((IMAGE_SIDE, IMAGE_SIDE), PIL.Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    # Stored, not compressed: the bytes identify the image, and every zlib compresses differently.
    image.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


@dataclass(frozen=True, kw_only=True)
class DigitImages:
    """The images of one split, in a fixed order."""

    pixels: np.ndarray
    """(n, 8, 8), grey levels 0 to 16."""
    digits: np.ndarray
    """(n,), 0 to 7."""
    source_index: np.ndarray
    """(n,), the row in scikit-learn's data set."""


def _bundled() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's 1,797 digits, (n, 8, 8) grey levels 0 to 16, and their labels (n,)."""
    package = importlib.util.find_spec("sklearn")
    folders = [] if package is None else package.submodule_search_locations or []
    for folder in folders:
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            # Importing scikit-learn takes ten times as long as reading the file, and is not needed.
            with gzip.open(path, "rb") as file:
                values = np.array(file.read().replace(b"\n", b",").rstrip(b",").split(b","))
            rows = values.astype(np.float64).reshape(-1, 65)
            return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits  # pyright: ignore[reportMissingTypeStubs] -- it has none

    data = cast("Any", load_digits())
    return np.asarray(data.images), np.asarray(data.target)


@cache
def digit_images() -> dict[Split, DigitImages]:
    """Choose the same number of images of each digit and split them 3 : 1 by image."""
    images, labels = _bundled()
    generator = np.random.default_rng(SPLIT_SEED)
    chosen: dict[Split, list[np.ndarray]] = {"train": [], "test": []}
    for digit in range(DIGITS):
        rows = generator.permutation(np.flatnonzero(labels == digit))
        chosen["train"].append(rows[:TRAIN_IMAGES])
        chosen["test"].append(rows[TRAIN_IMAGES : TRAIN_IMAGES + TEST_IMAGES])
    result: dict[Split, DigitImages] = {}
    for split, parts in chosen.items():
        rows = np.concatenate(parts)
        result[split] = DigitImages(pixels=images[rows], digits=labels[rows], source_index=rows)
    return result


def _balanced(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers 0 to 3 for `count` images of one digit: first and sum mod 4 are each uniform."""
    first = generator.permutation(np.arange(count) % 4)
    total = np.empty(count, dtype=int)
    for value in range(4):
        rows = np.flatnonzero(first == value)
        total[rows] = generator.permutation((np.arange(len(rows)) + value) % 4)
    return first, (total - first) % 4


def load() -> Benchmark:
    """Build all samples: 8 digits x (132 + 44) images x 4 subsets = 5,632."""
    samples: list[Sample] = []
    for split, images in digit_images().items():
        files = [ImageFile(data=encode_png(pixels)) for pixels in images.pixels]
        for subset, task in TASKS.items():
            generator = np.random.default_rng(
                [SPLIT_SEED, list(TASKS).index(subset), int(split == "test")]
            )
            for digit in range(DIGITS):
                rows = np.flatnonzero(images.digits == digit)
                first, second = _balanced(len(rows), generator)
                for row, one, two in zip(rows, first, second, strict=True):
                    source = int(images.source_index[row])
                    question, answer = question_of(subset, digit, int(one), int(two))
                    samples.append(
                        Sample(
                            id=f"{subset}-{source:04d}",
                            group_id=f"digit-{source:04d}",
                            images=(files[row],),
                            question=question,
                            options=task.options,
                            answer=answer,
                            subset=subset,
                            split=split,
                            system=task.system,
                            meta={"digit": digit},
                        )
                    )
    return Benchmark(
        name="digits_vqa",
        samples=fixed_order(samples),
        description=(
            "Handwritten digits 0-7; four subsets, each 2 bits of one atom for an ideal solver."
        ),
    )
