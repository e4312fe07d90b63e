"""What one row of a file of predictions says, whatever the file's format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_cache.conditions import Condition
from data_cache.formats.rows import Row
from data_cache.imported.probabilities import Scale, Vector
from data_cache.samples import LETTERS, Split

SPLIT_WORDS: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "val": "test",
    "valid": "test",
    "validation": "test",
    "dev": "test",
}
"""What a file or a folder may call a split; only `train` is one that may be trained on."""


@dataclass(kw_only=True)
class Answer:
    """A question, as far as the file has it, and what the model answered in each condition."""

    row: Row
    id: str | None = None
    """None where the file names none; rows are then counted."""
    group_id: str | None = None
    subset: str | None = None
    split: Split | None = None
    assumed_split: Split | None = None
    """Where the row says none: what the folder's name says."""
    question: str | None = None
    options: tuple[str, ...] | None = None
    count: int
    """How many options there are."""
    right: int | None = None
    """Index of the right one; None where the file does not say."""
    probabilities: Mapping[Condition, Vector]
    """(count,) each; `full`, `only_1` and `only_2` are always there."""
    choices: Mapping[Condition, int]
    """The option that the model named in its own words, -1 for none: what the file says, else what
    must have been the likeliest word."""
    features_1: NDArray[np.float32] | None = None
    features_2: NDArray[np.float32] | None = None
    images: tuple[str, ...] = ()
    """Paths or base64, as the file has them."""
    meta: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(kw_only=True)
class Layout:
    """What the rows of a file have in common."""

    format: str
    """`xiu26` or `table`."""
    scales: dict[Condition, Scale]
    """The conditions that the file has, and what their probabilities sum to."""


def option_of(text: str, options: Sequence[str] | None, count: int) -> int | None:
    """Return the option that a text names: by its words, its letter, or its index from 0.

    Parameters
    ----------
    text
        For example `B`, `(b)`, `1` or `a red bus`.
    options
        Their texts, where they are known.
    count
        How many there are.

    Examples
    --------
    >>> option_of("b.", None, 4), option_of("1", None, 4), option_of("1", ("1", "2"), 2)
    (1, 1, 0)
    >>> option_of("E", None, 4) is None
    True
    """
    said = text.strip()
    if options:
        same = [index for index, option in enumerate(options) if option.strip() == said]
        if len(same) == 1:
            return same[0]
    bare = said.removesuffix(".0").strip(".,:;()[] \t\n").upper()  # pandas writes 1.0 for 1
    place = LETTERS.find(bare) if len(bare) == 1 else -1
    if place < 0 and bare.isascii() and bare.isdigit():
        place = int(bare)
    return place if 0 <= place < count else None


def refuse_unstorable(answer: Answer) -> None:
    """Refuse texts with halves of characters, and ids with a NUL, before anything is written.

    Raises
    ------
    BadRow
        With the column.
    """
    texts = {"id": answer.id, "group": answer.group_id, "subset": answer.subset}
    texts["question"] = answer.question
    texts |= {f"option {number}": one for number, one in enumerate(answer.options or (), start=1)}
    texts |= {name: one for name, one in answer.meta.items() if isinstance(one, str)}
    for column, text in texts.items():
        if text is not None and text.encode("utf-8", "replace").decode() != text:
            raise answer.row.bad(column, "it has half a character; save the file as UTF-8")
    if "\0" in (answer.id or ""):
        raise answer.row.bad("id", "it has a NUL in it; rename it")


def split_of(row: Row, column: str) -> Split | None:
    """Return the split that a cell names; None where it names none.

    Raises
    ------
    BadRow
        If it is another word.
    """
    said = row.optional(column)
    if said is None:
        return None
    found = SPLIT_WORDS.get(said.lower())
    if found is None:
        raise row.bad(column, f"{said!r} is no split; write one of {', '.join(SPLIT_WORDS)}")
    return found


def features_of(row: Row, column: str) -> NDArray[np.float32] | None:
    """Return an embedding; None where there is none.

    Raises
    ------
    BadRow
        If it is no list of finite numbers.
    """
    value = row.get(column)
    if value is None or (isinstance(value, str) and row.optional(column) is None):
        return None
    try:
        if isinstance(value, str):
            import json

            value = json.loads(value)
        found = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise row.bad(column, "it is no list of numbers") from error
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise row.bad(column, "it is no list of finite numbers")
    return found
