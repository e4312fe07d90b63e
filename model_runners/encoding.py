"""How samples become one left-padded batch of model inputs, and where each modality sits in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.errors import BenchmarkError
from data_cache.images import UNREADABLE, ImageFile, open_image
from data_cache.samples import Sample
from data_cache.thumbnails import as_seen
from model_runners.asking import USUAL, Asking
from model_runners.errors import BadSample, UnsupportedModel
from model_runners.prompt import MaskScope, Prompt, render
from model_runners.sources import USUAL_SOURCES

if TYPE_CHECKING:
    import PIL.Image
    import torch


@dataclass(frozen=True, kw_only=True)
class EncodedBatch:
    """Model inputs of B samples of at most L tokens, padded on the left."""

    inputs: "dict[str, torch.Tensor]"
    """What the model's forward takes; the last position is the one that predicts the answer."""
    vision: "torch.Tensor"
    """(B, L) bool: positions that hold image embeddings."""
    text: "torch.Tensor"
    """(B, L) bool: positions of the text that the mask scope covers."""
    lengths: "torch.Tensor"
    """(B,) int: tokens without padding."""
    words: "torch.Tensor | None" = None
    """(B, W) bool, where the encoder of images reads the prompt, too: of the words that it reads,
    those that the mask scope covers."""


def decode_image(image: ImageFile) -> "PIL.Image.Image":
    """Decode an image to RGB, upright; its thumbnail shows the same.

    Raises
    ------
    data_cache.errors.BenchmarkError
        If the file cannot be read, is no image that Pillow knows, or has too many pixels.
    UnsupportedModel
        If its pixels cannot be decoded.
    """
    try:
        with open_image(image.read(), image.what) as opened:
            return as_seen(opened)
    except UNREADABLE as error:
        raise UnsupportedModel(f"{image.what} cannot be decoded: {error}") from error


def encode(
    processor: Any,
    samples: Sequence[Sample],
    *,
    image_token_id: int,
    scope: MaskScope = "all",
    with_image: bool = True,
    with_sound: bool = True,
    asking: Asking = USUAL,
) -> EncodedBatch:
    """Encode samples with the model's own processor.

    The maskable text is found through the tokenizer's character offsets, counted from the end of
    the prompt, because the processor lengthens the prompt where it expands the image placeholder.

    Parameters
    ----------
    processor
        A transformers processor with a fast tokenizer.
    samples
        B samples; with `with_image`, each has at least one image and all have the same number.
    image_token_id
        The placeholder's token, from the model's configuration.
    scope
        Which text counts as maskable.
    with_image
        False builds the prompt of the condition NO_IMAGE, which lacks source 1.
    with_sound
        False builds the prompt of the condition NO_AUDIO, which lacks source 2; for sources that
        are video and sound.
    asking
        How the question is put, and which the sources are.

    Raises
    ------
    UnsupportedModel
        If the tokenizer gives no offsets, or text follows the image in a way that cannot be
        resolved.
    BadSample
        If a sample has no image, or more than the model takes, or one that cannot be read or that
        the model's processor refuses.
    """
    import torch

    tokenizer = processor.tokenizer
    if not getattr(tokenizer, "is_fast", False):
        raise UnsupportedModel(
            "the model's tokenizer gives no character offsets; a fast tokenizer is needed"
        )
    if asking.sources != USUAL_SOURCES:
        from model_runners.clips import encode_clips

        return encode_clips(
            processor,
            samples,
            scope=scope,
            asking=asking,
            with_first=with_image,
            with_second=with_sound,
        )
    tokenizer.padding_side = "left"
    prompts = [
        render(processor, sample, with_image=with_image, asking=asking) for sample in samples
    ]
    arguments: dict[str, Any] = {}
    if with_image:
        most = getattr(processor, "images_per_prompt", None)
        arguments["images"] = [_images_of(sample, most) for sample in samples]
    try:
        encoded = dict(
            processor(
                text=[prompt.text for prompt in prompts],
                padding=True,
                return_tensors="pt",
                text_kwargs={"return_offsets_mapping": True},
                add_special_tokens=adds_bos(tokenizer, prompts[0].text),
                **arguments,
            )
        )
    except ValueError as error:  # for example an image of an extreme shape
        if len(samples) == 1:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise BadSample(samples[0].id, f"the model's processor refuses it: {reason}") from error
        for sample in samples:  # raises for the one that is refused by itself
            encode(
                processor,
                [sample],
                image_token_id=image_token_id,
                scope=scope,
                with_image=with_image,
                asking=asking,
            )
        raise
    offsets: torch.Tensor = torch.as_tensor(encoded.pop("offset_mapping"))
    read = encoded.pop("read_offset_mapping", None)
    attended = encoded["attention_mask"].bool()
    ids: torch.Tensor = encoded["input_ids"]
    vision = (ids == image_token_id) & attended
    text = torch.zeros_like(vision)
    words = None if read is None else torch.zeros(read.shape[:2], dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        start, end = _span(prompt, offsets[row], scope)
        text[row] = text_positions(prompt, offsets[row], scope) & attended[row] & ~vision[row]
        if words is not None and read is not None:
            words[row] = (
                (read[row, :, 1] > start)
                & (read[row, :, 0] < end)
                & (read[row, :, 1] > read[row, :, 0])
            )
        after = vision[row].nonzero()
        if len(after) and text[row].any() and int(after.max()) > int(text[row].nonzero().min()):
            raise UnsupportedModel(
                "the chat template puts the image after the text; "
                "the place of the text cannot be told"
            )
    return EncodedBatch(
        inputs=encoded, vision=vision, text=text, lengths=attended.sum(1), words=words
    )


def _span(prompt: Prompt, offsets: "torch.Tensor", scope: MaskScope) -> tuple[int, int]:
    """Return first and last character of the maskable text in the expanded prompt."""
    # The prompt's last character belongs to the last token: its end is the expanded length.
    shift = int(offsets[-1, 1]) - len(prompt.text)
    start, end = prompt.span(scope)
    return start + shift, end + shift


def text_positions(prompt: Prompt, offsets: "torch.Tensor", scope: MaskScope) -> "torch.Tensor":
    """Return (L,) bool: the tokens that spell the maskable text.

    Parameters
    ----------
    prompt
        Before its placeholders were lengthened.
    offsets
        (L, 2), first and last character of each token in the lengthened prompt; the last token ends
        it.
    scope
        Which text counts as maskable.
    """
    start, end = _span(prompt, offsets, scope)
    begins, ends = offsets[:, 0], offsets[:, 1]
    return (ends > start) & (begins < end) & (ends > begins)


def _images_of(sample: Sample, most: int | None) -> "list[PIL.Image.Image]":
    if not sample.images:
        raise BadSample(sample.id, "it has no image, so there is none to mask; leave it out")
    if most is not None and len(sample.images) > most:
        raise BadSample(
            sample.id,
            f"it has {len(sample.images)} images, and this model takes {most} in a prompt; "
            "run the other samples, or another model",
        )
    try:
        return [decode_image(image) for image in sample.images]
    except (BenchmarkError, UnsupportedModel) as error:
        raise BadSample(sample.id, str(error)) from error


def adds_bos(tokenizer: Any, text: str) -> bool:
    """Whether the tokenizer should add its special tokens: not where the template wrote them."""
    return not (tokenizer.bos_token and text.startswith(tokenizer.bos_token))
