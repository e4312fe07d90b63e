"""Options inside texts are taken apart in every form that the benchmarks have, and no other."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cache.formats.options import (
    NoOptions,
    options_in_prompt,
    options_in_question,
    without_letter,
)


def test_an_option_on_one_line_may_hold_commas_colons_and_letters() -> None:
    parts = options_in_question(
        "What does <it> say?\nOptions: A: Plan B: go, then stop, B: wait, C: 3:1, D: A, B or C"
    )
    assert parts.question == "What does <it> say?"
    assert parts.options == ("Plan B: go, then stop", "wait", "3:1", "A, B or C")


def test_the_last_word_options_counts() -> None:
    parts = options_in_question("A list.\nOptions: A: p, B: q.\nWhich?\nOptions: A: x, B: y")
    assert parts.question == "A list.\nOptions: A: p, B: q.\nWhich?"
    assert parts.options == ("x", "y")


@pytest.mark.parametrize("choices", ["Choices:\n", "Choices: \n", ""])
def test_options_on_lines_need_no_word_before_them(choices: str) -> None:
    parts = options_in_question(
        f"Hint: give the letter.\nQuestion: How many?\n{choices}(A) 1\n(B) 2"
    )
    assert parts.question == "Hint: give the letter.\nQuestion: How many?"
    assert parts.options == ("1", "2")


# Small letters and what surrounds markers: no option can hold the marker of another.
TEXTS = st.text("abz ,.:;()?*$<>1é", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(TEXTS, st.lists(TEXTS, min_size=2, max_size=8))
def test_what_is_put_together_in_either_form_is_taken_apart_again(
    question: str, options: list[str]
) -> None:
    listed = ", ".join(
        f"{letter}: {text}" for letter, text in zip("ABCDEFGH", options, strict=False)
    )
    lines = "\n".join(
        f"({letter}) {text}" for letter, text in zip("ABCDEFGH", options, strict=False)
    )
    for text in (f"{question}\nOptions: {listed}", f"{question}\nChoices:\n{lines}"):
        parts = options_in_question(text)
        assert (parts.question, list(parts.options)) == (question, options)


@given(TEXTS, st.lists(TEXTS, min_size=4, max_size=4))
def test_a_prompt_that_is_put_together_is_taken_apart_again(
    question: str, options: list[str]
) -> None:
    listed = " ".join(f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=True))
    parts = options_in_prompt(f"{question}? {listed}, please choose.")
    assert (parts.question, list(parts.options)) == (f"{question}?", options)


def test_three_options_on_lines_are_three() -> None:
    assert options_in_question("Q\n(A) a (B) b\n(B) c\n(C) d\n").options == ("a (B) b", "c", "d")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Which of A, B and C is it?", "neither"),
        ("Q?\nOptions: A: alone", "no option B"),
        ("Q?\nOptions: A: one, B: , C: three", "option B is empty"),
        ("Options: A: one, B: two", "no question"),
        ("Q?\nOptions: B: two, C: three", "neither"),
    ],
)
def test_a_question_without_options_says_what_is_missing(text: str, reason: str) -> None:
    with pytest.raises(NoOptions, match=reason):
        options_in_question(text)


@pytest.mark.parametrize(
    "end", [", please choose.", " please choose.", ", please choose", ", Please choose. \n"]
)
def test_a_prompt_with_options_ends_in_a_request(end: str) -> None:
    parts = options_in_prompt(
        f"What is the relation of cup and table?  A. on top of B. by C. in D. of{end}"
    )
    assert parts.question == "What is the relation of cup and table?"
    assert parts.options == ("on top of", "by", "in", "of")


def test_a_question_mark_before_is_part_of_the_question() -> None:
    parts = options_in_prompt("Ready? What is it? A. a B. b C. c D. d.e, please choose.")
    assert (parts.question, parts.options[3]) == ("Ready? What is it?", "d.e")


@pytest.mark.parametrize(
    "text",
    [
        "Is the cup on the table? Please answer yes or no.",
        "What is it? A. a B. b C. c, please choose.",
        "What is it? A. a B. b D. d C. c, please choose.",
        "What is it? A. a B.  C. c D. d, please choose.",
    ],
)
def test_another_prompt_is_refused(text: str) -> None:
    with pytest.raises(NoOptions):
        options_in_prompt(text)


def test_hostile_texts_take_no_longer_than_their_length() -> None:
    started = time.perf_counter()
    for text in (
        "? A. " + "a " * 200_000,
        "?" * 200_000,
        "? " * 200_000 + "please choose.",
        "\nOptions:" * 40_000,
        " " * 200_000,
        "\n" * 200_000,
    ):
        with pytest.raises(NoOptions):
            options_in_prompt(text)
        with pytest.raises(NoOptions):
            options_in_question(text)
    assert time.perf_counter() - started < 3


def test_only_an_options_own_letter_is_taken_off() -> None:
    assert without_letter(" A : x", "A") == "x"
    assert without_letter("A:", "A") == ""
    assert without_letter("D: x", "A") == "D: x"
    assert without_letter("A A: x", "A") == "A A: x"
