"""LoRA: only the last fifth of the language layers is trained, by name and by hash."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from data_cache.benchmarks import load_benchmark
from data_cache.samples import Benchmark
from model_runners.candidates import Candidates
from model_runners.errors import UnsupportedModel
from model_runners.finetuning.lora import attach, target_names
from model_runners.finetuning.objective import answer_losses
from model_runners.finetuning.plan import TrainingPlan
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


@pytest.mark.parametrize(
    ("architecture", "layers"),
    [
        ("llava", "model.language_model.layers."),
        ("qwen2_5_vl", "model.language_model.layers."),
        ("instructblip_t5", "language_model.decoder.block."),
    ],
)
def test_training_changes_lora_in_the_last_fifth_of_the_language_layers_and_nothing_else(
    architecture: str,
    layers: str,
    trainer: Callable[..., Lesson],
    qwen: LoadedModel,
    tmp_path: Path,
) -> None:
    model = {"llava": "demo/oracle", "qwen2_5_vl": qwen.source.location}.get(architecture) or str(
        build(architecture, tmp_path / "tiny")
    )
    before = hashes(load(model, device="cpu").model)
    made = trainer(model=model, n=8, epochs=1, rank=2, dropout=0.1)
    fresh = hashes(made.loaded.model)
    (point,) = train(made, tmp_path, "ab").points
    assert point.loss > 0
    after = hashes(made.loaded.model)
    changed = {name for name in after if after[name] != fresh[name]}
    count = len(made.loaded.stack.layers)
    last = tuple(f"{layers}{i}." for i in range(count - math.ceil(0.2 * count), count))
    assert changed
    assert all(".lora_B." in name and name.startswith(last) for name in changed)
    trained = {name for name, p in made.loaded.model.named_parameters() if p.requires_grad}
    # In the first step A has no gradient, because B is 0; everything else is frozen.
    assert changed == {name for name in trained if ".lora_B." in name}
    assert all(".lora_" in name and name.startswith(last) for name in trained)
    assert {name: after[name] for name in before} == before
    assert {name for name in after if ".lora_" not in name} == set(before)


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


def test_a_base_whose_quantisation_has_no_gradients_is_refused(untrained: Path) -> None:
    from transformers import FbgemmFp8Config
    from transformers.quantizers.quantizer_fbgemm_fp8 import FbgemmFp8HfQuantizer

    loaded = load(str(untrained), device="cpu")
    loaded.model.hf_quantizer = FbgemmFp8HfQuantizer(FbgemmFp8Config())
    loaded.model.quantization_method = loaded.model.hf_quantizer.quantization_config.quant_method
    with pytest.raises(
        UnsupportedModel, match="is quantised by fbgemm_fp8, which LoRA cannot be trained"
    ):
        attach(loaded, rank=2, seed=0, base="b")


def test_a_base_in_half_precision_is_trained_with_matrices_in_full(
    untrained: Path, digits: Benchmark, tmp_path: Path
) -> None:
    loaded = load(str(untrained), device="cpu", dtype="bfloat16")
    lora = attach(loaded, rank=2, seed=0, base="b", dropout=0.1)
    plan = TrainingPlan(
        samples=digits.select(split="train", limit=4), weights=np.ones(4), epochs=1, batch_size=4,
        micro_batch=4, rate=1e-3, seed=0,
    )  # fmt: skip
    lesson = Lesson(
        loaded=loaded,
        lora=lora,
        plan=plan,
        images=VisionCache(),
        candidates=Candidates.of_model(loaded),
    )
    (point,) = train(lesson, tmp_path, "ab").points
    assert math.isfinite(point.loss)
    assert {p.dtype for p in lora.parameters.values()} == {torch.float32}
    assert loaded.model.get_input_embeddings().weight.dtype == torch.bfloat16


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
