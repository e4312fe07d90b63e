"""Prompts: what is said, and which of it may be masked."""

import dataclasses

import pytest

from data_cache.samples import Benchmark
from model_runners.asking import Asking, user_text
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.prompt import render, template_fingerprint
from model_runners.prompt_templates import ANSWER_STYLES

FRAMED = "Look at the picture.\n{options}\n\nQuestion: {question}\nOne letter:"
WAYS = [
    *(Asking(answers=answers) for answers in ANSWER_STYLES),
    Asking(template=FRAMED),
    Asking(template="{options} {question}"),
]


@pytest.mark.parametrize("asking", WAYS, ids=lambda asking: f"{asking.answers}-{asking.name}")
@pytest.mark.parametrize("with_image", [True, False])
def test_the_maskable_span_is_exactly_what_the_user_says(
    oracle: LoadedModel, digits: Benchmark, with_image: bool, asking: Asking
) -> None:
    for sample in digits.samples[:8]:
        prompt = render(oracle.processor, sample, with_image=with_image, asking=asking)
        assert prompt.text[slice(*prompt.user)] == user_text(sample, asking)
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


def test_a_template_with_the_placeholder_of_images_is_refused(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    asking = Asking(template="<image>{question} {options}")
    with pytest.raises(UnsupportedModel, match="the prompt template contains '<image>'"):
        render(oracle.processor, digits.samples[0], asking=asking)


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

    ways = [*WAYS, Asking(answers="options", template=FRAMED), Asking(template=f"{FRAMED} ?")]
    prints = [template_fingerprint(oracle.processor, asking) for asking in ways]
    assert len({*prints, template_fingerprint(Other())}) == len(ways) + 1
