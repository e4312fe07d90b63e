"""Lessons: fresh questions about train-split images, with the answers they have."""

import numpy as np
import pytest
import torch

from data_cache.benchmarks.digits_vqa import TASKS, digit_images, question_of
from model_runners.demo.lessons import CONDITION_SHARES, Lessons, augment
from model_runners.loading import LoadedModel

SHARES = dict.fromkeys(TASKS, 0.25)


@pytest.fixture(scope="module")
def lessons(oracle: LoadedModel) -> Lessons:
    return Lessons(oracle.processor, image_token_id=oracle.image_token_id, seed=0)


def test_only_images_of_the_train_split_are_taught(lessons: Lessons) -> None:
    assert len(lessons.pixels) == len(digit_images()["train"].digits) == 1056


def test_the_same_seed_gives_the_same_lessons(oracle: LoadedModel) -> None:
    one, two = (
        Lessons(oracle.processor, image_token_id=oracle.image_token_id, seed=3).draw(
            16, shares=SHARES, dropout=True
        )
        for _ in range(2)
    )
    assert torch.equal(one.input_ids, two.input_ids)
    assert torch.equal(one.pixels, two.pixels)
    assert torch.equal(one.target, two.target)


def test_targets_are_the_answers_of_text_and_image(oracle: LoadedModel, lessons: Lessons) -> None:
    """The oracle, which has learnt them, agrees with nearly all of them."""
    lesson = lessons.draw(256, shares=SHARES, dropout=False)
    with torch.no_grad():
        logits = oracle.model(
            input_ids=lesson.input_ids,
            attention_mask=lesson.attention_mask,
            pixel_values=lesson.pixels,
            logits_to_keep=1,
        ).logits[:, -1]
    assert (logits.argmax(-1) == lesson.target).float().mean() > 0.95


def test_without_dropout_nothing_is_hidden(lessons: Lessons) -> None:
    lesson = lessons.draw(64, shares=SHARES, dropout=False)
    assert not lesson.text.any()
    assert not lesson.vision.any()
    assert len(lesson.pixels) == 64


def test_with_dropout_each_condition_has_its_share(lessons: Lessons) -> None:
    lesson = lessons.draw(4000, shares=SHARES, dropout=True)
    hides_text, hides_image = lesson.text.any(1), lesson.vision.any(1)
    shown = lesson.all_vision.any(1)
    found = {
        "full": (~hides_text & ~hides_image & shown).float().mean(),
        "only_1": (hides_text & ~hides_image).float().mean(),
        "only_2": (~hides_text & hides_image).float().mean(),
        "neither": (hides_text & hides_image).float().mean(),
        "no_image": (~shown).float().mean(),
    }
    for condition, share in CONDITION_SHARES.items():
        assert float(found[condition]) == pytest.approx(share, abs=0.03), condition


def test_hints_are_asked_where_the_question_ends_and_never_where_it_is_hidden(
    oracle: LoadedModel, lessons: Lessons
) -> None:
    lesson = lessons.draw(64, shares=SHARES, dropout=True)
    ends = lesson.input_ids[torch.arange(64), lesson.hint_column]
    spelled = {oracle.processor.tokenizer.decode([token]) for token in ends.tolist()}
    assert all(text.endswith("?") for text in spelled)
    assert (lesson.hint_target[lesson.text.any(1)] == -100).all()
    assert (lesson.hint_target[~lesson.text.any(1)] >= 0).all()


def test_augmentation_changes_the_image_and_not_what_it_shows() -> None:
    pixels = (
        torch.as_tensor(digit_images()["train"].pixels[::132, None], dtype=torch.float32) / 8 - 1
    )
    moved = augment(pixels, np.random.default_rng(0))
    assert moved.shape == pixels.shape
    assert not torch.allclose(moved, pixels)
    distance = (moved[:, None] - pixels[None]).flatten(2).norm(dim=-1)
    assert (distance.diagonal() < distance.mean(1)).all()


@pytest.mark.parametrize(
    ("subset", "digit", "first", "second", "answer"),
    [
        ("synergy", 7, 3, 0, 2),
        ("vision", 5, 0, 0, 2),
        ("language", 0, 3, 2, 1),
        ("redundant", 1, 0, 0, 0),
    ],
)
def test_answers_by_hand(subset: str, digit: int, first: int, second: int, answer: int) -> None:
    assert question_of(subset, digit, first, second)[1] == answer


@pytest.mark.parametrize(("shortcut", "agrees"), [(0.0, 0.25), (0.9, 0.925)])
def test_a_shortcut_makes_the_number_in_the_text_the_answer(
    lessons: Lessons, shortcut: float, agrees: float
) -> None:
    lesson = lessons.draw(2000, shares={"synergy": 1.0}, dropout=False, shortcut=shortcut)
    named = {
        tuple(question.ids.tolist()): lessons.letters[question.first]
        for question in lessons.questions[True].values()
        if question.subset == "synergy"
    }
    told = torch.tensor([named[tuple(row.tolist())] for row in lesson.input_ids])
    assert float((told == lesson.target).float().mean()) == pytest.approx(agrees, abs=0.03)
