"""Questions, options and answers of a row, however they are written."""

from pathlib import Path
from typing import Any

import pytest

from data_cache.errors import BenchmarkError
from data_cache.formats.choices import (
    answer_of,
    asked,
    lettered_options,
    listed_options,
    refuse_unanswered,
)
from data_cache.formats.rows import BadRow, Row

ANIMALS = ("a cat", "a dog", "a cow")


def row(**values: Any) -> Row:
    return Row(file=Path("own.tsv"), number=7, values=values)


def test_a_hint_stands_before_its_question() -> None:
    assert asked(row(question=" Who? ", hint="It barks.")) == "Hint: It barks.\nQuestion: Who?"
    assert asked(row(question="Who?", hint="nan")) == "Who?"


def test_options_are_the_columns_with_letters_up_to_the_last_that_is_filled() -> None:
    assert lettered_options(row(A="x", B=2, C="None", D="", E=None)) == ("x", "2", "None")
    assert lettered_options(row(a="q", A="x", B="NA", question="y")) == ("x", "NA")


@pytest.mark.parametrize("value", [["a", 1, 2.5], "['a', 1, 2.5]", {"B": 1, "C": 2.5, "A": "a"}])
def test_options_are_a_list_or_a_text_that_is_one_or_an_object(value: object) -> None:
    assert listed_options(row(options=value), "options") == ("a", "1", "2.5")


@pytest.mark.parametrize(
    ("answer", "index"),
    [("B", 1), ("b", 1), (1, 1), ("1", 1), (1.0, 1), ("a dog", 1), (" A Dog ", 1), (0, 0)],
)
def test_an_answer_is_a_letter_an_index_or_a_text(answer: object, index: int) -> None:
    assert answer_of(row(answer=answer), ANIMALS) == index


def test_a_text_that_is_the_same_to_the_letter_comes_before_one_in_another_case() -> None:
    assert answer_of(row(answer="a Cat"), ("A cat", "a Cat")) == 1


def test_a_letter_comes_before_a_text_that_is_one() -> None:
    assert answer_of(row(answer="A"), ("B", "A")) == 0
    assert answer_of(row(answer="b"), ("a", "c", "b")) == 2


def test_a_number_that_is_an_index_and_another_options_text_is_refused() -> None:
    assert answer_of(row(answer="4"), ("2", "3", "4")) == 2
    assert answer_of(row(answer="0"), ("0", "1")) == 0
    with pytest.raises(BadRow, match="'1' could be options A and B; write the letter"):
        answer_of(row(answer="1"), ("1", "2"))


@pytest.mark.parametrize("answer", ["D", "AB", "3", -1, 1.5, "9" * 5000, "c", "the cat", "²"])
def test_an_answer_that_is_no_option_is_refused(answer: object) -> None:
    with pytest.raises(BadRow, match=r"own\.tsv, row 7, column answer: .* is none of its 2 opt"):
        answer_of(row(answer=answer), ("1 cat", "2 cats"))


def test_rows_without_answers_are_refused_before_any_is_yielded() -> None:
    path = Path("own.tsv")
    unanswered = [row(answer=value) for value in ("", None, "nan", "?", float("nan")) * 4]
    with pytest.raises(BenchmarkError, match=r"own\.tsv has no answers .*; take another$"):
        next(refuse_unanswered(path, unanswered, "take another"))
    answered = [*unanswered[:19], row(answer="A"), *unanswered]
    assert list(refuse_unanswered(path, answered, "take another")) == answered
