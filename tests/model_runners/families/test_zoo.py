"""Every line of the table proves its masking on a tiny model, loaded from its files."""

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from data_cache.samples import Benchmark, ImageFile
from model_runners.asking import Asking
from model_runners.encoding import decode_image, encode
from model_runners.errors import UnsupportedModel
from model_runners.families import FAMILIES
from model_runners.loading import LoadedModel, load
from model_runners.recognition import find_placeholder, recognise
from model_runners.selftest import self_test
from model_runners.stack import replay
from model_runners.tuned_lens import TunedLens, identity
from model_runners.vision import VisionCache, merge
from tests.model_runners.zoo import BRINGS_CODE, TINY

MOVES = 1e-2
"""A difference of a logit that is no rounding."""


@pytest.fixture(scope="module", params=sorted(TINY))
def loaded(request: pytest.FixtureRequest, built: Callable[[str], Path]) -> LoadedModel:
    return load(str(built(request.param)), device="cpu")


def logits(loaded: LoadedModel, samples, *, images: VisionCache | None = None) -> torch.Tensor:
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples, images=images)
    keywords = captured.arguments()
    with torch.no_grad():
        return loaded.stack.head(replay(loaded.stack, captured.embeddings, keywords).hidden)


def test_the_question_is_found_wherever_a_template_puts_it(
    loaded: LoadedModel, digits: Benchmark
) -> None:
    samples = digits.samples[:2]
    batch = encode(
        loaded.processor,
        samples,
        image_token_id=loaded.image_token_id,
        scope="question",
        asking=Asking(template="Look.\n{options}\n\nQ: {question}"),
    )
    for row, sample in enumerate(samples):
        said = loaded.processor.tokenizer.decode(batch.inputs["input_ids"][row, batch.text[row]])
        assert said.strip().lower() == sample.question.lower()


def _wide(image: ImageFile) -> ImageFile:
    """Return an image of another shape: more tiles or more patches, where a family counts them."""
    file = io.BytesIO()
    decode_image(image).resize((2 * IMAGE_SIDE, IMAGE_SIDE)).save(file, "PNG")
    return ImageFile(data=file.getvalue())


def test_every_line_of_the_table_has_a_tiny_model() -> None:
    assert TINY.keys() | BRINGS_CODE == FAMILIES.keys()


def test_its_masking_is_clean(loaded: LoadedModel, digits: Benchmark) -> None:
    sequences: list[int] = []
    merges: list[int] = []
    counters = [
        loaded.stack.layers[0].register_forward_hook(
            lambda _module, arguments, _output: sequences.append(len(arguments[0]))
        ),
        loaded.model.register_forward_pre_hook(lambda *_: merges.append(1)),
    ]
    try:
        report = self_test(loaded, digits.samples[:8])
    finally:
        for counter in counters:
            counter.remove()
    assert report.passed
    assert 0 < sum(sequences) <= 10 * 2, "it costs at most ten forward passes of two samples"
    assert 0 < sum(merges) <= 10
    moved = {check.name: check.value for check in report.checks if check.limit == 0.0}
    assert min(moved["image_matters"], moved["text_matters"]) > MOVES, moved


def test_images_of_different_shapes_are_put_to_the_test_too(
    loaded: LoadedModel, digits: Benchmark
) -> None:
    """Which may have different numbers of tiles, so that one image's are not the other's."""
    wide = dataclasses.replace(digits.samples[0], images=(_wide(digits.samples[0].images[0]),))
    assert self_test(loaded, [digits.samples[0], wide]).passed


def test_the_common_idiom_says_what_its_file_says(loaded: LoadedModel) -> None:
    """So a new family of the same kind needs no file."""
    if loaded.stack.decoder is not None:
        with pytest.raises(UnsupportedModel, match="encoder-decoder"):
            recognise(loaded.model, loaded.processor)
        return
    found, written = recognise(loaded.model, loaded.processor), loaded.family
    for name in ("model_type", "stack", "layers", "norm", "image_token"):
        assert getattr(found, name) == getattr(written, name)
    if written.model_type != "mllama":  # whose image is at no position of the prompt
        placeholder = find_placeholder(loaded.model, loaded.stack, loaded.processor)
        assert placeholder == loaded.image_token_id


def test_another_image_moves_the_answer(loaded: LoadedModel, digits: Benchmark) -> None:
    first = digits.samples[0]
    other = next(s for s in digits.samples if s.images[0].digest != first.images[0].digest)
    swapped = dataclasses.replace(first, images=other.images)
    assert (logits(loaded, [first]) - logits(loaded, [swapped])).abs().max() > MOVES


def test_a_batch_gives_what_each_sample_gives_alone(loaded: LoadedModel, digits: Benchmark) -> None:
    """Through the cache of encoded images, where the family has one."""
    samples = [digits.select(subset=subset)[0] for subset in digits.subsets]
    samples.append(dataclasses.replace(samples[0], images=(_wide(samples[0].images[0]),)))
    together = logits(loaded, samples, images=VisionCache())
    alone = torch.cat([logits(loaded, [sample]) for sample in samples])
    assert torch.allclose(together, alone, atol=1e-4 * max(1.0, float(alone.abs().max())))


def test_a_lens_moves_every_layer_but_the_last_and_one_of_zeros_none(
    loaded: LoadedModel, digits: Benchmark
) -> None:
    samples = digits.samples[:2]
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples)
    count = len(loaded.stack.layers)

    def read(lens: TunedLens | None) -> torch.Tensor:
        stack = dataclasses.replace(loaded.stack, lens=lens)
        last = replay(stack, captured.embeddings, captured.arguments(), with_layers=True)
        assert last.layers is not None
        with torch.no_grad():
            own, found = stack.logits(last.hidden), stack.logits(last.layers)
        assert (found[-1] - own).abs().max() < 1e-4 * max(1.0, float(own.abs().max()))
        return found

    plain = read(None)
    nothing = identity(count, captured.embeddings.shape[-1])
    assert torch.equal(read(nothing), plain)
    aside = torch.linspace(-1, 1, nothing.biases.shape[-1])
    turned = read(dataclasses.replace(nothing, biases=nothing.biases + aside))
    assert torch.equal(turned[-1], plain[-1])
    moved = (turned - plain).abs().flatten(1).amax(1)
    assert (moved[:-1] > MOVES).all()
