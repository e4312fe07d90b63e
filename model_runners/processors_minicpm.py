"""How prompts and images become inputs of MiniCPM-V 4.6: the image whole, then in slices by rows.

transformers' class reads its slot for videos, which needs torchvision, to know how it writes them.
"""

from typing import Any

from model_runners.processors_still import AbstractStillProcessor

MARKS = ("image", "slice", "image_id")
"""The tokenizer names a token that begins and one that ends each (`image_start_token`)."""
MERGED = {"4x": 4}
"""Patches of a token by `downsample_mode`; 16 in the usual one."""


class MiniCPMPrompts(AbstractStillProcessor):
    """Tokenizer and image processor of a `MiniCPMV4_6Processor`."""

    not_inputs = ("grids", "num_patches_per_image")

    def __init__(self, **parts: Any):
        """Put the parts together.

        Raises
        ------
        ValueError
            If the tokenizer does not name the marks.
        """
        super().__init__(**parts)
        self._marks = {mark: (self._mark(mark, "start"), self._mark(mark, "end")) for mark in MARKS}

    def _mark(self, mark: str, end: str) -> str:
        found = getattr(self.tokenizer, f"{mark}_{end}_token", None)
        if found is None:
            raise ValueError(f"the tokenizer names no {mark}_{end}_token")
        return found

    def _within(self, mark: str, text: str) -> str:
        start, end = self._marks[mark]
        return f"{start}{text}{end}"

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return the whole image and its slices, a row of them on a line."""
        merged = MERGED.get(self.image_processor.downsample_mode, 16)
        counts: list[int] = (encoded["target_sizes"].prod(-1) // merged).tolist()
        written: list[str] = []
        for (rows, columns), parts in zip(
            encoded["grids"], encoded["num_patches_per_image"], strict=True
        ):
            whole, *slices = (self.image_token * counts.pop(0) for _ in range(parts))
            lines = [
                "".join(self._within("slice", one) for one in slices[row * columns :][:columns])
                for row in range(rows)
            ]
            written.append(self._within("image", whole) + "\n".join(lines))
        return written

    def __call__(self, *, text: Any, images: Any = None, **options: Any) -> dict[str, Any]:
        """Return model inputs; where the model wants it, images are numbered in each prompt."""
        if images is not None and self.image_processor.use_image_id:
            text = [self._numbered(prompt) for prompt in text]
        return super().__call__(text=text, images=images, **options)

    def _numbered(self, prompt: str) -> str:
        first, *others = prompt.split(self.image_token)
        pieces = [first]
        for number, other in enumerate(others):
            pieces += [self._within("image_id", str(number)), self.image_token, other]
        return "".join(pieces)


def assemble(location: str, settings: dict[str, Any]) -> MiniCPMPrompts:
    """Load the parts of a checkpoint's processor from a folder or the hub; no remote code."""
    import transformers

    return MiniCPMPrompts(
        image_processor=transformers.AutoImageProcessor.from_pretrained(
            location, backend="pil", trust_remote_code=False
        ),
        tokenizer=transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False),
        chat_template=settings.get("chat_template"),
    )
