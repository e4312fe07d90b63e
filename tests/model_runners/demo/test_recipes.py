"""The zoo: every recipe builds a model of its family, small and of the size that it claims."""

import pytest

from model_runners.demo.recipes import RECIPES, tokenizer_corpus
from model_runners.families import load_family
from model_runners.models import MODELS


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    return tokenizer_corpus()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_a_model_of_its_family_and_size(name: str, corpus: list[str]) -> None:
    size = RECIPES[name].size
    model = size.build_model(size.build_processor(corpus), seed=0)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    entry = MODELS[f"demo/{name}"]
    assert load_family(model.config.model_type).name == entry.family
    assert 0.3e6 <= parameters <= 3e6
    assert parameters == pytest.approx(entry.parameters, rel=0.02)


def test_the_zoo_has_two_families_of_two_sizes_each() -> None:
    sizes: dict[str, set[int]] = {}
    for name in ("fusion-small", "fusion-large", "language-small", "language-large"):
        recipe = RECIPES[name]
        sizes.setdefault(type(recipe.size).__name__, set()).add(recipe.size.hidden)
    assert {len(found) for found in sizes.values()} == {2}
    assert len(sizes) == 2


def test_only_the_language_centric_line_is_taught_the_shortcut() -> None:
    taught = {name for name, recipe in RECIPES.items() if recipe.schedule.shortcut}
    assert taught == {"language-small", "language-large"}
