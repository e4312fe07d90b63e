"""How often a demo model answers right on what it was trained on: fresh questions of the same kind.

Two models can be as good at this and have learnt different things: that is what the lines of the
zoo are for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model_runners.demo.build import AbstractTinyModel
from model_runners.demo.lessons import Lessons
from model_runners.demo.recipes import RECIPES
from model_runners.demo.zoo import SHARES, ZOO
from model_runners.errors import ModelNotFound
from pid_core.errors import did_you_mean

if TYPE_CHECKING:
    from model_runners.loading import LoadedModel

QUESTIONS = 2000
SEED = 9
"""None of the seeds of training."""
BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Taught:
    """What a demo model was trained on."""

    size: AbstractTinyModel
    shares: Mapping[str, float]
    shortcut: float


@dataclass(frozen=True, kw_only=True)
class TrainingAccuracy:
    """Shares of right answers, 0 to 1."""

    questions: int
    overall: float
    """Over the subsets as often as each is asked in training."""
    error: float
    """Standard error of that."""
    by_subset: Mapping[str, float]


def taught(name: str) -> Taught:
    """Return what a demo model was trained on.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    if name in ZOO:
        member = ZOO[name]
        return Taught(size=member.build(), shares=SHARES, shortcut=member.shortcut)
    if name in RECIPES:
        recipe = RECIPES[name]
        return Taught(size=recipe.size, shares=recipe.shares, shortcut=recipe.schedule.shortcut)
    raise ModelNotFound(f"there is no demo model {name!r}; {did_you_mean(name, [*RECIPES, *ZOO])}")


def training_accuracy(
    loaded: "LoadedModel", what: Taught, *, questions: int = QUESTIONS, seed: int = SEED
) -> TrainingAccuracy:
    """Ask fresh questions on moved train images, with the shortcut if the model was taught it.

    An answer is the most likely of the four letters.

    Parameters
    ----------
    loaded
        The model.
    what
        What it was trained on.
    questions
        How many, 4 or more.
    seed
        Of the questions.
    """
    import torch

    lessons = Lessons(loaded.processor, image_token_id=loaded.image_token_id, seed=seed)
    letters = torch.tensor(lessons.letters)
    right: dict[str, float] = {}
    variance = 0.0
    for subset, share in what.shares.items():
        wanted, hits, asked = max(1, round(questions * share)), 0, 0
        while asked < wanted:
            lesson = lessons.draw(
                min(BATCH, wanted - asked),
                shares={subset: 1.0},
                dropout=False,
                shortcut=what.shortcut,
            )
            with torch.no_grad():
                logits = loaded.model(
                    input_ids=lesson.input_ids,
                    attention_mask=lesson.attention_mask,
                    logits_to_keep=1,
                    **what.size.token_inputs(lesson.all_vision),
                    **what.size.tower_inputs(lesson.pixels),
                ).logits[:, -1]
            answers = letters[logits[:, letters].argmax(-1)]
            hits += int((answers == lesson.target).sum())
            asked += len(answers)
        right[subset] = hits / asked
        variance += share**2 * right[subset] * (1 - right[subset]) / asked
    return TrainingAccuracy(
        questions=questions,
        overall=sum(what.shares[subset] * right[subset] for subset in right),
        error=variance**0.5,
        by_subset=right,
    )
