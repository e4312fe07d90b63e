"""How prompts and images become inputs of Fuyu, which has no vision tower.

An image is its patches in rows, each row ended by a newline token, in front of the prompt; a token
that begins the answer ends it. transformers' `FuyuProcessor` cuts patches out of tensors with numpy
calls and fails without torchvision, and gives no character offsets: its parts are used here.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from model_runners.processors_qformer import pad_left

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

PATCH, NEWLINE, BEGIN, ANSWER = "|SPEAKER|", "|NEWLINE|", "<s>", "<0x04>"
"""Fuyu's tokens for a patch, the end of a row of patches, the prompt and the answer."""


class FuyuPrompts:
    """Image processor and tokenizer of a `FuyuProcessor`."""

    images_per_prompt = 1

    def __init__(self, processor: Any):
        """Take the parts of a `FuyuProcessor` of transformers.

        Raises
        ------
        ValueError
            If the tokenizer lacks one of Fuyu's tokens.
        """
        self.image_processor = processor.image_processor
        self.tokenizer = processor.tokenizer
        self.image_token = PATCH
        self.chat_template: Any = getattr(processor, "chat_template", None)
        vocabulary = self.tokenizer.get_vocab()
        missing = [token for token in (PATCH, NEWLINE, BEGIN, ANSWER) if token not in vocabulary]
        if missing:
            raise ValueError(f"the tokenizer lacks {', '.join(missing)}, which Fuyu needs")
        self._token = {token: vocabulary[token] for token in (PATCH, NEWLINE, BEGIN, ANSWER)}
        self.image_token_id: int = self._token[PATCH]

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages."""
        options.setdefault("chat_template", self.chat_template)
        return self.tokenizer.apply_chat_template(conversation, **options)

    def __call__(
        self,
        *,
        text: Sequence[str],
        images: "Sequence[Sequence[PIL.Image.Image]] | None" = None,
        **_: Any,
    ) -> dict[str, Any]:
        """Return model inputs and the characters of the prompt that each token stands for.

        Parameters
        ----------
        text
            B prompts, each with one placeholder where there are images.
        images
            One image for each prompt, of any size.

        Returns
        -------
        dict
            Besides what the model takes, `offset_mapping` (B, L, 2) in the prompt without its
            placeholder.
        """
        import numpy as np
        import torch

        pictures = [] if images is None else [self._patches(image) for (image,) in images]
        rows: list[tuple[list[int], list[tuple[int, int]]]] = []
        for index, prompt in enumerate(prompt.replace(PATCH, "") for prompt in text):
            spelled = self.tokenizer(prompt, add_special_tokens=False, return_offsets_mapping=True)
            front: list[int] = []
            if pictures:
                high, wide = pictures[index].shape[:2]
                front = ([self._token[PATCH]] * wide + [self._token[NEWLINE]]) * high
            tokens = [*front, self._token[BEGIN], *spelled["input_ids"], self._token[ANSWER]]
            spans = [tuple(span) for span in spelled["offset_mapping"]]
            end = (len(prompt), len(prompt))
            rows.append((tokens, [(0, 0)] * (len(front) + 1) + spans + [end]))
        encoded = pad_left(rows, self.tokenizer.pad_token_id or 0)
        if pictures:
            flat = [patches.reshape(-1, patches.shape[-1]) for patches in pictures]
            encoded["pixel_values"] = torch.from_numpy(np.concatenate(flat))
        return encoded

    def _patches(self, image: "PIL.Image.Image") -> "np.ndarray":
        """Return (rows, columns, values) patches of an image, filled up to whole ones."""
        import numpy as np

        done = self.image_processor([[image]], return_tensors=None)
        pixels = np.asarray(done["images"][0][0], dtype=np.float32)
        size = self.image_processor.patch_size
        high, wide = size["height"], size["width"]
        rows = math.ceil(int(done["image_unpadded_heights"][0][0]) / high)
        columns = math.ceil(int(done["image_unpadded_widths"][0][0]) / wide)
        cut = pixels[:, : rows * high, : columns * wide].reshape(-1, rows, high, columns, wide)
        return cut.transpose(1, 3, 2, 4, 0).reshape(rows, columns, -1)


def adapt(processor: Any, location: str) -> FuyuPrompts:
    """Take the place of a `FuyuProcessor`."""
    del location
    return FuyuPrompts(processor)
