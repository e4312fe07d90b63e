"""How samples with video and sound become one batch, for models that watch and listen.

A video is the sample's frames, which were taken from it at equal distances; the sound is its own
file's, or that of the video. What is longer than the model hears is cut, and the batch says so.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data_cache.errors import BenchmarkError
from data_cache.samples import Sample
from data_cache.sounds import Sound, read_sound
from data_cache.videos import seconds_of
from model_runners.asking import Asking
from model_runners.encoding import EncodedBatch, adds_bos, decode_image, text_positions
from model_runners.errors import BadSample, UnsupportedModel
from model_runners.processors_omni import Pictures
from model_runners.prompt import MaskScope, render
from model_runners.sources import sources_of

if TYPE_CHECKING:
    import numpy as np

STILL_SECONDS = 1.0
"""How long a frame is taken to be shown where neither a video nor a sound says it."""


def require_clips(processor: Any, asking: Asking) -> None:
    """Refuse a processor that takes no video and sound.

    Raises
    ------
    UnsupportedModel
        If it takes images alone.
    """
    if not hasattr(processor, "of_clips"):
        raise UnsupportedModel(
            f"the sources {asking.sources} need a model that watches and listens, and this one "
            "takes images and text; use --sources vision-language, or a model such as Qwen2.5-Omni"
        )


def encode_clips(
    processor: Any,
    samples: Sequence[Sample],
    *,
    scope: MaskScope,
    asking: Asking,
    with_first: bool = True,
    with_second: bool = True,
) -> EncodedBatch:
    """Encode samples with video, sound or both.

    Parameters
    ----------
    processor
        `processors_omni.OmniProcessor`, or of its form.
    samples
        B samples.
    scope
        Which text counts as maskable, where the text is a source.
    asking
        How the question is put, and which the sources are.
    with_first, with_second
        False leaves source 1, or a source 2 that is no text, out of the prompt.

    Returns
    -------
    EncodedBatch
        Its `vision` are the positions of source 1, and its `text` those of source 2.

    Raises
    ------
    UnsupportedModel
        If the processor takes no clips.
    BadSample
        If a sample lacks a medium, or it cannot be read or is refused.
    """
    import torch

    require_clips(processor, asking)
    sources = sources_of(asking.sources)
    shown = sources.media[0 if with_first else 1 : None if with_second else 1]
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    prompts = [render(processor, sample, asking=asking, shown=shown) for sample in samples]
    sounds = [_sound(processor, sample) for sample in samples] if "audio" in shown else None
    videos = [_pictures(sample) for sample in samples] if "video" in shown else None
    try:
        encoded = processor.of_clips(
            text=[prompt.text for prompt in prompts],
            videos=videos,
            sounds=sounds,
            padding=True,
            return_tensors="pt",
            text_kwargs={"return_offsets_mapping": True},
            add_special_tokens=adds_bos(tokenizer, prompts[0].text),
        )
    except ValueError as error:
        if len(samples) == 1:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise BadSample(samples[0].id, f"the model's processor refuses it: {reason}") from error
        for sample in samples:  # raises for the one that is refused by itself
            encode_clips(
                processor,
                [sample],
                scope=scope,
                asking=asking,
                with_first=with_first,
                with_second=with_second,
            )
        raise
    offsets: torch.Tensor = torch.as_tensor(encoded.pop("offset_mapping"))
    attended = encoded["attention_mask"].bool()
    tokens: dict[str, int] = {
        "video": processor.video_token_id,
        "audio": processor.audio_token_id,
    }
    first, second = (
        (encoded["input_ids"] == tokens[medium]) & attended
        if medium in tokens
        else torch.zeros_like(attended)
        for medium in (sources.first, sources.second)
    )
    if sources.second_medium is None:
        for row, prompt in enumerate(prompts):
            second[row] = text_positions(prompt, offsets[row], scope) & attended[row] & ~first[row]
    return EncodedBatch(inputs=encoded, vision=first, text=second, lengths=attended.sum(1))


def sound_of(sample: Sample, *, rate: int, most_seconds: float) -> Sound:
    """Decode what is heard of a sample: its sound, or that of its video.

    Raises
    ------
    BadSample
        If there is none, or it cannot be read.
    """
    media = sample.audio or sample.video
    if media is None:
        raise BadSample(sample.id, "it has neither a sound nor a video; leave it out")
    try:
        return read_sound(media, rate=rate, most_seconds=most_seconds)
    except BenchmarkError as error:
        raise BadSample(sample.id, str(error)) from error


def _sound(processor: Any, sample: Sample) -> "np.ndarray":
    return sound_of(
        sample, rate=processor.sound_rate, most_seconds=processor.most_sound_seconds
    ).waveform


def _pictures(sample: Sample) -> Pictures:
    if not sample.images:
        raise BadSample(sample.id, "it has no video and no frames of one; leave it out")
    try:
        return Pictures(
            frames=[decode_image(image) for image in sample.images], seconds=_seconds(sample)
        )
    except (BenchmarkError, UnsupportedModel) as error:
        raise BadSample(sample.id, str(error)) from error


def _seconds(sample: Sample) -> float:
    """Return how long a sample's pictures are shown: as long as its video, else as its sound."""
    found = None if sample.video is None else seconds_of(sample.video)
    if not found and sample.audio is not None:
        found = read_sound(sample.audio, rate=8000, most_seconds=3600).seconds
    return found or STILL_SECONDS * len(sample.images)
