"""Capture and replay: one mechanism, checked against the plain forward pass and in-place edits."""

import dataclasses

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import encode
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker, NoiseStatistics, RunningMoments
from model_runners.stack import TextStack, before, capture, follow, replay, take
from model_runners.vision import VisionCache, merge


@pytest.fixture(scope="module")
def batch(oracle: LoadedModel, digits: Benchmark):
    samples = digits.samples[:6]
    return samples, encode(oracle.processor, samples, image_token_id=oracle.image_token_id)


def test_replay_of_the_unmasked_capture_is_the_plain_forward_pass(
    oracle: LoadedModel, batch
) -> None:
    _, encoded = batch
    captured = capture(oracle.model, oracle.stack, encoded.inputs)
    last = replay(oracle.stack, captured.embeddings, captured.arguments())
    with torch.no_grad():
        plain = oracle.model(**encoded.inputs).logits[:, -1]
        assert torch.allclose(oracle.stack.head(last.hidden), plain, atol=1e-4)


def test_replayed_masking_equals_an_edit_inside_an_ordinary_forward_pass(
    oracle: LoadedModel, batch
) -> None:
    samples, encoded = batch
    captured = capture(oracle.model, oracle.stack, encoded.inputs)
    vision, text = RunningMoments(), RunningMoments()
    vision.update(captured.embeddings[encoded.vision])
    text.update(captured.embeddings[encoded.text])
    masker = Masker(statistics=NoiseStatistics(vision=vision.finish(), text=text.finish()), seed=3)
    for hide in ({"vision": True}, {"text": True}):
        hidden = [MaskedRow(index=index, draw=1, **hide) for index in range(len(samples))]
        masked = masker.masked(captured, encoded, samples, hidden)
        edited = masked.embeddings
        replayed = replay(oracle.stack, edited, masked.arguments())
        with (
            torch.no_grad(),
            before(oracle.stack.module, lambda k, e=edited: {**k, "inputs_embeds": e}),
        ):
            inside = oracle.model(**encoded.inputs).logits[:, -1]
            assert torch.allclose(oracle.stack.head(replayed.hidden), inside, atol=1e-4)


def test_rows_can_be_repeated_and_reordered(oracle: LoadedModel, batch) -> None:
    _, encoded = batch
    captured = capture(oracle.model, oracle.stack, encoded.inputs)
    rows = [5, 0, 0, 3]
    taken = take(captured, rows)
    mixed = replay(oracle.stack, taken.embeddings, taken.arguments()).hidden
    straight = replay(oracle.stack, captured.embeddings, captured.arguments()).hidden
    assert torch.allclose(mixed, straight[rows], atol=1e-4)


def test_the_last_layer_of_the_lens_is_the_models_own_output(oracle: LoadedModel, batch) -> None:
    _, encoded = batch
    captured = capture(oracle.model, oracle.stack, encoded.inputs)
    last = replay(oracle.stack, captured.embeddings, captured.arguments(), with_layers=True)
    assert last.layers is not None
    assert last.layers.shape == (len(oracle.stack.layers), 6, captured.embeddings.shape[-1])
    assert torch.allclose(last.layers[-1], last.hidden, atol=1e-5)
    assert not torch.allclose(last.layers[0], last.hidden, atol=1e-2)


def test_a_layer_that_does_not_run_repeats_what_came_into_it(oracle: LoadedModel, batch) -> None:
    _, encoded = batch
    captured = capture(oracle.model, oracle.stack, encoded.inputs)
    first, *others = oracle.stack.layers
    idle = torch.nn.ModuleList([torch.nn.Identity(), first, torch.nn.Identity(), *others])

    def states(stack: TextStack) -> tuple[torch.Tensor, torch.Tensor]:
        last = replay(
            stack,
            captured.embeddings,
            captured.arguments(),
            with_layers=True,
            positions=encoded.vision[None],
        )
        assert last.layers is not None
        assert last.means is not None
        return last.layers, last.means

    plain, means = states(oracle.stack)
    found, with_idle = states(dataclasses.replace(oracle.stack, layers=idle))
    assert torch.equal(found[0], oracle.stack.norm(captured.embeddings[:, -1]))
    assert torch.equal(found[1:], plain[[0, 0, *range(1, len(plain))]])
    assert torch.equal(with_idle[1:], means[[0, 0, *range(1, len(plain))]])
    image = captured.embeddings[0, encoded.vision[0]].mean(0)
    assert torch.allclose(with_idle[0, 0, 0], image, atol=1e-5)


def test_capture_computes_no_decoder_layer_and_leaves_no_hook(oracle: LoadedModel, batch) -> None:
    _, encoded = batch
    calls: list[int] = []
    handle = oracle.stack.layers[0].register_forward_hook(lambda *_: calls.append(1))
    capture(oracle.model, oracle.stack, encoded.inputs)
    handle.remove()
    assert not calls
    assert not oracle.stack.module._forward_pre_hooks


def test_an_unknown_tensor_on_the_way_to_the_stack_is_refused(oracle: LoadedModel, batch) -> None:
    """It might carry pixels past the mask."""
    _, encoded = batch

    def leak(_module, args, keywords):
        return args, {**keywords, "image_embeds": [torch.ones(1)]}

    # Runs before the capture's own hook, as an extra argument of an unknown family would.
    handle = oracle.stack.module.register_forward_pre_hook(leak, with_kwargs=True)
    try:
        with pytest.raises(UnsupportedModel, match="image_embeds"):
            capture(oracle.model, oracle.stack, encoded.inputs)
    finally:
        handle.remove()


def test_each_distinct_image_is_encoded_once_with_the_same_result(
    oracle: LoadedModel, batch
) -> None:
    samples, encoded = batch
    images = VisionCache()
    reused = merge(oracle, encoded, samples, images=images)
    distinct = {image.digest for sample in samples for image in sample.images}
    assert images.encoded == len(distinct) < len(samples)
    merge(oracle, encoded, samples, images=images)
    assert images.encoded == len(distinct)
    plain = capture(oracle.model, oracle.stack, encoded.inputs)
    assert torch.allclose(reused.embeddings, plain.embeddings, atol=1e-5)


def test_the_image_cache_forgets_the_oldest_and_stays_right(oracle: LoadedModel, batch) -> None:
    samples, encoded = batch
    tiny = VisionCache(limit_bytes=1)
    first = merge(oracle, encoded, samples, images=tiny).embeddings
    again = merge(oracle, encoded, samples, images=tiny).embeddings
    assert torch.allclose(first, again, atol=1e-5)
    assert tiny.encoded > len({image.digest for sample in samples for image in sample.images})


def test_follow_says_none_where_a_path_ends(oracle: LoadedModel) -> None:
    assert follow(oracle.model, "model.language_model") is oracle.stack.module
    assert follow(oracle.model, "model.no_such.part") is None
