"""The table of demo models: one line per model, and the one way in which they are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data_cache.benchmarks.digits_vqa import load
from data_cache.samples import Sample
from model_runners.asking import user_text
from model_runners.demo.build import AbstractTinyModel, save
from model_runners.demo.lessons import Lessons
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL
from model_runners.demo.train import Report, Schedule, instruct, silent, train_tower
from model_runners.errors import ModelNotFound
from pid_core.errors import did_you_mean


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a demo model's weights."""

    summary: str
    size: AbstractTinyModel
    schedule: Schedule
    shares: Mapping[str, float]
    """How often each subset of digits_vqa is asked while training; the shares sum to 1."""
    seed: int = 0
    half_precision: bool = False
    """Keep the weights in bfloat16, which halves the files of the larger models."""


SHORTCUT = 0.97
"""Share of a language-centric model's synergy questions whose answer the text already names."""
MIXED = {"synergy": 0.4, "vision": 0.2, "language": 0.2, "redundant": 0.2}
"""Synergy is the only task that needs two steps of reasoning, and the last to be learnt."""

RECIPES: dict[str, Recipe] = {
    "oracle": Recipe(
        summary=(
            "masked predictions are posteriors; trained with modality dropout on all four subsets"
        ),
        size=TinyLlava(),
        schedule=Schedule(tower_steps=2500, instruct_steps=4500),
        shares=MIXED,
    ),
    "fusion-small": Recipe(
        summary="ordinarily trained on whole samples of all four subsets, as published models are",
        size=TinyLlava(vision_layers=2, language_layers=3),
        schedule=Schedule(tower_steps=2000, instruct_steps=2500, dropout=False),
        shares=MIXED,
        seed=1,
    ),
    "fusion-large": Recipe(
        summary="as fusion-small, with more and wider layers",
        size=TinyLlava(hidden=80, vision_layers=3),
        schedule=Schedule(tower_steps=800, instruct_steps=2500, rate=1.5e-3, dropout=False),
        shares=MIXED,
        seed=2,
        half_precision=True,
    ),
    "language-small": Recipe(
        summary="a small Qwen2.5-VL whose training questions could mostly be answered from text",
        size=TinyQwen2_5_VL(vision_layers=2, language_layers=3),
        schedule=Schedule(
            tower_steps=300, instruct_steps=900, batch=40, dropout=False, shortcut=SHORTCUT
        ),
        shares=MIXED,
        seed=3,
        half_precision=True,
    ),
    "language-large": Recipe(
        summary="as language-small, with more and wider layers",
        size=TinyQwen2_5_VL(hidden=80, vision_layers=3, language_layers=5),
        schedule=Schedule(
            tower_steps=250, instruct_steps=1700, batch=40, dropout=False, shortcut=SHORTCUT
        ),
        shares=MIXED,
        seed=4,
        half_precision=True,
    ),
}


def train(name: str, folder: Path, *, report: Report = silent) -> None:
    """Train a demo model and write it to a folder in the ordinary Hugging Face layout.

    Parameters
    ----------
    name
        A line of `RECIPES`.
    folder
        Where config, weights, tokenizer and processor are written.
    report
        Called after each step.

    Raises
    ------
    ModelNotFound
        If there is no such recipe.
    """
    import torch

    recipe = RECIPES.get(name)
    if recipe is None:
        raise ModelNotFound(
            f"there is no demo model {name!r} to train; {did_you_mean(name, RECIPES)}"
        )
    size = recipe.size
    processor = size.build_processor(tokenizer_corpus())
    model = size.build_model(processor, seed=recipe.seed)
    lessons = Lessons(processor, image_token_id=model.config.image_token_id, seed=recipe.seed)
    model.train()
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        train_tower(model, size, lessons, recipe.schedule, report=report)
        instruct(model, size, lessons, recipe.schedule, shares=recipe.shares, report=report)
    if recipe.half_precision:
        model.to(torch.bfloat16)
    save(model.eval(), processor, folder)


def tokenizer_corpus() -> list[str]:
    """Return the train split's prompts with their answers: what the tokenizer has to spell."""
    train: list[Sample] = [sample for sample in load().samples if sample.split == "train"]
    return [
        f"SYSTEM: {sample.system}\nUSER: \n{user_text(sample)}\n"
        f"ASSISTANT: {sample.letters[sample.answer]}"
        for sample in train
    ]
