"""Prompts: what is said, and which of it may be masked."""

import dataclasses

import pytest

from data_cache.samples import Benchmark
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.prompt import (
    ANSWER_STYLES,
    INSTRUCTION,
    INSTRUCTIONS,
    AnswerStyle,
    render,
    template_fingerprint,
    user_text,
)


def test_the_user_turn_lists_lettered_options_and_ends_with_the_instruction(
    digits: Benchmark,
) -> None:
    text = user_text(digits.select(subset="vision")[0])
    assert "\nA. 0 or 1\nB. 2 or 3\nC. 4 or 5\nD. 6 or 7\n" in text
    assert text.endswith(INSTRUCTION)


def test_the_user_turn_offers_words_without_letters_or_asks_for_yes_or_no(
    digits: Benchmark,
) -> None:
    sample = digits.select(subset="vision")[0]
    words = user_text(sample, "options")
    assert words.startswith(f"{sample.question}\nOptions:\n- 0 or 1\n- 2 or 3\n")
    assert words.endswith(INSTRUCTIONS["options"])
    assert user_text(sample, "yes-no") == f"{sample.question}\n{INSTRUCTIONS['yes-no']}"


@pytest.mark.parametrize("answers", ANSWER_STYLES)
@pytest.mark.parametrize("with_image", [True, False])
def test_the_maskable_span_is_exactly_what_the_user_says(
    oracle: LoadedModel, digits: Benchmark, with_image: bool, answers: AnswerStyle
) -> None:
    for sample in digits.samples[:8]:
        prompt = render(oracle.processor, sample, with_image=with_image, answers=answers)
        assert prompt.text[slice(*prompt.user)] == user_text(sample, answers)
        assert prompt.text[slice(*prompt.question)] == sample.question
        assert prompt.text.count("<image>") == int(with_image)
        assert sample.system is not None
        assert prompt.text.index(sample.system) < prompt.user[0]


def test_a_model_without_a_chat_template_is_refused(oracle: LoadedModel, digits: Benchmark) -> None:
    bare = type("Bare", (), {"chat_template": None})()
    with pytest.raises(UnsupportedModel, match="no chat template"):
        render(bare, digits.samples[0])


def test_a_template_that_rewrites_the_text_is_refused(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    class Shouting:
        chat_template = "x"

        def apply_chat_template(self, messages: list[dict[str, object]], **_: object) -> str:
            return oracle.processor.apply_chat_template(messages).upper()

    with pytest.raises(UnsupportedModel, match=digits.samples[0].id):
        render(Shouting(), digits.samples[0])


def test_a_user_text_that_occurs_in_the_system_message_is_found_in_the_user_turn(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    sample = digits.samples[0]
    echo = dataclasses.replace(sample, system=user_text(sample))
    prompt = render(oracle.processor, echo)
    assert prompt.user[0] > prompt.text.index("USER")


def test_the_template_is_part_of_what_a_run_is(oracle: LoadedModel) -> None:
    class Other:
        chat_template = oracle.processor.chat_template + " "

    prints = [template_fingerprint(oracle.processor, answers) for answers in ANSWER_STYLES]
    assert len({*prints, template_fingerprint(Other())}) == 4
