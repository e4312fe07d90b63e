"""Fuyu's inputs, put together from the parts of its processor: rows of patches, then the prompt."""

import dataclasses
import re
from pathlib import Path

import PIL.Image
import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import encode
from model_runners.errors import BadSample
from model_runners.families import load_family
from model_runners.processors import load_processor
from tests.model_runners.tiny.parts import PATCH_SIDE
from tests.model_runners.zoo import TINY


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("processors") / "fuyu"
    model, processor = TINY["fuyu"]()
    model.config.save_pretrained(folder)
    processor.save_pretrained(folder)
    return load_processor(str(folder), load_family("fuyu"))


def picture(width: int, height: int) -> PIL.Image.Image:
    pixels = torch.arange(width * height * 3).reshape(height, width, 3) % 251
    return PIL.Image.fromarray(pixels.to(torch.uint8).numpy())


def test_an_image_is_rows_of_patches_each_ended_by_a_newline(prompts) -> None:
    encoded = prompts(text=["|SPEAKER|Hi"], images=[[picture(3 * PATCH_SIDE, 2 * PATCH_SIDE)]])
    tokens = prompts.tokenizer.convert_ids_to_tokens(encoded["input_ids"][0].tolist())
    row = ["|SPEAKER|"] * 3 + ["|NEWLINE|"]
    assert tokens[:9] == [*row, *row, "<s>"]
    assert tokens[-1] == "<0x04>"
    assert prompts.tokenizer.decode(encoded["input_ids"][0, 9:-1]).strip() == "Hi"


def test_a_patch_holds_its_own_pixels_channel_last(prompts) -> None:
    image = picture(3 * PATCH_SIDE, 2 * PATCH_SIDE)
    patches = prompts(text=["|SPEAKER|Hi"], images=[[image]])["pixel_values"]
    assert patches.shape == (6, PATCH_SIDE * PATCH_SIDE * 3)
    box = (PATCH_SIDE, PATCH_SIDE, 2 * PATCH_SIDE, 2 * PATCH_SIDE)  # second row, second column
    own = torch.tensor(list(image.crop(box).tobytes())) / 255 * 2 - 1
    assert torch.allclose(patches[4], own, atol=1e-5)


def test_an_image_that_fills_no_whole_patches_is_filled_up_with_near_black(prompts) -> None:
    image = picture(PATCH_SIDE + 3, PATCH_SIDE)
    encoded = prompts(text=["|SPEAKER|Hi"], images=[[image]])
    assert int((encoded["input_ids"] == prompts.image_token_id).sum()) == 2
    second = encoded["pixel_values"][1].reshape(PATCH_SIDE, PATCH_SIDE, 3)
    own = torch.tensor(list(image.crop((PATCH_SIDE, 0, PATCH_SIDE + 3, PATCH_SIDE)).tobytes()))
    assert torch.allclose(second[:, :3].flatten(), own / 255 * 2 - 1, atol=1e-5)
    assert bool((second[:, 3:] == second[0, -1, 0]).all())
    assert torch.isclose(second[0, -1, 0], torch.tensor(1 / 255 * 2 - 1), atol=1e-5)


def test_masked_text_is_what_the_user_says_and_the_answer_mark_stays(
    prompts, digits: Benchmark
) -> None:
    samples = [digits.select(subset=subset)[0] for subset in digits.subsets]
    batch = encode(prompts, samples, image_token_id=prompts.image_token_id)
    for row, sample in enumerate(samples):
        said = prompts.tokenizer.decode(batch.inputs["input_ids"][row, batch.text[row]])
        assert said.strip().startswith(sample.question)
        assert said.rstrip().endswith("only.")
    assert not batch.text[:, -1].any()


def test_without_an_image_the_prompt_is_the_same_but_for_its_patches(
    prompts, digits: Benchmark
) -> None:
    (sample,) = digits.samples[:1]
    full = encode(prompts, [sample], image_token_id=prompts.image_token_id)
    bare = encode(prompts, [sample], image_token_id=prompts.image_token_id, with_image=False)
    assert "pixel_values" not in bare.inputs
    kept = bare.inputs["input_ids"][0]
    assert torch.equal(full.inputs["input_ids"][0, -len(kept) :], kept)


def test_a_sample_of_two_images_is_a_bad_one(prompts, digits: Benchmark) -> None:
    first, second = digits.samples[:2]
    two = dataclasses.replace(first, images=(*first.images, *second.images))
    with pytest.raises(BadSample, match="it has 2 images"):
        encode(prompts, [two], image_token_id=prompts.image_token_id)


def test_a_tokenizer_without_fuyus_tokens_is_refused(prompts) -> None:
    from model_runners.processors_fuyu import FuyuPrompts

    _, other = TINY["llava"]()
    with pytest.raises(ValueError, match=re.escape("|SPEAKER|, |NEWLINE|, <0x04>")):
        FuyuPrompts(other)
