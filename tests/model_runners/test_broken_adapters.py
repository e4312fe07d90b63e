"""Adapters that forget one thing, as a new family's first draft would: the self-test names it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.channels import CHANNELS, Channel, SideStream
from model_runners.errors import SelfTestFailed, UnsupportedModel
from model_runners.loading import DType, LoadedModel, load
from model_runners.masking import MaskedRow, Masker
from model_runners.selftest import self_test
from model_runners.stack import Captured, take
from tests.model_runners.zoo import loaded_once

Tiny = Callable[[str], LoadedModel]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return loaded_once(tmp_path_factory.mktemp("zoo"))


@pytest.mark.parametrize(
    ("model_type", "keyword", "leak"),
    [
        ("qwen3_vl", "deepstack_visual_embeds", "image"),
        ("mllama", "cross_attention_states", "image"),
        ("gemma4", "per_layer_inputs", "text"),
    ],
)
def test_a_side_channel_that_is_not_masked_is_a_leak(
    model_type: str,
    keyword: str,
    leak: str,
    tiny: Tiny,
    digits: Benchmark,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mask = Masker._masked_vectors

    def forget(self: Masker, name: str, stream: SideStream, place: int, *others: Any):
        if stream.keyword == keyword:
            return stream.vectors[place]
        return mask(self, name, stream, place, *others)

    monkeypatch.setattr(Masker, "_masked_vectors", forget)
    with pytest.raises(SelfTestFailed, match=f"the {leak} leaks past the mask") as caught:
        self_test(tiny(model_type), digits.samples[:8])
    assert f"{leak}_masked" in str(caught.value)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_hides_no_leak(
    dtype: DType, tiny: Tiny, digits: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean mask gives the same bits there, and what DeepStack adds is far over the limit."""
    loaded = load(tiny("qwen3_vl").source.location, device="cpu", dtype=dtype)
    values = {check.name: check.value for check in self_test(loaded, digits.samples[:8]).checks}
    assert values["image_masked"] == values["text_masked"] == 0
    monkeypatch.setattr(
        Masker, "_masked_vectors", lambda _, _n, stream, at, *_o: stream.vectors[at]
    )
    with pytest.raises(SelfTestFailed, match="the image leaks past the mask"):
        self_test(loaded, digits.samples[:8])


@pytest.mark.parametrize("keyword", sorted(CHANNELS))
def test_a_side_channel_that_nobody_knows_is_refused_by_its_name(
    keyword: str,
    tiny: Tiny,
    digits: Benchmark,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    families = {
        "cross_attention_states": "mllama",
        "deepstack_visual_embeds": "qwen3_vl",
        "per_layer_inputs": "gemma4",
    }
    loaded = tiny(families[keyword])
    monkeypatch.delitem(CHANNELS, keyword)
    with pytest.raises(UnsupportedModel, match=keyword):
        self_test(loaded, digits.samples[:8])


def test_a_side_channel_put_together_in_another_order_is_no_plain_forward_pass(
    tiny: Tiny, digits: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = CHANNELS["deepstack_visual_embeds"].split

    def reversed_layers(*arguments: Any) -> list[SideStream]:
        return split(*arguments)[::-1]

    monkeypatch.setitem(CHANNELS, "deepstack_visual_embeds", Channel(split=reversed_layers))
    with pytest.raises(SelfTestFailed, match="replay differs from the plain forward pass"):
        self_test(tiny("qwen3_vl"), digits.samples[:8])


@pytest.mark.parametrize("model_type", ["instructblip", "instructblip_t5"])
def test_a_q_former_that_reads_the_masked_question_is_a_leak(
    model_type: str, tiny: Tiny, digits: Benchmark
) -> None:
    loaded = tiny(model_type)
    forgetful = dataclasses.replace(
        loaded, family=dataclasses.replace(loaded.family, reads_text=None)
    )
    with pytest.raises(SelfTestFailed, match="the text leaks past the mask") as caught:
        self_test(forgetful, digits.samples[:8])
    assert "the image leaks" not in str(caught.value)


class WithoutTypes:
    """A processor that forgets which tokens are of the image."""

    def __init__(self, processor: Any):
        self.processor = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.processor, name)

    def __call__(self, **arguments: Any) -> dict[str, torch.Tensor]:
        encoded = self.processor(**arguments)
        del encoded["mm_token_type_ids"]
        return encoded


def without_types(loaded: LoadedModel) -> LoadedModel:
    return dataclasses.replace(loaded, processor=WithoutTypes(loaded.processor))


def test_positions_on_a_line_are_seen_where_the_model_knows_rows_and_columns(
    tiny: Tiny, digits: Benchmark
) -> None:
    with pytest.raises(SelfTestFailed, match="the positions of the image are a line"):
        self_test(without_types(tiny("qwen2_5_vl")), digits.samples[:8])


@pytest.mark.parametrize("model_type", ["qwen2_vl", "qwen3_vl"])
def test_a_model_that_refuses_its_inputs_says_so_in_one_sentence(
    model_type: str, tiny: Tiny, digits: Benchmark
) -> None:
    with pytest.raises(SelfTestFailed, match=r"refuses .*mm_token_type_ids") as caught:
        self_test(without_types(tiny(model_type)), digits.samples[:8])
    assert "\n" not in str(caught.value)


def test_a_placeholder_that_is_not_the_image_s_is_named(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    tokenizer = oracle.processor.tokenizer
    (look,) = tokenizer(" look", add_special_tokens=False)["input_ids"]
    samples = [dataclasses.replace(s, system="Task: look look look.") for s in digits.samples[:8]]
    wrong = dataclasses.replace(oracle, image_token_id=look)
    with pytest.raises(SelfTestFailed, match="positions that are no placeholders of it"):
        self_test(wrong, samples)


def test_a_row_that_gets_another_row_s_side_channel_is_no_ordinary_pass(
    tiny: Tiny, digits: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the comparison with separate passes sees it: each sample alone is right."""

    def by_place(stream: SideStream, rows: Sequence[int]) -> SideStream:
        last = len(stream.vectors) - 1
        return stream.of([stream.vectors[min(place, last)] for place in range(len(rows))], None)

    monkeypatch.setattr(SideStream, "take", by_place)
    with pytest.raises(SelfTestFailed, match="differ from ordinary forward passes") as caught:
        self_test(tiny("gemma4"), digits.samples[:8])
    assert str(caught.value).count(" = ") == 1


def test_a_mask_that_replaces_nothing_is_named(
    oracle: LoadedModel, digits: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unchanged(
        _masker: Masker, captured: Captured, _batch: Any, _samples: Any, rows: list[MaskedRow]
    ) -> Captured:
        return take(captured, [row.index for row in rows])

    monkeypatch.setattr(Masker, "masked", unchanged)
    with pytest.raises(SelfTestFailed, match="masking the image does not move the output") as told:
        self_test(oracle, digits.samples[:8])
    assert "masking the text does not move the output" in str(told.value)
    assert "leaks" in str(told.value)


def test_a_norm_that_is_not_the_last_one_is_seen_by_the_lens(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    stack = dataclasses.replace(oracle.stack, norm=torch.nn.Identity())
    with pytest.raises(SelfTestFailed, match="lens differs from the model's output") as caught:
        self_test(dataclasses.replace(oracle, stack=stack), digits.samples[:8])
    assert str(caught.value).count(" = ") == 1
