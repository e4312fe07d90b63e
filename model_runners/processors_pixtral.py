"""How prompts and images become inputs of Pixtral and Mistral Small 3: rows of patches, with marks.

Each row of merged patches ends in a token, the last one in another; these are text and keep their
places under a mask. transformers' `PixtralProcessor` does not load without torchvision.
"""

from typing import Any

from model_runners.processors_still import AbstractStillProcessor


class PixtralPrompts(AbstractStillProcessor):
    """Tokenizer and image processor of a `PixtralProcessor`."""

    usual_image_token = "[IMG]"

    def __init__(self, *, settings: dict[str, Any], **parts: Any):
        """Put the parts together.

        Parameters
        ----------
        settings
            Of processor_config.json.
        parts
            As `AbstractStillProcessor` takes them.

        Raises
        ------
        ValueError
            If the tokenizer lacks one of the marks.
        """
        super().__init__(**parts)
        self.ends = settings.get("image_break_token", "[IMG_BREAK]")
        self.last = settings.get("image_end_token", "[IMG_END]")
        for mark in (self.ends, self.last):
            self.id_of(mark)
        self.step = settings.get("patch_size", 16) * settings.get("spatial_merge_size", 1)
        # The image processor rounds an image's sides to whole merged patches.
        self.image_processor.patch_size = {"height": self.step, "width": self.step}

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return the rows of each image."""
        written: list[str] = []
        for height, width in encoded["image_sizes"].tolist():
            row = self.image_token * (width // self.step)
            rows = [row] * (height // self.step)
            written.append(self.ends.join(rows) + self.last)
        return written


def assemble(location: str, settings: dict[str, Any]) -> PixtralPrompts:
    """Load the parts of a checkpoint's processor from a folder or the hub; no remote code."""
    import transformers

    return PixtralPrompts(
        image_processor=transformers.AutoImageProcessor.from_pretrained(
            location, backend="pil", trust_remote_code=False
        ),
        tokenizer=transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False),
        image_token=settings.get("image_token"),
        chat_template=settings.get("chat_template"),
        settings=settings,
    )
