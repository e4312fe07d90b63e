"""How questions are put: the words of the user turn, and where the question is in them."""

import dataclasses

import pytest

from data_cache.samples import Benchmark
from model_runners.asking import (
    Asking,
    asking_of_run,
    asking_of_settings,
    said_of,
    user_text,
)
from model_runners.errors import BadOption
from model_runners.prompt_templates import (
    ANSWER_STYLES,
    INSTRUCTION,
    INSTRUCTIONS,
    STANDARD,
    named,
    names_for,
)

LAST = Asking(template="{options}\n\nNow: {question}")


def test_the_user_turn_lists_lettered_options_and_ends_with_the_instruction(
    digits: Benchmark,
) -> None:
    sample = digits.select(subset="vision")[0]
    assert user_text(sample) == (
        f"{sample.question}\nOptions:\nA. 0 or 1\nB. 2 or 3\nC. 4 or 5\nD. 6 or 7\n{INSTRUCTION}"
    )


def test_the_user_turn_offers_words_without_letters_or_asks_for_yes_or_no(
    digits: Benchmark,
) -> None:
    sample = digits.select(subset="vision")[0]
    words = user_text(sample, Asking(answers="options"))
    assert words.startswith(f"{sample.question}\nOptions:\n- 0 or 1\n- 2 or 3\n")
    assert words.endswith(INSTRUCTIONS["options"])
    asked = user_text(sample, Asking(answers="yes-no"))
    assert asked == f"{sample.question}\n{INSTRUCTIONS['yes-no']}"


def test_the_question_is_found_wherever_the_template_puts_it(digits: Benchmark) -> None:
    """Also where an option says the same as the question."""
    sample = digits.samples[0]
    echo = dataclasses.replace(sample, options=(sample.question, f"Now: {sample.question}"))
    said = said_of(echo, LAST)
    assert said.text.endswith(f"B. Now: {sample.question}\n\nNow: {sample.question}")
    assert said.question == (len(said.text) - len(sample.question), len(said.text))


@pytest.mark.parametrize("answers", ANSWER_STYLES)
def test_the_standard_text_is_the_standard_template(answers) -> None:
    spelled_out = Asking(answers=answers, template=f"{named(STANDARD, answers)}\r\n")
    assert spelled_out == Asking(answers=answers)
    assert (spelled_out.template, spelled_out.name) == (None, STANDARD)
    assert spelled_out.text == named(STANDARD, answers)


def test_what_is_no_way_of_asking_is_refused() -> None:
    with pytest.raises(BadOption, match="which is no field"):
        Asking(template="{question} {options} {answer}")
    with pytest.raises(BadOption, match="answers must be one of letters"):
        Asking(answers="essays")  # pyright: ignore[reportArgumentType] -- what is tested


def test_a_run_and_its_estimates_know_how_it_asked() -> None:
    fingerprint = {"template": "0123456789abcdef"}
    for answers in ANSWER_STYLES:
        for name in names_for(answers):
            asking = Asking(answers=answers, template=named(name, answers))
            text = {} if asking.template is None else {"template_text": asking.template}
            assert asking_of_run({**fingerprint, "candidates": answers, **text}) == asking
            chosen = {} if answers == "letters" else {"answers": answers}
            known = {} if asking.template is None else {"template": asking.template}
            assert asking_of_settings({"tau": 0.3, **chosen, **known}) == asking
    turn = {**fingerprint, "candidates": "letters of the turn"}
    assert asking_of_run(turn) == Asking()


def test_nothing_is_said_of_a_run_that_nobody_saw_asked() -> None:
    assert asking_of_run({"candidates": "letters"}) is None
    assert asking_of_settings({"answers": "sung"}) is None
