"""A processor put together from its parts: placeholders, grids, files."""

import dataclasses
import importlib.util
import json
import shutil
from pathlib import Path

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.demo.lessons import image_tensor
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL
from model_runners.encoding import decode_image, encode
from model_runners.errors import UnsupportedModel
from model_runners.families import load_family
from model_runners.loading import LoadedModel
from model_runners.processors import (
    GridProcessor,
    load_processor,
    torchvision_command,
    without_video_slot,
)
from model_runners.prompt import render


def test_every_merged_patch_has_a_placeholder(qwen: LoadedModel, digits: Benchmark) -> None:
    samples = digits.samples[:3]
    batch = encode(qwen.processor, samples, image_token_id=qwen.image_token_id)
    grid = batch.inputs["image_grid_thw"]
    assert batch.vision.sum(1).tolist() == (grid.prod(-1) // 4).tolist() == [16, 16, 16]
    assert torch.equal(batch.inputs["mm_token_type_ids"].bool(), batch.vision)


def test_maskable_text_is_what_the_user_says(qwen: LoadedModel, digits: Benchmark) -> None:
    sample = digits.samples[0]
    batch = encode(qwen.processor, [sample], image_token_id=qwen.image_token_id, scope="question")
    said = qwen.processor.tokenizer.decode(batch.inputs["input_ids"][0, batch.text[0]])
    assert said.strip() == sample.question


def test_images_of_different_sizes_get_their_own_number_of_tokens(qwen: LoadedModel) -> None:
    import PIL.Image

    processor = GridProcessor(
        image_processor=type(qwen.processor.image_processor)(
            **{
                **qwen.processor.image_processor.to_dict(),
                "size": {"shortest_edge": 64, "longest_edge": 4096},
            }
        ),
        tokenizer=qwen.processor.tokenizer,
        image_grid="image_grid_thw",
    )
    small, large = PIL.Image.new("RGB", (16, 32)), PIL.Image.new("RGB", (48, 32))
    mark = processor.image_token
    encoded = processor(
        text=[f"{mark} and {mark}", f"{mark}"],
        images=[[small, large], [large]],
        padding=True,
        return_tensors="pt",
    )
    assert encoded["image_grid_thw"].tolist() == [[1, 8, 4], [1, 8, 12], [1, 8, 12]]
    counts = (encoded["input_ids"] == processor.image_token_id).sum(1)
    assert counts.tolist() == [8 + 24, 24]


@pytest.mark.parametrize(("prompts", "images"), [(["one <|image_pad|>"], 2), (["none"], 1)])
def test_images_without_a_place_are_refused(
    qwen: LoadedModel, digits: Benchmark, prompts: list[str], images: int
) -> None:
    picture = decode_image(digits.samples[0].images[0])
    with pytest.raises(ValueError, match="placeholders"):
        qwen.processor(text=prompts, images=[[picture] * images])


def test_files_of_the_parts_load_again(qwen: LoadedModel, tmp_path: Path) -> None:
    qwen.processor.save_pretrained(tmp_path)
    again = load_processor(str(tmp_path), load_family("qwen2_5_vl"))
    assert again.chat_template == qwen.processor.chat_template
    assert again.image_token_id == qwen.processor.image_token_id


def test_training_cuts_images_as_the_image_processor_does(
    qwen: LoadedModel, digits: Benchmark
) -> None:
    files = [sample.images[0] for sample in digits.samples[:4]]
    theirs = qwen.processor.image_processor(
        [decode_image(file) for file in files], return_tensors="pt"
    )
    ours = TinyQwen2_5_VL().tower_inputs(image_tensor(files))
    assert torch.allclose(ours["pixel_values"], theirs["pixel_values"], atol=1e-6)
    assert torch.equal(ours["image_grid_thw"], theirs["image_grid_thw"])


@pytest.mark.parametrize("kind", ["Qwen2VLProcessor", "Qwen2_5_VLProcessor", "Qwen3VLProcessor"])
def test_a_processor_whose_slot_for_videos_needs_torchvision_loads_without_it(
    kind: str, qwen: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    """And gives the inputs that the processor put together here gives."""
    qwen.processor.save_pretrained(tmp_path)
    settings = {"processor_class": kind, "video_processor": {"size": {"shortest_edge": 8}}}
    (tmp_path / "processor_config.json").write_text(json.dumps(settings))
    theirs = load_processor(str(tmp_path))
    assert type(theirs).__name__ == kind
    samples = digits.samples[:3]
    arguments = {
        "text": [render(qwen.processor, sample).text for sample in samples],
        "images": [[decode_image(image) for image in sample.images] for sample in samples],
        "padding": True,
        "return_tensors": "pt",
    }
    expected = dict(theirs(**arguments))
    found = qwen.processor(**arguments)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value.to(found[name].dtype)), name


def test_a_slot_for_videos_may_stand_anywhere_among_the_parts(qwen: LoadedModel) -> None:
    import transformers

    class InTheMiddle(transformers.ProcessorMixin):
        def __init__(self, image_processor, video_processor=None, tokenizer=None):
            super().__init__(image_processor, video_processor, tokenizer)

    parts = {
        "image_processor": qwen.processor.image_processor,
        "tokenizer": qwen.processor.tokenizer,
    }
    made = without_video_slot(InTheMiddle)(**parts)
    assert {name: getattr(made, name) for name in parts} == parts


@pytest.mark.parametrize(
    "settings",
    [
        {"processor_class": "Llama4Processor", "image_processor_type": "Llama4ImageProcessorFast"},
        {"processor_class": "Lfm2VlProcessor", "image_processor_type": "Lfm2VlImageProcessor"},
    ],
)
def test_what_truly_needs_torchvision_says_how_to_install_it(
    settings: dict[str, str], untrained: Path, tmp_path: Path
) -> None:
    if importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is installed, so nothing is refused")
    for file in untrained.glob("tokenizer*"):
        shutil.copy(file, tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    with pytest.raises(UnsupportedModel) as caught:
        load_processor(str(tmp_path))
    assert torchvision_command() in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "pinned"),
    [
        ("2.13.0", 'pip install "torch==2.13.0" "torchvision==0.28.*"'),
        (
            "2.12.1+cpu",
            'pip install "torch==2.12.1+cpu" "torchvision==0.27.*" '
            "--index-url https://download.pytorch.org/whl/cpu",
        ),
    ],
)
def test_torchvision_is_the_one_of_the_installed_torch(version: str, pinned: str) -> None:
    assert torchvision_command(version) == pinned


def test_a_folder_without_images_is_no_model_of_images(untrained: Path, tmp_path: Path) -> None:
    for file in untrained.glob("tokenizer*"):
        shutil.copy(file, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    for file in tmp_path.glob("tokenizer_config.json"):
        settings = json.loads(file.read_text())
        settings.pop("processor_class", None)
        file.write_text(json.dumps(settings))
    with pytest.raises(UnsupportedModel, match="no processor for images"):
        load_processor(str(tmp_path))


@pytest.mark.parametrize("own", [None, "{{ 'the checkpoint' }}"])
@pytest.mark.parametrize("model_type", ["llava", "qwen2_5_vl"])
def test_the_family_s_chat_template_serves_where_the_checkpoint_has_none(
    own: str | None, model_type: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    family = dataclasses.replace(load_family(model_type), chat_template="{{ 'the family' }}")
    fixture = request.getfixturevalue("untrained" if model_type == "llava" else "qwen")
    source = fixture if isinstance(fixture, Path) else Path(fixture.source.location)
    for file in source.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, tmp_path)
    template = tmp_path / "chat_template.jinja"
    template.unlink()
    if own is not None:
        template.write_text(own)
    processor = load_processor(str(tmp_path), family)
    said = processor.apply_chat_template([{"role": "user"}], tokenize=False)
    assert said == ("the checkpoint" if own else "the family")
