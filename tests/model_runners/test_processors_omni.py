"""The inputs of clips: those of transformers' own class, without torchvision."""

from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
import transformers

from model_runners.processors import without_video_slot
from model_runners.processors_omni import OmniProcessor, Pictures
from tests.model_runners.zoo import TINY

HEAR = "<|audio_bos|><|AUDIO|><|audio_eos|>Hear"
WATCH = "<|vision_bos|><|VIDEO|><|vision_eos|>Watch"


@pytest.fixture(scope="module")
def processor() -> OmniProcessor:
    return TINY["qwen2_5_omni_thinker"]()[1]


def picture(seed: int) -> PIL.Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return PIL.Image.fromarray(noise)


def watched(processor: OmniProcessor, frames: list[PIL.Image.Image]) -> dict[str, Any]:
    video = Pictures(frames=frames, seconds=2.0)
    return processor.of_clips(text=[WATCH], videos=[video], sounds=None, return_tensors="pt")


def test_sounds_are_heard_as_by_transformers_own_class(processor: OmniProcessor) -> None:
    kind: Any = without_video_slot(transformers.Qwen2_5OmniProcessor)
    own = kind(
        image_processor=processor.image_processor,
        feature_extractor=processor.feature_extractor,
        tokenizer=processor.tokenizer,
        chat_template=processor.chat_template,
    )
    sounds = [np.sin(np.arange(n) / 5).astype(np.float32) for n in (8000, 12000)]
    text = [HEAR, f"{HEAR} more"]
    theirs = own(text=text, audio=sounds, padding=True, return_tensors="pt")
    ours = processor.of_clips(
        text=text, videos=None, sounds=sounds, padding=True, return_tensors="pt"
    )
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name


def test_a_still_video_has_the_patches_of_its_image(processor: OmniProcessor) -> None:
    image = picture(0)
    still = processor.image_processor([image], return_tensors="pt")
    found = watched(processor, [image] * 4)
    assert torch.equal(found["pixel_values_videos"], torch.cat([still["pixel_values"]] * 2))
    assert found["video_grid_thw"].tolist() == [[2, 8, 8]]
    assert found["video_second_per_grid"].tolist() == [1.0]
    assert (found["input_ids"] == processor.video_token_id).sum() == 2 * 16


def test_of_two_frames_each_has_its_own_slot(processor: OmniProcessor) -> None:
    one, other = picture(0), picture(1)
    first, second, both = (
        watched(processor, frames)["pixel_values_videos"].unflatten(-1, (3, 2, 16))
        for frames in ([one, one], [other, other], [one, other])
    )
    assert torch.equal(both[:, :, 0], first[:, :, 0])
    assert torch.equal(both[:, :, 1], second[:, :, 1])


def test_an_odd_last_frame_is_shown_twice(processor: OmniProcessor) -> None:
    odd = watched(processor, [picture(0), picture(1), picture(2)])
    even = watched(processor, [picture(0), picture(1), picture(2), picture(2)])
    assert torch.equal(odd["pixel_values_videos"], even["pixel_values_videos"])
    assert odd["video_second_per_grid"].item() == pytest.approx(4 / 3)


def test_a_sound_too_short_and_a_placeholder_in_the_text_are_refused(
    processor: OmniProcessor,
) -> None:
    with pytest.raises(ValueError, match="too short"):
        processor.of_clips(text=[HEAR], videos=None, sounds=[np.zeros(10, np.float32)])
    with pytest.raises(ValueError, match="2 placeholders"):
        processor.of_clips(text=[HEAR + HEAR], videos=None, sounds=[np.zeros(8000, np.float32)])
