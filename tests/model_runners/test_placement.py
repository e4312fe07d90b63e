"""A model spread over devices, or over memory and disk, gives the scores of one on a device."""

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import dispatch_model

from data_cache.samples import Benchmark
from model_runners.candidates import Candidates
from model_runners.errors import BadOption, UnsupportedModel
from model_runners.finetuning.lora import attach
from model_runners.inference import BatchResult, BatchRunner
from model_runners.loading import LoadedModel, find_stack, load
from model_runners.masking import Masker
from model_runners.placement import check_device_map, input_device, placed
from model_runners.profile import ProfileOptions, profile
from model_runners.requests import options_of, request_of
from model_runners.selftest import self_test
from model_runners.statistics import observe
from model_runners.tuned_lens import TunedLens
from model_runners.vision import VisionCache
from tests.model_runners.two_devices import FIRST, SECOND, with_two_devices
from tests.model_runners.zoo import build

FAMILIES = (
    "llava",
    pytest.param("qwen3_vl", marks=pytest.mark.slow),
    pytest.param("mllama", marks=pytest.mark.slow),
)
"""An ordinary one; one with side channels at positions; one with cross-attention."""


def spread(loaded: LoadedModel, places: dict[str, str], **how: object) -> LoadedModel:
    """Return a copy of a model with its parts where they are told to be."""
    model = copy.deepcopy(loaded.model)
    main = next(iter(places.values()))
    model = dispatch_model(model, places, main_device=main, **how)  # pyright: ignore
    stack = find_stack(model, loaded.family)
    return dataclasses.replace(loaded, model=model, stack=stack, device=input_device(model))


def halves(loaded: LoadedModel, first: str, second: str) -> dict[str, str]:
    """Put vision, embeddings and the first layer on one device, the rest on another."""
    places: dict[str, str] = {}
    stack = loaded.family.stack

    def put(module: torch.nn.Module, path: str) -> None:
        for name, child in module.named_children():
            own = f"{path}.{name}".lstrip(".")
            if stack.startswith(f"{own}.") or own in (stack, f"{stack}.layers"):
                put(child, own)
            elif own.startswith(stack):
                early = own.endswith(("embed_tokens", ".layers.0", "rotary_emb"))
                places[own] = first if early else second
            else:
                places[own] = second if child is loaded.stack.head else first

    put(loaded.model, "")
    return places


def predicted(loaded: LoadedModel, digits: Benchmark, *, layers: bool = True) -> BatchResult:
    samples = digits.samples[:3]
    images = VisionCache()
    statistics = observe(loaded, samples, scope="all", images=images, batch_size=3)
    runner = BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=0),
        candidates=Candidates.of_model(loaded),
        images=images,
        draws=1,
        with_layers=layers,
        with_layer_features=layers,
        rows_per_pass=7,
    )
    return runner.run(samples)


def agree(one: BatchResult, other: BatchResult) -> None:
    assert len(one.rows) == len(other.rows) >= 60
    for a, b in zip(one.rows, other.rows, strict=True):
        assert (a.sample.id, a.condition, a.draw, a.layer) == (
            b.sample.id, b.condition, b.draw, b.layer,
        )  # fmt: skip
        assert np.allclose(a.scores, b.scores, atol=1e-5)
        assert (a.strict_choice, a.top_token) == (b.strict_choice, b.top_token)
    for sample_id, features in one.features.items():
        assert np.allclose(features.vision, other.features[sample_id].vision, atol=1e-6)
        states = other.layer_features[sample_id]
        assert np.allclose(one.layer_features[sample_id].text, states.text, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_two_devices_give_the_scores_of_one(family: str, digits: Benchmark, tmp_path: Path) -> None:
    one = load(str(build(family, tmp_path / family)), device="cpu")
    expected = predicted(one, digits)

    def check() -> None:
        two = spread(one, halves(one, FIRST, SECOND))
        assert str(two.device) == FIRST
        assert {str(weight.device) for weight in two.model.parameters()} == {FIRST, SECOND}
        assert self_test(two, digits.samples[:8]).passed
        agree(expected, predicted(two, digits))

    with_two_devices(check)


def test_tensors_of_two_devices_do_not_mix() -> None:
    """The devices of these tests complain as real ones do; else they would prove nothing."""

    def check() -> None:
        here, there = torch.ones(3).to(FIRST), torch.ones(3).to(SECOND)
        with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
            here + there
        assert (here + there.to(FIRST)).cpu().tolist() == [2.0, 2.0, 2.0]

    with_two_devices(check)
    assert torch.accelerator.current_accelerator() is None, "and nobody else sees them"


@pytest.mark.slow
def test_a_tuned_lens_reads_a_spread_model(digits: Benchmark, oracle: LoadedModel) -> None:
    layers, width = len(oracle.stack.layers), oracle.stack.head.in_features  # pyright: ignore
    generator = torch.Generator().manual_seed(0)
    lens = TunedLens(
        matrices=torch.randn(layers - 1, width, width, generator=generator) / width,
        biases=torch.zeros(layers - 1, width),
    )

    def through(loaded: LoadedModel) -> LoadedModel:
        return dataclasses.replace(loaded, stack=dataclasses.replace(loaded.stack, lens=lens))

    expected = predicted(through(oracle), digits)
    with_two_devices(
        lambda: agree(
            expected, predicted(through(spread(oracle, halves(oracle, FIRST, SECOND))), digits)
        )
    )


@pytest.mark.slow
def test_weights_may_wait_on_the_disk(
    digits: Benchmark, oracle: LoadedModel, tmp_path: Path
) -> None:
    expected = predicted(oracle, digits)
    two = spread(oracle, halves(oracle, "cpu", "disk"), offload_dir=str(tmp_path))
    assert {weight.device.type for weight in two.model.parameters()} == {"cpu", "meta"}
    assert self_test(two, digits.samples[:8]).passed
    agree(expected, predicted(two, digits))
    assert placed(two.model).keys() == {"cpu", "disk"}


def test_a_device_map_changes_no_run(untrained: Path, tmp_path: Path) -> None:
    asked = ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=8, draws=1, device_map="auto"
    )
    spread_run = profile(asked, tmp_path)
    usual = profile(dataclasses.replace(asked, device_map=None), tmp_path)
    assert (usual.run_key, usual.computed) == (spread_run.run_key, 0)
    assert options_of(request_of(asked)) == asked
    assert placed(load(str(untrained), device_map="auto").model) == {}, "here is one device"


@pytest.mark.parametrize(
    ("device_map", "device", "says"),
    [
        ("everywhere", "auto", "device map must be one of auto, balanced"),
        ("auto", "cuda:1", "leave one of the two out"),
    ],
)
def test_what_cannot_be_spread_is_refused(device_map: str, device: str, says: str) -> None:
    with pytest.raises(BadOption, match=says):
        check_device_map(device_map, device=device)


def test_lora_is_not_put_onto_weights_that_wait(untrained: Path, tmp_path: Path) -> None:
    one = load(str(untrained), device="cpu")
    two = spread(one, halves(one, "cpu", "disk"), offload_dir=str(tmp_path))
    with pytest.raises(UnsupportedModel, match="wait in main memory or on the disk, where LoRA"):
        attach(two, rank=2, seed=0, base="b")
