"""Images of one size: one number of tokens for all, another run, and the same pixels inside."""

import dataclasses
import io
from pathlib import Path

import pytest
import torch

from data_cache.samples import Benchmark, ImageFile, Sample
from model_runners.__main__ import main
from model_runners.encoding import decode_image, encode
from model_runners.errors import BadOption, UnsupportedModel
from model_runners.image_size import FixedSizeProcessor, image_size, with_image_size
from model_runners.loading import LoadedModel
from model_runners.profile import ProfileOptions
from model_runners.requests import options_of, request_of, title_of
from model_runners.run_record import configuration
from model_runners.selftest import self_test
from model_runners.statistics import recipe

SHAPES = [(32, 32), (96, 32), (16, 48), (70, 50)]


def of_shape(sample: Sample, width: int, height: int) -> Sample:
    file = io.BytesIO()
    decode_image(sample.images[0]).resize((width, height)).save(file, "PNG")
    return dataclasses.replace(
        sample, id=f"{sample.id}-{width}x{height}", images=(ImageFile(data=file.getvalue()),)
    )


def tokens(loaded: LoadedModel, samples: list[Sample]) -> list[int]:
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    return batch.vision.sum(1).tolist()


@pytest.fixture(scope="module")
def large(qwen: LoadedModel) -> LoadedModel:
    """A model whose images may be of many sizes."""
    images = qwen.processor.image_processor
    free = type(images)(
        **{**images.to_dict(), "size": {"shortest_edge": 64, "longest_edge": 4 * 4096}}
    )
    processor = type(qwen.processor)(
        image_processor=free, tokenizer=qwen.processor.tokenizer, image_grid="image_grid_thw"
    )
    return dataclasses.replace(qwen, processor=processor)


@pytest.fixture(scope="module")
def shapes(digits: Benchmark) -> list[Sample]:
    return [of_shape(digits.samples[0], *shape) for shape in SHAPES]


def test_every_image_gets_as_many_tokens(large: LoadedModel, shapes: list[Sample]) -> None:
    assert len(set(tokens(large, shapes))) == len(SHAPES)
    for side in (32, 48):
        assert set(tokens(with_image_size(large, side), shapes)) == {(side // 8) ** 2}


def test_a_square_of_that_side_stays_as_it_is(large: LoadedModel, shapes: list[Sample]) -> None:
    plain = encode(large.processor, shapes[:1], image_token_id=large.image_token_id)
    fixed = encode(
        with_image_size(large, 32).processor, shapes[:1], image_token_id=large.image_token_id
    )
    assert plain.inputs.keys() == fixed.inputs.keys()
    for name, value in plain.inputs.items():
        assert torch.equal(value, fixed.inputs[name]), name


def test_the_masking_of_a_fixed_size_is_clean(large: LoadedModel, shapes: list[Sample]) -> None:
    other = dataclasses.replace(shapes[1], options=tuple(reversed(shapes[1].options)))
    assert self_test(with_image_size(large, 40), [shapes[0], other]).passed


def test_a_count_that_differs_is_refused(large: LoadedModel) -> None:
    processor = FixedSizeProcessor(large.processor, 32, image_token_id=7)
    processor.check(torch.tensor([[7, 7, 1], [7, 7, 2]]), [1, 1])
    processor.check(torch.tensor([[7, 1, 1]]), [2])  # of two images, fewer for each
    with pytest.raises(UnsupportedModel, match="2 tokens in one prompt and 3 in another"):
        processor.check(torch.tensor([[7, 7, 7]]), [1])


def test_it_is_another_run_with_other_noise(qwen: LoadedModel, digits: Benchmark) -> None:
    plain = ProfileOptions(model="m", benchmark="digits_vqa")
    fixed = dataclasses.replace(plain, image_size=40)
    squared = with_image_size(qwen, 40)
    assert (image_size(qwen), image_size(squared)) == (None, 40)
    assert recipe(qwen, digits, "all") != recipe(squared, digits, "all")
    before, after = configuration(plain, qwen, digits), configuration(fixed, squared, digits)
    assert {name for name in before if before[name] != after[name]} == {"image_size", "noise"}


def test_a_job_without_it_keeps_the_key_it_always_had(untrained: Path) -> None:
    plain = ProfileOptions(model=str(untrained), benchmark="digits_vqa")
    fixed = dataclasses.replace(plain, image_size=40)
    assert "image_size" not in request_of(plain)
    assert options_of(request_of(fixed)) == fixed
    assert "40 pixels" in title_of(fixed)


@pytest.mark.parametrize("side", [0, 7, 8193])
def test_a_size_that_makes_no_sense_is_refused(side: int) -> None:
    with pytest.raises(BadOption, match="image size must be 8 to 8192 pixels"):
        ProfileOptions(model="m", benchmark="digits_vqa", image_size=side)


def test_the_command_line_takes_it(untrained: Path, tmp_path: Path) -> None:
    arguments = ["profile", "--cache", str(tmp_path), "--model", str(untrained)]
    more = ["--benchmark", "digits_vqa", "--limit", "4", "--draws", "1", "--image-size", "24"]
    assert main([*arguments, *more]) == 0
    (sidecar,) = tmp_path.rglob("run.json")
    assert '"image_size": 24' in sidecar.read_text()
