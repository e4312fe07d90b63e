"""Models that think before they answer are asked for the answer alone."""

import copy

import pytest

from data_cache.samples import Benchmark
from model_runners.loading import LoadedModel
from model_runners.prompt import render, template_fingerprint

SWITCHED = (
    "{{- '<think>\\n\\n</think>\\n\\n' if enable_thinking is defined and enable_thinking is false "
    "else '<think>\\n' }}"
)
ALWAYS = "{{- '<think>\\n' }}"


def thinking(model: LoadedModel, ending: str) -> object:
    """The model's own processor, whose template begins each answer as a thinking model's does."""
    processor = copy.deepcopy(model.processor)
    processor.chat_template = model.processor.chat_template + (
        "{% if add_generation_prompt %}" + ending + "{% endif %}"
    )
    return processor


@pytest.mark.parametrize("ending", [SWITCHED, ALWAYS], ids=["with a switch", "without one"])
def test_the_prompt_ends_where_the_answer_begins(
    oracle: LoadedModel, digits: Benchmark, ending: str
) -> None:
    sample = digits.samples[0]
    plain, prompt = (
        render(processor, sample) for processor in (oracle.processor, thinking(oracle, ending))
    )
    assert prompt.text == f"{plain.text.rstrip()}{prompt.text[len(plain.text.rstrip()) :]}"
    assert prompt.text.endswith("<think>\n\n</think>\n\n")
    assert (prompt.user, prompt.question) == (plain.user, plain.question)


def test_the_run_is_another_where_thoughts_are_left_out_and_the_same_elsewhere(
    oracle: LoadedModel,
) -> None:
    plain = template_fingerprint(oracle.processor)
    said = template_fingerprint(thinking(oracle, "{{- 'Let me see. ' }}"))
    assert len({plain, said, template_fingerprint(thinking(oracle, ALWAYS))}) == 3
