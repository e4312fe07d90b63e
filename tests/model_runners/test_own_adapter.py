"""Phi-4-multimodal, whose checkpoints keep the LoRA that images need in a folder of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.adapting import with_own_adapter, wrap
from model_runners.encoding import encode
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel, load
from model_runners.selftest import self_test
from model_runners.stack import replay
from model_runners.vision import merge


@pytest.fixture(scope="module")
def whole(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    import peft

    folder = tmp_path_factory.mktemp("phi") / "whole"
    shutil.copytree(built("phi4_multimodal"), folder)
    lora = peft.LoraConfig(r=4, target_modules=["qkv_proj"], init_lora_weights=False)
    adapted = wrap(load(str(folder), device="cpu").model, lora)
    adapted.save_pretrained(str(folder / "vision-lora"))
    return folder


def logits(loaded: LoadedModel, digits: Benchmark) -> torch.Tensor:
    samples = digits.samples[:2]
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples)
    with torch.no_grad():
        last = replay(loaded.stack, captured.embeddings, captured.arguments())
        return loaded.stack.logits(last.hidden)


def test_it_is_part_of_the_model_and_of_its_fingerprint(
    whole: Path, built: Callable[[str], Path], digits: Benchmark
) -> None:
    with_it, bare = (load(str(path), device="cpu") for path in (whole, built("phi4_multimodal")))
    assert with_it.weights != bare.weights
    assert (logits(with_it, digits) - logits(bare, digits)).abs().max() > 1e-2
    assert not [name for name, _ in with_it.model.named_parameters() if "lora" in name]
    assert self_test(with_it, digits.samples[:8]).passed


def test_a_checkpoint_of_the_hub_is_not_run_without_it(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="hf download"):
        with_own_adapter(None, tmp_path, "vision-lora", from_hub=True)
