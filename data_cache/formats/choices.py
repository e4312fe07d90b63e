"""The question, the options and the answer of a row, as most tables write them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

from data_cache.errors import BenchmarkError
from data_cache.formats.embedded import list_of
from data_cache.formats.rows import BLANK, BadRow, Row, quoted
from data_cache.formats.tables import read_table
from data_cache.samples import LETTERS, letter_of

FEWEST = 2
"""Options; with one there is nothing to choose."""
PEEKED = 20
"""Rows in which an answer is looked for before a file is said to have none."""
UNANSWERED = BLANK | {"?"}
"""What stands in place of an answer that is kept secret; MMMU writes a question mark."""


def asked(row: Row, *, question: str = "question", hint: str = "hint") -> str:
    """Return the question, after its hint where it has one.

    Raises
    ------
    BadRow
        If there is no question.
    """
    return with_hint(row.text(question), row.optional(hint))


def with_hint(question: str, hint: str | None) -> str:
    r"""Return a question after its hint, as VLMEvalKit writes them.

    >>> with_hint("Which one rolls?", "Balls do.")
    'Hint: Balls do.\nQuestion: Which one rolls?'
    """
    return question if hint is None else f"Hint: {hint}\nQuestion: {question}"


def lettered_options(row: Row) -> tuple[str, ...]:
    """Return the options from the columns A, B, C, ...; those that are empty at the end are not.

    Raises
    ------
    BadRow
        If there are fewer than two, or one is empty before another: the letters after it would
        not be those of the file.
    """
    texts = {letter: row.optional(letter) for letter in LETTERS if letter in row.values}
    given = {letter: text for letter, text in texts.items() if text is not None}
    for place, letter in enumerate(given):
        if letter != LETTERS[place]:
            raise row.bad(
                LETTERS[place], f"option {LETTERS[place]} is empty, and option {letter} is not"
            )
    if len(given) < FEWEST:
        raise row.bad(LETTERS[len(given)], f"it has {_count(len(given))}; 2 or more are needed")
    return tuple(given.values())


def listed_options(row: Row, column: str) -> tuple[str, ...]:
    """Return the options from a list (of JSON, Parquet, or as Python writes one) or an object.

    Raises
    ------
    BadRow
        If it is neither, or there are fewer than two, or one has no text.
    """
    value = row.get(column)
    if isinstance(value, dict):
        value = _of_object(row, column, cast(dict[str, Any], value))
    if isinstance(value, str):
        text = row.text(column)
        value = list_of(text)
        if not text.startswith("[") or value == [text]:
            raise row.bad(column, f"it is no list of options: {quoted(text)}")
    if not isinstance(value, list | tuple):
        raise row.bad(column, f"it is no list of options: {quoted(value)}")
    items = cast(Sequence[object], value)
    part = Row(
        file=row.file, number=row.number, values={str(i): item for i, item in enumerate(items)}
    )
    options: list[str] = []
    for place, item in enumerate(items):
        if isinstance(item, dict | list | bool):
            raise row.bad(
                column, f"option {letter_of(place)} is no text: {quoted(cast(Any, item))}"
            )
        try:
            text = part.optional(str(place))
        except BadRow as error:
            raise row.bad(column, f"option {letter_of(place)}: {error.problem.reason}") from error
        if text is None:
            raise row.bad(column, f"option {letter_of(place)} is empty")
        options.append(text)
    if len(options) < FEWEST:
        raise row.bad(column, f"it has {_count(len(options))}; 2 or more are needed")
    return tuple(options)


def _of_object(row: Row, column: str, given: dict[str, Any]) -> list[Any]:
    names = sorted(given)
    if names != list(LETTERS[: len(names)]):
        called = ", ".join(map(quoted, names[:5]))
        raise row.bad(column, f"its options are called {called}, not A, B, ... without a gap")
    return [given[name] for name in names]


def answer_of(row: Row, options: Sequence[str], column: str = "answer") -> int:
    """Return the index of the answer, which is written as a letter, an index from 0, or a text.

    A letter is taken first. A number that is both an index and the text of another option is
    refused, because nothing tells which is meant.

    Raises
    ------
    BadRow
        If it is none of the options, or could be two of them.
    """
    value = row.get(column)
    if isinstance(value, bool | dict | list):
        raise row.bad(
            column, f"{quoted(cast(Any, value))} is no letter, index or text of an option"
        )
    text = row.text(column).removesuffix(".0") if isinstance(value, float) else row.text(column)
    letters = LETTERS[: len(options)]
    if len(text) == 1 and text in letters:
        return letters.index(text)
    named = _same(text, options)
    if re.fullmatch(r"[0-9]{1,4}", text) and int(text) < len(options):
        named |= {int(text)}
    if not named and len(text) == 1 and text.upper() in letters:
        return letters.index(text.upper())
    if len(named) > 1:
        which = " and ".join(letter_of(index) for index in sorted(named))
        raise row.bad(column, f"{quoted(text)} could be options {which}; write the letter")
    if not named:
        raise row.bad(
            column,
            f"{quoted(text)} is none of its {len(options)} options "
            f"(A to {letter_of(len(options) - 1)}, 0 to {len(options) - 1}, or an option's text)",
        )
    return named.pop()


def _same(text: str, options: Sequence[str]) -> set[int]:
    exact = {index for index, option in enumerate(options) if option == text}
    folded = text.casefold()
    return exact or {index for index, option in enumerate(options) if option.casefold() == folded}


def _count(options: int) -> str:
    return {0: "no options", 1: "one option"}.get(options, f"{options} options")


def read_answered(paths: Iterable[Path], *, required: Iterable[str], advice: str) -> Iterator[Row]:
    """Yield the rows of tables, one after the other; each must have answers.

    Parameters
    ----------
    paths
        The tables.
    required
        Columns that each must have.
    advice
        Why there may be no answers, and what to take instead.

    Raises
    ------
    BenchmarkError
        If a table cannot be read, or has no answers.
    """
    columns = tuple(required)
    for path in paths:
        yield from refuse_unanswered(path, read_table(path, required=columns), advice)


def refuse_unanswered(
    path: Path, rows: Iterable[Row], advice: str, column: str = "answer"
) -> Iterator[Row]:
    """Yield the rows of a file, unless the first of them all have no answer.

    Parameters
    ----------
    path
        The file, for the message.
    rows
        Of the file.
    advice
        Why there may be none, and what to take instead.
    column
        Where the answer is written.

    Raises
    ------
    BenchmarkError
        If none of the first `PEEKED` rows has an answer.
    """
    following = iter(rows)
    first = list(islice(following, PEEKED))
    good = [row for row in first if row.problem is None]
    if good and not any(_answered(row, column) for row in good):
        raise BenchmarkError(f"{path} has no answers to compare a model's with; {advice}")
    yield from first
    yield from following


def _answered(row: Row, column: str) -> bool:
    value = row.get(column)
    return value is not None and value == value and str(value).strip() not in UNANSWERED
