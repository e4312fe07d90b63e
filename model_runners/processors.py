"""Where a model's processor comes from: transformers, or put together where that needs torchvision.

Many processors own a slot for videos whose classes need torchvision, even where only still images
are used. Tokenizer and image processor load without it from the same files. The family's own class
then does the rest with the slot left out; for the Qwen-VL line `GridProcessor` repeats the image
placeholder once per merged patch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.families import Family

if TYPE_CHECKING:
    import PIL.Image


def load_processor(location: str, family: Family) -> Any:
    """Load the processor of a model from a folder or the hub; no remote code.

    Where the checkpoint has no chat template, the family's is taken.

    Raises
    ------
    OSError, ValueError, KeyError, ImportError
        As transformers raises them.
    """
    processor = _processor(location, family)
    if family.chat_template is not None and not getattr(processor, "chat_template", None):
        processor.chat_template = family.chat_template
    return processor


def _processor(location: str, family: Family) -> Any:
    import transformers

    if family.image_grid is None and family.video_slot_of is None:
        return transformers.AutoProcessor.from_pretrained(location, trust_remote_code=False)
    # Pillow and not torchvision, everywhere: the same pixels give the same run key's numbers.
    images = transformers.AutoImageProcessor.from_pretrained(
        location, backend="pil", trust_remote_code=False
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False)
    if family.video_slot_of is not None:
        kind = without_video_slot(family.video_slot_of)
        settings, _ = kind.get_processor_dict(location)
        return kind.from_args_and_dict((images, tokenizer), settings)
    assert family.image_grid is not None
    return GridProcessor(image_processor=images, tokenizer=tokenizer, image_grid=family.image_grid)


def without_video_slot(name: str) -> Any:
    """Return a processor class of transformers that consists of image processor and tokenizer only.

    Its files are the ordinary ones, and the ordinary class loads them where torchvision is.
    """
    import transformers

    base: Any = getattr(transformers, name)

    def get_attributes(cls: type) -> list[str]:
        return [part for part in super(kind, cls).get_attributes() if part != "video_processor"]

    # The name is written to the files.
    kind: Any = type(name, (base,), {"get_attributes": classmethod(get_attributes)})
    return kind


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
