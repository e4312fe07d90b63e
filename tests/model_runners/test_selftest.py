"""The self-test passes where masking is clean and names the property where it is not."""

import dataclasses

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.errors import SelfTestFailed
from model_runners.loading import LoadedModel, load
from model_runners.selftest import self_test


def test_the_oracle_passes_every_check(oracle: LoadedModel, digits: Benchmark) -> None:
    report = self_test(oracle, digits.samples[:8])
    assert report.passed
    assert {check.name for check in report.checks} == {
        "replay", "image_masked", "text_masked", "image_matters", "text_matters", "lens",
        "padding", "spread", "image_mask_acts", "text_mask_acts", "batched", "placeholder",
    }  # fmt: skip
    assert report.to_dict()["passed"] is True


def test_the_pair_differs_in_length_so_that_padding_is_tested(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    """A model that lets padding in fails."""
    first = digits.samples[0]
    other = next(s for s in digits.samples if s.group_id != first.group_id)
    equal = dataclasses.replace(first, images=other.images)
    longer = dataclasses.replace(equal, question=f"Look. {first.question}")

    def sees_padding(_module: object, _arguments: object, output: torch.Tensor) -> torch.Tensor:
        return output + output.mean(1, keepdim=True)

    layer = oracle.stack.layers[0].register_forward_hook(sees_padding)
    try:
        with pytest.raises(SelfTestFailed, match="padding of a batch changes the output"):
            self_test(oracle, [first, equal, longer])
    finally:
        layer.remove()


def test_an_untrained_model_passes_too(untrained, digits: Benchmark) -> None:
    assert self_test(load(str(untrained), device="cpu"), digits.samples[:8]).passed


def test_a_family_with_a_grid_of_patches_passes_too(qwen: LoadedModel, digits: Benchmark) -> None:
    assert self_test(qwen, digits.samples[:8]).passed


def test_a_wrong_placeholder_is_seen_as_a_leak_of_the_image(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    wrong = dataclasses.replace(oracle, image_token_id=oracle.processor.tokenizer.pad_token_id)
    with pytest.raises(SelfTestFailed, match="image"):
        self_test(wrong, digits.samples[:8])


def test_pixels_that_bypass_the_embeddings_are_seen(oracle: LoadedModel, digits: Benchmark) -> None:
    """As Qwen3-VL's DeepStack would: image features added inside the stack, past the mask."""
    features: list[torch.Tensor] = []
    tower = oracle.model.model.multi_modal_projector.register_forward_hook(
        lambda _m, _a, output: features.append(output[0].mean(0))
    )

    def inject(_module, _args, output):
        return output + features[-1]

    layer = oracle.stack.layers[0].register_forward_hook(inject)
    try:
        with pytest.raises(SelfTestFailed, match="image leaks past the mask"):
            self_test(oracle, digits.samples[:8])
    finally:
        tower.remove()
        layer.remove()


def test_a_model_that_ignores_the_image_is_named(oracle: LoadedModel, digits: Benchmark) -> None:
    blind = oracle.model.model.multi_modal_projector.register_forward_hook(
        lambda _m, _a, output: output * 0
    )
    try:
        with pytest.raises(SelfTestFailed, match="image_matters"):
            self_test(oracle, digits.samples[:8])
    finally:
        blind.remove()


def test_a_first_sample_with_another_number_of_images_is_passed_over(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    first, *others = digits.samples[:8]
    several = dataclasses.replace(first, images=first.images + others[-1].images)
    assert self_test(oracle, [several, *others]).passed
    with pytest.raises(SelfTestFailed, match="two samples with different images"):
        self_test(oracle, [several, others[0]])


def test_samples_with_one_image_only_cannot_prove_anything(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    sample = digits.samples[0]
    same = [s for s in digits.samples if s.group_id == sample.group_id]
    with pytest.raises(SelfTestFailed, match="different images"):
        self_test(oracle, same)
