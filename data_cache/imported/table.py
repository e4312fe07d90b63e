"""A plain table of distributions: CSV, TSV, Parquet, JSON lines or a JSON array of objects.

One row is one question. Its columns, all but the first three optional:

- `p12`, `p1`, `p2`: the model's distribution over the options with both sources, with source 1
  (vision) alone and with source 2 (language) alone; `p0` with neither, `p_no_image` without image.
  Each is one column of lists (JSON, or a list column of Parquet) or a column for each option:
  `p1_A`, `p1_B`, ... Empty cells at the end are options that the row does not have. Each row sums
  to 1.
- `mass12`, `mass1`, `mass2`, `mass0`, `mass_no_image`: instead, or beside them, the probabilities
  of the options among all words, which sum to less than 1.
- `choice12`, ...: what the model named itself; empty where that is none of the options.
- `answer`: letter, index from 0, or the words of the right option.
- `id`, `group`, `subset`, `split`, `question`, `options` (a list, or columns `A`, `B`, ...),
  `image`, `features_1`, `features_2`.

Names as in Stage 2 of Xiu26 (`vl_prob`, `v_orig_prob`, `v_feature`, ...) are read as well.
"""

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from data_cache.conditions import PROBED, Condition
from data_cache.errors import BenchmarkError
from data_cache.formats.rows import Row
from data_cache.imported.answers import Answer, Layout, features_of, option_of, split_of
from data_cache.imported.probabilities import (
    Scale,
    Vector,
    certain_choice,
    checked,
    refuse_contradiction,
    vector_of,
)
from data_cache.predictions import REQUIRED_CONDITIONS
from data_cache.samples import LETTERS, Sample

ENDINGS = {
    Condition.FULL: "12",
    Condition.ONLY_1: "1",
    Condition.ONLY_2: "2",
    Condition.NEITHER: "0",
    Condition.NO_IMAGE: "_no_image",
}
XIU26 = {Condition.FULL: "vl", Condition.ONLY_1: "v", Condition.ONLY_2: "l"}
START: Mapping[Scale, str] = {"options": "p", "vocabulary": "mass"}
END: Mapping[Scale, str] = {"options": "_prob", "vocabulary": "_orig_prob"}
IDS = ("id", "sample_id", "question_id", "index")
GROUPS = ("group", "group_id")
SUBSETS = ("subset", "category")
ANSWERS = ("answer", "label")
FEATURES = {"features_1": ("features_1", "v_feature"), "features_2": ("features_2", "l_feature")}
_OF_ONE_OPTION = re.compile(r"(.+)_([A-Z])")


def layout_of(columns: Iterable[str], where: str) -> Layout:
    """Return which conditions a table has, and what sums to what.

    Parameters
    ----------
    columns
        Their names.
    where
        How messages name the file.

    Raises
    ------
    BenchmarkError
        If one of the three distributions is missing.
    """
    there = set(columns)
    there |= {found[1] for name in there if (found := _OF_ONE_OPTION.fullmatch(name))}
    scales: dict[Condition, Scale] = {}
    for condition in PROBED:
        for scale in ("vocabulary", "options"):
            if any(name in there for name in names_of(condition, scale)):
                scales[condition] = scale
                break
    missing = [ENDINGS[condition] for condition in REQUIRED_CONDITIONS if condition not in scales]
    if missing:
        names = list(columns)
        raise BenchmarkError(
            f"{where} has no column {', '.join('p' + ending for ending in missing)} (nor p"
            f"{missing[0]}_A, p{missing[0]}_B, ..., nor mass{missing[0]}); its columns are "
            f"{', '.join(names[:30]) or 'none'}; see docs/importing-predictions.md"
        )
    return Layout(format="table", scales=scales)


def names_of(condition: Condition, scale: Scale) -> tuple[str, ...]:
    """Return what the column of a distribution may be called."""
    own = f"{START[scale]}{ENDINGS[condition]}"
    return (own, f"{XIU26[condition]}{END[scale]}") if condition in XIU26 else (own,)


def answer_of(row: Row, layout: Layout, known: Mapping[str, Sample]) -> Answer:
    """Return what a row says.

    Parameters
    ----------
    row
        With the columns above.
    layout
        Of its file.
    known
        The benchmark's samples by id, where it can be read here; their options count.

    Raises
    ------
    BadRow
        If it says too little, or something that cannot be.
    """
    sample = known.get(_first(row, IDS) or "")
    options = sample.options if sample else _options(row)
    count = len(options) if options else 0
    probabilities: dict[Condition, Vector] = {}
    choices: dict[Condition, int] = {}
    for condition, scale in layout.scales.items():
        given = _distribution(row, condition, scale)
        if given is None:
            column = names_of(condition, scale)[0]
            raise row.bad(column, "it is empty; every row needs the conditions of the file")
        column, vector = given
        count = count or len(vector)
        if count < 2:
            raise row.bad(column, f"it has {count} numbers; 2 or more are needed")
        if not options and len(vector) != count:
            raise row.bad(column, f"it has {len(vector)} numbers, another column has {count}")
        found = checked(row, column, vector, count, scale)
        if scale == "vocabulary":
            also = _distribution(row, condition, "options")
            if also is not None:
                forced = checked(row, also[0], also[1], count, "options")
                refuse_contradiction(row, also[0], forced, found)
        probabilities[condition] = found
        choices[condition] = _choice(
            row, condition, options, count, vector if scale == "vocabulary" else found
        )
    return Answer(
        row=row,
        id=_first(row, IDS),
        group_id=_first(row, GROUPS),
        subset=_first(row, SUBSETS),
        split=split_of(row, "split"),
        question=row.optional("question"),
        options=options,
        count=count,
        right=_right(row, options, count),
        probabilities=probabilities,
        choices=choices,
        features_1=_features(row, "features_1"),
        features_2=_features(row, "features_2"),
        images=tuple(text for text in [row.optional("image")] if text),
    )


def _distribution(row: Row, condition: Condition, scale: Scale) -> tuple[str, Vector] | None:
    """Return the column and the numbers of a distribution; None where the cells are empty."""
    for name in names_of(condition, scale):
        value = row.get(name)
        if isinstance(value, str):
            text = row.optional(name)
            value = None if text is None else _parsed(row, name, text)
        if isinstance(value, Sequence) and not isinstance(value, str):
            values = cast(Sequence[object], value)
            return name, vector_of(row, name, _without_end(row, name, values))
        if value is not None and value == value:
            raise row.bad(name, f"{value!r} is no list of numbers")
        cells = [row.get(f"{name}_{letter}") for letter in LETTERS]
        if any(not _is_empty(cell) for cell in cells):
            return name, vector_of(row, name, _without_end(row, name, cells))
    return None


def _without_end(row: Row, column: str, cells: Sequence[object]) -> list[object]:
    """Leave out the empty cells behind the last option; one between two options is an error."""
    filled = [index for index, cell in enumerate(cells) if not _is_empty(cell)]
    if filled != list(range(len(filled))):
        raise row.bad(column, "the probability of an option before the last is empty")
    return list(cells[: len(filled)])


def _is_empty(cell: object) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in {"", "nan"}
    return cell is None or cell != cell


def _parsed(row: Row, column: str, text: str) -> list[Any]:
    """Read a list that a cell holds as JSON, or as Python or numpy print it."""
    for read in (_of_json, _of_python, _of_numpy):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError):
            continue
        if isinstance(value, list | tuple):
            return list(cast(Sequence[Any], value))
    raise row.bad(column, "it is no list of numbers such as [0.7, 0.3]")


def _of_json(text: str) -> object:
    return json.loads(text)


def _of_python(text: str) -> object:
    return ast.literal_eval(text)


def _of_numpy(text: str) -> object:
    return text[1:-1].split() if text[:1] + text[-1:] == "[]" else None


def _options(row: Row) -> tuple[str, ...] | None:
    value = row.get("options")
    text = row.optional("options") if isinstance(value, str) else None
    if text is not None:
        value = _parsed(row, "options", text) if text[:1] == "[" else None
        if value is None:
            raise row.bad("options", 'it is no list of texts such as ["red", "blue"]')
    if isinstance(value, Sequence) and not isinstance(value, str):
        texts = tuple(str(one).strip() for one in cast(Sequence[object], value))
    else:
        texts = tuple(found for letter in LETTERS if (found := row.optional(letter)) is not None)
    if not texts:
        return None
    if len(texts) < 2 or not all(texts):
        raise row.bad("options", "it lists fewer than two options, or an empty one")
    return texts


def _choice(
    row: Row, condition: Condition, options: tuple[str, ...] | None, count: int, given: Vector
) -> int:
    column = f"choice{ENDINGS[condition]}"
    if column not in row.values:
        return certain_choice(given, count)
    said = row.optional(column)
    found = None if said is None else option_of(said, options, count)
    return -1 if found is None else found


def _right(row: Row, options: tuple[str, ...] | None, count: int) -> int | None:
    for column in ANSWERS:
        said = row.optional(column)
        if said is not None:
            found = option_of(said, options, count)
            if found is None:
                raise row.bad(column, f"{said!r} is none of the {count} options")
            return found
    return None


def _features(row: Row, name: str) -> Any:
    for column in FEATURES[name]:
        found = features_of(row, column)
        if found is not None:
            return found
    return None


def _first(row: Row, names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := row.optional(name)) is not None), None)
