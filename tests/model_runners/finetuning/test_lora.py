"""LoRA: only the last fifth of the language layers is trained, by name and by hash."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from data_cache.benchmarks import load_benchmark
from model_runners.candidates import Candidates
from model_runners.finetuning.lora import attach, target_names
from model_runners.finetuning.objective import answer_losses
from model_runners.finetuning.training import Lesson, train
from model_runners.loading import LoadedModel, load
from model_runners.vision import VisionCache
from tests.model_runners.zoo import build


def hashes(model: nn.Module) -> dict[str, str]:
    """Of every parameter and buffer, under the name it has in the base."""
    return {
        name.replace(".base_layer", ""): hashlib.sha256(
            value.detach().cpu().contiguous().numpy().tobytes()
        ).hexdigest()
        for name, value in model.state_dict().items()
    }


def test_training_changes_lora_in_the_last_fifth_of_the_language_layers_and_nothing_else(
    trainer: Callable[..., Lesson], tmp_path: Path
) -> None:
    before = hashes(load("demo/oracle", device="cpu").model)
    made = trainer(model="demo/oracle", epochs=1, rank=2)
    fresh = hashes(made.loaded.model)
    train(made, tmp_path, "ab")
    after = hashes(made.loaded.model)
    changed = {name for name in after if after[name] != fresh[name]}
    layers = len(made.loaded.stack.layers)
    last = range(layers - math.ceil(0.2 * layers), layers)
    assert changed
    for name in changed:
        assert ".lora_" in name
        assert any(name.startswith(f"model.language_model.layers.{i}.") for i in last)
    assert {name: after[name] for name in before} == before
    assert {name for name in after if ".lora_" not in name} == set(before)
    trained = {name for name, p in made.loaded.model.named_parameters() if p.requires_grad}
    assert trained == changed


def test_every_linear_map_of_the_last_layer_is_a_target_and_none_of_the_tower() -> None:
    loaded = load("demo/oracle", device="cpu")
    names = target_names(loaded)
    kinds = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    assert sorted(name.rpartition(".")[2] for name in names) == sorted(kinds)
    tower = [n for n, _ in loaded.model.named_modules() if "vision_tower" in n and "q_proj" in n]
    assert tower, "the tower has maps of the same short name, which is the trap"


@pytest.mark.parametrize(("layers", "kept"), [(3, 1), (4, 1), (6, 2), (11, 3)])
def test_a_fifth_is_rounded_up(layers: int, kept: int) -> None:
    import dataclasses

    from model_runners.finetuning.lora import last_layers

    loaded = load("demo/fusion-small", device="cpu")
    stack = dataclasses.replace(
        loaded.stack, layers=nn.ModuleList(nn.Linear(2, 2) for _ in range(layers))
    )
    assert len(last_layers(dataclasses.replace(loaded, stack=stack))) == kept


def test_fresh_lora_is_seeded_changes_nothing_and_leaves_the_global_generator_alone(
    trainer: Callable[..., Lesson],
) -> None:
    torch.manual_seed(11)
    state = torch.get_rng_state()
    one, two = trainer().lora, trainer().lora
    assert torch.equal(torch.get_rng_state(), state)
    assert list(one.parameters) == list(two.parameters)
    for name in one.parameters:
        assert torch.equal(one.parameters[name], two.parameters[name])
        assert bool(one.parameters[name].any()) == (".lora_A." in name)


def test_another_seed_is_another_start(untrained: Path) -> None:
    first, second = (
        attach(load(str(untrained), device="cpu"), rank=2, seed=seed, base="b").weights()
        for seed in (0, 1)
    )
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_another_family_is_trained_in_the_same_way(
    qwen: LoadedModel, trainer: Callable[..., Lesson], tmp_path: Path
) -> None:
    made = trainer(model=qwen.source.location, n=8, epochs=1)
    fresh = hashes(made.loaded.model)
    (point,) = train(made, tmp_path, "ab").points
    assert point.loss > 0
    after = hashes(made.loaded.model)
    changed = {name for name in after if after[name] != fresh[name]}
    assert changed
    assert all(".lora_" in name and ".language_model.layers.1." in name for name in changed)


def test_an_encoder_decoder_is_adapted_in_the_last_layers_of_its_decoder(tmp_path: Path) -> None:
    loaded = load(str(build("instructblip_t5", tmp_path / "t5")), device="cpu")
    names = target_names(loaded)
    last = "language_model.decoder.block.2."
    assert names == [n for n, m in loaded.model.named_modules() if n in names and last in n]
    kinds = {name.removeprefix(last).split(".")[2] for name in names}
    assert {"SelfAttention", "EncDecAttention", "DenseReluDense"} <= kinds
    lora = attach(loaded, rank=2, seed=0, base="t5")
    assert set(lora.targets) == set(names)
    losses = answer_losses(
        loaded,
        load_benchmark("digits_vqa").select(split="train", limit=2),
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
    )
    losses.sum().backward()
    grown = [name for name, p in lora.parameters.items() if p.grad is not None and p.grad.any()]
    assert len(grown) == len(names)  # every B; A has no gradient while B is 0
