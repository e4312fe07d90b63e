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
from data_cache.location import adapter_directory
from data_cache.samples import Benchmark
from model_runners.candidates import Candidates
from model_runners.errors import UnsupportedModel
from model_runners.finetuning.lora import attach, target_names
from model_runners.finetuning.objective import answer_losses
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.training import Lesson, train
from model_runners.loading import LoadedModel, load
from model_runners.quantisation import QUANTISATIONS
from model_runners.vision import VisionCache
from tests.model_runners.test_placement import halves, spread
from tests.model_runners.two_devices import FIRST, SECOND, with_two_devices
from tests.model_runners.zoo import build


def hashes(model: nn.Module) -> dict[str, str]:
    """Of every parameter and buffer, under the name it has in the base."""
    return {
        name.replace(".base_layer", ""): hashlib.sha256(
            value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
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


@pytest.mark.slow
@pytest.mark.parametrize("quantise", QUANTISATIONS)
@pytest.mark.filterwarnings("ignore:MatMul8bitLt:UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_base_in_fewer_bits_is_learnt_on_and_stays_what_it_is(
    quantise: str, digits: Benchmark, tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes")
    loaded = load("demo/language-small", device="cpu", quantise=quantise)
    before = hashes(loaded.model)
    chosen = tuple(s for s in digits.select(split="train") if s.subset == "synergy")[:16]
    lesson = Lesson(
        loaded=loaded,
        lora=attach(loaded, rank=4, seed=0, base="demo/language-small"),
        plan=TrainingPlan(
            samples=chosen, weights=np.ones(16), epochs=6, batch_size=16, micro_batch=8, rate=1e-2,
            seed=0,
        ),
        images=VisionCache(),
        candidates=Candidates.of_model(loaded),
    )  # fmt: skip
    points = train(lesson, tmp_path, "ab").points
    assert points[-1].loss < 0.8 * points[0].loss
    after = hashes(loaded.model)
    # On a CPU bitsandbytes lays the scales out anew when they are used first.
    held = {name: value for name, value in before.items() if not name.endswith(".absmax")}
    assert {name: after[name] for name in held} == held, "no packed weight has moved"
    assert all(p.dtype == torch.float32 for p in lesson.lora.parameters.values())
    again = load(str(adapter_directory(tmp_path, "ab")), device="cpu", quantise=quantise)
    assert again.quantisation == quantise
    stored = {name: value for name, value in again.model.state_dict().items() if ".lora_" in name}
    trained = {name: value for name, value in loaded.model.state_dict().items() if ".lora_" in name}
    assert stored.keys() == trained.keys()
    assert all(torch.equal(stored[name], trained[name]) for name in trained)


def test_lora_on_a_spread_base_gives_the_losses_and_gradients_of_one_device(
    digits: Benchmark, untrained: Path
) -> None:
    """torch's backward pass has no thread for devices that are made up: it runs under the hooks."""
    chosen = digits.select(split="train", limit=4)

    def losses(loaded: LoadedModel) -> tuple[torch.Tensor, dict[str, torch.nn.Parameter]]:
        lora = attach(loaded, rank=2, seed=0, base="b")
        with torch.no_grad():
            for name, parameter in lora.parameters.items():
                if ".lora_B." in name:
                    parameter.fill_(0.01)
        candidates = Candidates.of_model(loaded)
        found = answer_losses(loaded, chosen, candidates=candidates, images=VisionCache())
        return found, lora.parameters

    def gradients(loaded: LoadedModel) -> list[torch.Tensor]:
        found, parameters = losses(loaded)
        return list(torch.autograd.grad(found.sum(), list(parameters.values())))

    one = load(str(untrained), device="cpu")
    hooked = spread(one, halves(one, "cpu", "cpu"), force_hooks=True)
    assert any(hasattr(module, "_hf_hook") for module in hooked.model.modules())
    expected = losses(load(str(untrained), device="cpu"))[0].detach()

    def check() -> None:
        two = spread(one, halves(one, FIRST, SECOND))
        found, parameters = losses(two)
        assert {str(weight.device) for weight in parameters.values()} == {SECOND}
        assert torch.allclose(found.cpu(), expected, atol=1e-5)

    with_two_devices(check)
    for found, known in zip(
        gradients(hooked), gradients(load(str(untrained), device="cpu")), strict=True
    ):
        assert torch.allclose(found, known, atol=1e-6)
