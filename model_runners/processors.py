"""Where a model's processor comes from: transformers, or put together where that needs torchvision.

Many processors own a slot for videos whose classes need torchvision, even where only still images
are used. Tokenizer and image processor load without it from the same files. The model's own class
then does the rest with the slot left out; for the Qwen-VL line `GridProcessor` repeats the image
placeholder once per merged patch. What needs torchvision for its images is refused with the command
that installs the matching one.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.errors import UnsupportedModel
from model_runners.families import Family

if TYPE_CHECKING:
    import PIL.Image

VIDEO_SLOT = "video_processor"
"""Name of the part of a processor that is left out."""


def load_processor(location: str, family: Family | None = None) -> Any:
    """Load the processor of a model from a folder or the hub; no remote code.

    Where the checkpoint has no chat template, the family's is taken.

    Parameters
    ----------
    location
        A folder or a hub id.
    family
        Of the model; None where no file describes it.

    Raises
    ------
    UnsupportedModel
        If the images need torchvision and it is not installed, or there is no image processor.
    OSError, ValueError, KeyError, ImportError
        As transformers raises them.
    """
    try:
        processor = _adapted(_processor(location, family), location)
    except (ImportError, ValueError) as error:
        if "torchvision" not in str(error).lower():
            raise
        raise UnsupportedModel(
            f"the images of the model in {location} need torchvision, which is not installed or "
            f"does not match torch; `{torchvision_command()}`"
        ) from error
    if not hasattr(processor, "image_processor") or not hasattr(processor, "tokenizer"):
        raise UnsupportedModel(
            f"the model in {location} has no processor for images (its files give a "
            f"{type(processor).__name__}); a model of images and text is needed"
        )
    if (
        family is not None
        and family.chat_template is not None
        and not getattr(processor, "chat_template", None)
    ):
        processor.chat_template = family.chat_template
    return processor


ADAPTED = {
    "FuyuProcessor": "model_runners.processors_fuyu",
    "InstructBlipProcessor": "model_runners.processors_qformer",
}
"""Class of transformers whose batches are wrong or fail -> module whose `adapt` replaces it."""


def _adapted(processor: Any, location: str) -> Any:
    module = ADAPTED.get(type(processor).__name__)
    if module is None:
        return processor
    return importlib.import_module(module).adapt(processor, location)


def _processor(location: str, family: Family | None) -> Any:
    import transformers

    # Pillow and not torchvision, everywhere: the same pixels give the same run key's numbers.
    choices: dict[str, Any] = {"backend": "pil", "trust_remote_code": False}
    grid = None if family is None else family.image_grid
    kind = None if grid else _declared_class(location)
    if not grid and (kind is None or VIDEO_SLOT not in kind.get_attributes()):
        return transformers.AutoProcessor.from_pretrained(location, **choices)
    images = transformers.AutoImageProcessor.from_pretrained(location, **choices)
    tokenizer = transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False)
    if grid:
        return GridProcessor(image_processor=images, tokenizer=tokenizer, image_grid=grid)
    assert kind is not None
    parts: dict[str, Any] = {"image_processor": images, "tokenizer": tokenizer}
    slots: list[str] = kind.get_attributes()
    if "feature_extractor" in slots:
        parts["feature_extractor"] = transformers.AutoFeatureExtractor.from_pretrained(
            location, trust_remote_code=False
        )
    still = without_video_slot(kind)
    settings, _ = still.get_processor_dict(location)
    try:
        return still.from_args_and_dict([parts.get(slot) for slot in slots], settings)
    except AttributeError:  # the class reads its slot for videos: whole, or not at all
        return transformers.AutoProcessor.from_pretrained(location, trust_remote_code=False)


def _declared_class(location: str) -> Any:
    """Return the processor class of transformers that a model's files or its type name, or None."""
    from transformers import AutoConfig, ImageProcessingMixin, ProcessorMixin
    from transformers.models.auto import processing_auto

    for read in (ProcessorMixin.get_processor_dict, ImageProcessingMixin.get_image_processor_dict):
        try:
            settings, _ = read(location)
        except (OSError, ValueError):
            continue  # there is no such file; the model's type says it too
        if "processor_class" in settings:
            return processing_auto.processor_class_from_name(settings["processor_class"])
    kind = AutoConfig.from_pretrained(location, trust_remote_code=False).model_type
    name = getattr(processing_auto, "PROCESSOR_MAPPING_NAMES").get(kind)  # noqa: B009 -- not exported
    return None if name is None else processing_auto.processor_class_from_name(name)


def torchvision_command(torch_version: str | None = None) -> str:
    """Return the pip command that installs the torchvision of a torch, by default the installed.

    torchvision 0.(N + 15) is made for torch 2.N. A wheel for another torch, or for CUDA beside a
    torch for CPUs, cannot be imported, and its presence breaks transformers.

    >>> torchvision_command("2.13.0")
    'pip install "torch==2.13.0" "torchvision==0.28.*"'
    """
    if torch_version is None:
        import torch

        torch_version = str(torch.__version__)
    version, _, build = torch_version.partition("+")
    minor = int(version.split(".")[1]) + 15
    index = f" --index-url https://download.pytorch.org/whl/{build}" if build else ""
    return f'pip install "torch=={torch_version}" "torchvision==0.{minor}.*"{index}'


def without_video_slot(base: Any) -> Any:
    """Return a processor class that is a class of transformers without its slot for videos.

    Its files are the ordinary ones, and the ordinary class loads them where torchvision is.

    Parameters
    ----------
    base
        A processor class of transformers.
    """
    from transformers import ProcessorMixin

    slots: list[str] = base.get_attributes()

    class StillImages(ProcessorMixin):
        """Takes the parts by name, so that the slot may stand anywhere among them."""

        def __init__(self, *args: Any, **keywords: Any):
            given = {**dict(zip(slots, args, strict=False)), **keywords}
            given.pop(VIDEO_SLOT, None)
            super().__init__(**given)

    def get_attributes(cls: type) -> list[str]:
        return [slot for slot in slots if slot != VIDEO_SLOT]

    # The name is written to the files. The class of transformers hands its parts to the next one.
    return type(base.__name__, (base, StillImages), {"get_attributes": classmethod(get_attributes)})


class GridProcessor:
    """Tokenizer and image processor of a family that describes images by a grid of patches.

    It takes the place of the family's own processor in transformers for still images, and gives the
    same inputs (tests/model_runners/test_processors.py).
    """

    def __init__(self, *, image_processor: Any, tokenizer: Any, image_grid: str):
        """Put the parts together; the placeholder is the tokenizer's `image_token`.

        Raises
        ------
        ValueError
            If the tokenizer names no image placeholder.
        """
        self.image_processor = image_processor
        self.tokenizer = tokenizer
        self.image_grid = image_grid
        self.image_token: str = getattr(tokenizer, "image_token", None) or "<|image_pad|>"
        self.image_token_id: int = tokenizer.convert_tokens_to_ids(self.image_token)
        if self.image_token_id is None or self.image_token_id == tokenizer.unk_token_id:
            raise ValueError(f"the tokenizer has no image placeholder {self.image_token!r}")

    @property
    def chat_template(self) -> Any:
        """The tokenizer's, or None."""
        return self.tokenizer.chat_template

    @chat_template.setter
    def chat_template(self, template: Any) -> None:
        self.tokenizer.chat_template = template

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages with the tokenizer's chat template."""
        return self.tokenizer.apply_chat_template(conversation, **options)

    def __call__(
        self,
        *,
        text: Sequence[str],
        images: "Sequence[Sequence[PIL.Image.Image]] | None" = None,
        text_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Return model inputs of prompts whose placeholders stand for the images, in order."""
        encoded: dict[str, Any] = {}
        counts: list[int] = []
        if images is not None:
            encoded = dict(
                self.image_processor(
                    [image for of_prompt in images for image in of_prompt], return_tensors="pt"
                )
            )
            merged = self.image_processor.merge_size**2
            counts = (encoded[self.image_grid].prod(-1) // merged).tolist()
        placeholders = sum(prompt.count(self.image_token) for prompt in text)
        if placeholders != len(counts):
            raise ValueError(f"{len(counts)} images and {placeholders} placeholders in the prompts")
        expanded: list[str] = []
        for prompt in text:
            first, *others = prompt.split(self.image_token)
            pieces = [first]
            for other in others:
                pieces += [self.image_token * counts.pop(0), other]
            expanded.append("".join(pieces))
        encoded |= dict(self.tokenizer(expanded, **(text_kwargs or {}), **options))
        # Without it the family falls back to one-dimensional positions and says nothing.
        encoded["mm_token_type_ids"] = (encoded["input_ids"] == self.image_token_id).int()
        return encoded

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files that both this class and the family's own processor load."""
        self.image_processor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
