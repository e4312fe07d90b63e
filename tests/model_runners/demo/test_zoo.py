"""The zoo: twelve models that differ in architecture, size and line, and the lines in one thing."""

from dataclasses import replace

import pytest

from model_runners.candidates import Candidates
from model_runners.demo.lessons import Lessons
from model_runners.demo.zoo import ARCHITECTURES, LINES, SIZES, ZOO, Member, zoo_corpus
from model_runners.families import load_family
from model_runners.models import DEMO, DEMO_MODELS
from model_runners.prompt import render

FUSION = [member for member in ZOO.values() if member.line == "fusion"]


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    return zoo_corpus()


def test_what_ships_is_of_the_zoo_and_has_all_small_models() -> None:
    shipped = {name.removeprefix("demo/") for name in DEMO} & set(ZOO)
    assert {name for name in ZOO if name.endswith("-small")} <= shipped
    assert {name.replace("fusion-", "language-") for name in shipped} <= shipped
    assert all((DEMO_MODELS / name / "model.safetensors").is_file() for name in shipped)


def test_every_architecture_has_each_size_in_each_line() -> None:
    assert len(ZOO) == len(ARCHITECTURES) * len(SIZES) * len(LINES) == 12


@pytest.mark.parametrize("member", FUSION, ids=lambda member: member.start)
def test_each_is_of_the_family_and_size_that_the_table_says(
    member: Member, corpus: list[str]
) -> None:
    size = member.build()
    model = size.build_model(size.build_processor(corpus), seed=0)
    parameters = sum(p.numel() for p in model.parameters())
    assert parameters < 0.3e6
    if entry := DEMO.get(f"demo/{member.name}"):
        assert load_family(model.config.model_type).name == entry.family
        assert entry.layers == size.language_layers
        assert parameters == pytest.approx(entry.parameters, rel=0.02)


@pytest.mark.parametrize("member", FUSION, ids=lambda member: member.start)
def test_the_twin_of_a_model_differs_in_its_line_only(member: Member) -> None:
    twin = replace(member, line="language")
    assert twin.name in ZOO
    assert (twin.build(), twin.seed, twin.start) == (member.build(), member.seed, member.start)
    assert twin.longer == member.longer
    assert (member.shortcut, twin.shortcut > 0.9) == (0.0, True)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_phrase_is_one_token_and_so_is_an_answer(
    architecture: str, corpus: list[str], digits
) -> None:
    processor = ARCHITECTURES[architecture].build_processor(corpus)
    assert Candidates(processor).description == "letters"
    assert all(len(Candidates(processor).tokens(letter)) == 1 for letter in "ABCD")
    sample = next(sample for sample in digits.samples if sample.subset == "synergy")
    text = render(processor, sample, with_image=False).text
    tokens = processor.tokenizer.encode(text, add_special_tokens=False)
    assert len(tokens) < 40 < len(text) / 4
    assert processor.tokenizer.decode(tokens) == text


def test_a_described_image_is_its_digit_in_words_and_has_no_pixels(corpus: list[str]) -> None:
    processor = ARCHITECTURES["llava"].build_processor(corpus)
    lessons = Lessons(processor, image_token_id=processor.image_token_id, seed=0)
    lesson = lessons.draw(64, shares={"vision": 1.0}, dropout=True, conditions={"described": 1.0})
    assert lesson.pixels.shape == (0, 3, 32, 32)
    assert not lesson.all_vision.any()
    digits = {token: digit for digit, token in enumerate(lessons.named)}
    for row, target in zip(lesson.input_ids.tolist(), lesson.target.tolist(), strict=True):
        (said,) = {token for token in row if token in digits}
        assert lessons.letters[digits[said] // 2] == target
