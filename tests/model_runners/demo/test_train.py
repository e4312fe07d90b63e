"""Training: a recipe gives the same weights twice, dropped rows are noise, weights can be run."""

from pathlib import Path

import pytest
import torch

from model_runners.demo import recipes
from model_runners.demo.recipes import Recipe, train
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.train import Average, Schedule, gaussian_rows, loss_of
from model_runners.errors import ModelNotFound
from model_runners.loading import load, weights_fingerprint


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(
        summary="a few steps",
        size=TinyLlava(hidden=16, vision_layers=1, language_layers=1, heads=2),
        schedule=Schedule(tower_steps=3, instruct_steps=3, batch=8),
        shares={"vision": 0.5, "language": 0.5},
    )
    monkeypatch.setitem(recipes.RECIPES, "short", recipe)


def test_a_recipe_gives_the_same_weights_twice_and_a_model_that_loads(
    short: None, tmp_path: Path
) -> None:
    seen: list[tuple[str, int, int]] = []
    train(
        "short",
        tmp_path / "one",
        report=lambda stage, step, steps, _loss: seen.append((stage, step, steps)),
    )
    train("short", tmp_path / "two")
    assert weights_fingerprint(tmp_path / "one") == weights_fingerprint(tmp_path / "two")
    assert seen == [(stage, step, 3) for stage in ("tower", "instruct") for step in (1, 2, 3)]
    assert load(str(tmp_path / "one"), device="cpu").family.name == "LLaVA-1.5"
    assert {path.suffix for path in (tmp_path / "one").iterdir()} <= {
        ".json",
        ".jinja",
        ".safetensors",
    }


def test_training_leaves_the_global_generator_alone(short: None, tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    train("short", tmp_path / "one")
    assert torch.equal(before, torch.get_rng_state())


def test_an_unknown_recipe_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="did you mean 'oracle'"):
        train("orcale", tmp_path)


def test_dropped_rows_have_the_moments_of_their_modality() -> None:
    torch.manual_seed(0)
    embeddings = torch.randn(64, 50, 4) * torch.tensor([1.0, 2.0, 0.5, 3.0]) + 5
    seen = torch.zeros(64, 50, dtype=torch.bool)
    seen[:, :40] = True
    noise = gaussian_rows(embeddings, seen, seen)
    assert noise.shape == (64 * 40, 4)
    assert torch.allclose(noise.mean(0), embeddings[seen].mean(0), atol=0.25)
    assert torch.allclose(noise.std(0), embeddings[seen].std(0), rtol=0.1)


def test_the_letter_loss_of_the_oracle_is_what_its_accuracy_promises(oracle) -> None:
    from model_runners.demo.lessons import Lessons

    lessons = Lessons(oracle.processor, image_token_id=oracle.image_token_id, seed=5)
    lesson = lessons.draw(128, shares={"vision": 1.0}, dropout=False)
    with torch.no_grad():
        assert float(loss_of(oracle.model, TinyLlava(), lesson, hint=0.0)) < 0.15


def test_the_average_moves_towards_the_weights_and_can_be_applied() -> None:
    model = torch.nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    average = Average(model, 0.5)
    with torch.no_grad():
        model.weight.fill_(1.0)
    for _ in range(200):
        average.update()
    average.apply()
    assert torch.allclose(model.weight, torch.ones(2, 2), atol=1e-4)
