"""Processors put together here give what the families' own classes in transformers give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import decode_image
from model_runners.processors import load_processor
from model_runners.processors_kimi import KimiImages
from model_runners.processors_phi4 import Phi4Images
from model_runners.prompt import render

# transformers' own processors make numpy arrays of tensors in a way that numpy is to lose.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def pictures(digits: Benchmark) -> list[Any]:
    return [decode_image(digits.samples[0].images[0])]


def test_glm_4v_s_grids_are_those_of_its_own_class(
    built: Callable[[str], Path], digits: Benchmark, pictures: list[Any]
) -> None:
    from model_runners.families import load_family

    folder = str(built("glm4v"))
    ours, theirs = load_processor(folder, load_family("glm4v")), load_processor(folder)
    assert type(theirs).__name__ == "Glm4vProcessor"
    prompt = render(ours, digits.samples[0]).text
    assert prompt == render(theirs, digits.samples[0]).text
    found = ours(text=[prompt], images=[pictures], return_tensors="pt")
    for name, value in dict(theirs(text=[prompt], images=[pictures], return_tensors="pt")).items():
        assert torch.equal(found[name], torch.as_tensor(value).to(found[name].dtype)), name


def test_a_paligemma_prompt_is_that_of_its_own_class(
    built: Callable[[str], Path], pictures: list[Any]
) -> None:
    """Which writes begin token and line end behind the back of whoever renders the prompt."""
    import transformers

    folder = str(built("paligemma"))
    ours = load_processor(folder)
    theirs: Any = transformers.PaliGemmaProcessor(ours.image_processor, ours.tokenizer)
    said = [{"role": "user", "content": "<image>what is this"}]
    ours.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    prompt = ours.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    assert prompt == f"<image>{ours.tokenizer.bos_token}what is this\n"
    found = ours(text=[prompt], images=[pictures], return_tensors="pt")
    expected = theirs(text=["<image>what is this"], images=[pictures], return_tensors="pt")
    for name in ("input_ids", "token_type_ids", "pixel_values"):
        assert torch.equal(found[name], expected[name]), name


def test_smolvlm_writes_still_images_as_idefics3_does(built: Callable[[str], Path]) -> None:
    from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

    ours = load_processor(str(built("smolvlm")))
    for rows, columns in ((0, 0), (1, 2), (3, 2)):
        inputs = {"rows": [[rows]], "cols": [[columns]]}
        assert ours.replace_image_token(inputs, 0) == get_image_prompt_string(
            rows,
            columns,
            ours.image_seq_len,
            image_token="<image>",
            fake_token_around_image="<fake_token_around_image>",
            global_image_token="<global-img>",
        )


@pytest.mark.parametrize(
    ("height", "width", "small", "whole"),
    [
        (100, 50, (100, 50), (112, 56)),
        (28, 28, (28, 28), (28, 28)),
        (14 * 600, 14, (14 * 512, 11), (14 * 512, 28)),
    ],
)
def test_kimi_never_makes_an_image_larger_but_for_the_edge(
    height: int, width: int, small: tuple[int, int], whole: tuple[int, int]
) -> None:
    assert KimiImages().sizes(height, width) == (small, whole)


@pytest.mark.parametrize(
    ("height", "width", "grid"), [(448, 448, (1, 1)), (449, 448, (2, 1)), (100, 1000, (1, 3))]
)
def test_phi_4_fits_an_image_into_the_crops_that_it_fills(
    height: int, width: int, grid: tuple[int, int]
) -> None:
    assert Phi4Images().grid(height, width) == grid


def test_phi_4_leaves_out_what_is_only_filled_up() -> None:
    import PIL.Image

    made = Phi4Images()([PIL.Image.new("RGB", (448, 448)), PIL.Image.new("RGB", (448, 224))])
    # 16 x 16 of the whole with 16 ends of rows, a mark, and each row of the crop with its end.
    assert made["num_img_tokens"] == [256 + 16 + 1 + 16 * 17, 256 + 16 + 1 + 8 * 17]
    flat = Phi4Images(dynamic_hd=1)([PIL.Image.new("RGB", (448, 225))])
    assert flat["num_img_tokens"][0] < made["num_img_tokens"][0]
    with pytest.raises(ValueError, match="extreme"):
        Phi4Images(dynamic_hd=1)([PIL.Image.new("RGB", (4480, 20))])
