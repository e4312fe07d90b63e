"""Encoding: positions of image and text in a left-padded batch."""

import io

import PIL.Image
import pytest
import torch

from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark, ImageFile
from model_runners.asking import user_text
from model_runners.encoding import decode_image, encode
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from tests.data_cache.test_thumbnails import ODD


@pytest.fixture(scope="module")
def samples(digits: Benchmark):
    return [digits.select(subset=subset)[0] for subset in digits.subsets]


def test_masked_tokens_spell_exactly_the_user_turn(oracle: LoadedModel, samples) -> None:
    batch = encode(oracle.processor, samples, image_token_id=oracle.image_token_id)
    for row, sample in enumerate(samples):
        said = oracle.processor.tokenizer.decode(batch.inputs["input_ids"][row, batch.text[row]])
        assert said.strip() == user_text(sample)


def test_the_question_scope_leaves_options_and_instruction(oracle: LoadedModel, samples) -> None:
    batch = encode(
        oracle.processor, samples, image_token_id=oracle.image_token_id, scope="question"
    )
    for row, sample in enumerate(samples):
        said = oracle.processor.tokenizer.decode(batch.inputs["input_ids"][row, batch.text[row]])
        assert said.strip() == sample.question


def test_each_image_has_its_sixteen_tokens_and_no_token_is_both(
    oracle: LoadedModel, samples
) -> None:
    batch = encode(oracle.processor, samples, image_token_id=oracle.image_token_id)
    assert batch.vision.sum(1).tolist() == [16] * len(samples)
    assert not (batch.vision & batch.text).any()
    padding = batch.inputs["attention_mask"] == 0
    assert not (padding & (batch.vision | batch.text)).any()


def test_padding_is_on_the_left_and_lengths_are_without_it(oracle: LoadedModel, samples) -> None:
    batch = encode(oracle.processor, samples, image_token_id=oracle.image_token_id)
    assert bool(batch.inputs["attention_mask"][:, -1].all())
    alone = [encode(oracle.processor, [s], image_token_id=oracle.image_token_id) for s in samples]
    assert batch.lengths.tolist() == [one.inputs["input_ids"].shape[1] for one in alone]
    for row, one in enumerate(alone):
        keep = slice(-int(batch.lengths[row]), None)
        assert torch.equal(batch.inputs["input_ids"][row, keep], one.inputs["input_ids"][0])
        assert torch.equal(batch.text[row, keep], one.text[0])


def test_without_image_there_is_no_image_token_and_no_pixel(oracle: LoadedModel, samples) -> None:
    batch = encode(
        oracle.processor, samples, image_token_id=oracle.image_token_id, with_image=False
    )
    assert not batch.vision.any()
    assert "pixel_values" not in batch.inputs
    assert batch.text.any(1).all()


def test_the_beginning_token_is_there_once(oracle: LoadedModel, samples) -> None:
    batch = encode(oracle.processor, samples, image_token_id=oracle.image_token_id)
    bos = oracle.processor.tokenizer.bos_token_id
    assert (batch.inputs["input_ids"] == bos).sum(1).tolist() == [1] * len(samples)


def test_text_of_a_dataset_that_looks_like_a_placeholder_is_refused_or_counted(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    """A question with `<image>` in it would add image tokens that no image fills."""
    import dataclasses

    hostile = dataclasses.replace(digits.samples[0], question="What does <image> mean?")
    with pytest.raises(UnsupportedModel, match="placeholder"):
        encode(oracle.processor, [hostile], image_token_id=oracle.image_token_id)


def test_an_image_that_cannot_be_decoded_is_named(tmp_path, digits: Benchmark) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no image")
    with pytest.raises(BenchmarkError, match=r"broken\.png is not an image"):
        decode_image(ImageFile(path=path))
    path.write_bytes(digits.samples[0].images[0].read()[:60])
    with pytest.raises(UnsupportedModel, match=r"broken\.png cannot be decoded"):
        decode_image(ImageFile(path=path))


@pytest.mark.parametrize("kind", ["sideways", "16 bits", "transparent", "CMYK", "animated"])
def test_a_model_is_given_what_the_thumbnail_shows(kind: str) -> None:
    image = ImageFile(data=ODD[kind](60, 40))
    shown = PIL.Image.open(io.BytesIO(image.thumbnail())).convert("RGB")
    given = decode_image(image)
    assert given.size == ((40, 60) if kind == "sideways" else shown.size)
    assert given.tobytes() == shown.tobytes()
