"""Processors put together from a tokenizer and an image processor, for prompts with still images.

Some classes of transformers cannot be used as they are: their slot for videos needs torchvision or
another package although no video is shown, they write parts of the prompt that the chat template
does not know of, or they pad between an image and its text. What is left for still images is
little: each placeholder of a prompt becomes what stands for its image, and the rest is tokenizer
and image processor.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import PIL.Image


class AbstractStillProcessor(ABC):
    """Takes the place of a processor of transformers, and gives the same inputs for one prompt."""

    usual_image_token = "<image>"
    """The placeholder where the tokenizer names none."""
    not_inputs: tuple[str, ...] = ()
    """What the image processor gives and the model does not take."""

    def __init__(
        self,
        *,
        image_processor: Any,
        tokenizer: Any,
        image_token: str | None = None,
        chat_template: Any = None,
    ):
        """Put the parts together.

        Parameters
        ----------
        image_processor, tokenizer
            Of transformers, or of the same form.
        image_token
            What stands for an image in a prompt; None is the tokenizer's own `image_token`.
        chat_template
            None keeps the tokenizer's.

        Raises
        ------
        ValueError
            If the tokenizer has no such token.
        """
        self.image_processor = image_processor
        self.tokenizer = tokenizer
        self.image_token: str = (
            image_token or getattr(tokenizer, "image_token", None) or self.usual_image_token
        )
        if chat_template is not None:
            self.chat_template = chat_template
        self.image_token_id: int = self.id_of(self.image_token)

    @property
    def chat_template(self) -> Any:
        """The tokenizer's, or None."""
        return self.tokenizer.chat_template

    @chat_template.setter
    def chat_template(self, template: Any) -> None:
        self.tokenizer.chat_template = template

    def id_of(self, token: str) -> int:
        """Return the id of a token that stands for (a part of) an image.

        Raises
        ------
        ValueError
            If the tokenizer does not have it.
        """
        found = self.tokenizer.convert_tokens_to_ids(token)
        if found is None or found == self.tokenizer.unk_token_id:
            raise ValueError(f"the tokenizer has no image placeholder {token!r}")
        return found

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages with the tokenizer's chat template."""
        return self.tokenizer.apply_chat_template(conversation, **options)

    @abstractmethod
    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return what stands in a prompt for each image.

        Parameters
        ----------
        encoded
            What the image processor made of the images of all prompts.
        """

    def beside(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return inputs that follow from the others."""
        del encoded
        return {}

    def __call__(
        self,
        *,
        text: Sequence[str],
        images: "Sequence[Sequence[PIL.Image.Image]] | None" = None,
        text_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Return model inputs of prompts whose placeholders stand for the images, in order.

        Raises
        ------
        ValueError
            If there are as many placeholders as images in no way.
        """
        encoded: dict[str, Any] = {}
        written: list[str] = []
        if images is not None:
            pictures = [image for of_prompt in images for image in of_prompt]
            encoded = dict(self.image_processor(pictures, return_tensors="pt"))
            written = self.standing_for(encoded)
        placeholders = sum(prompt.count(self.image_token) for prompt in text)
        if placeholders != len(written):
            raise ValueError(
                f"{len(written)} images and {placeholders} placeholders in the prompts"
            )
        expanded: list[str] = []
        for prompt in text:
            first, *others = prompt.split(self.image_token)
            pieces = [first]
            for other in others:
                pieces += [written.pop(0), other]
            expanded.append("".join(pieces))
        encoded = {name: value for name, value in encoded.items() if name not in self.not_inputs}
        encoded |= dict(self.tokenizer(expanded, **(text_kwargs or {}), **options))
        return encoded | self.beside(encoded)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files that both this class and the family's own processor load."""
        self.image_processor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


class GridProcessor(AbstractStillProcessor):
    """Of a family that describes images by a grid of patches: a placeholder for each merged patch.

    tests/model_runners/test_processors.py holds its inputs to those of the families' own classes.
    """

    usual_image_token = "<|image_pad|>"

    def __init__(
        self,
        *,
        image_processor: Any,
        tokenizer: Any,
        image_grid: str,
        image_token: str | None = None,
        chat_template: Any = None,
    ):
        """Put the parts together.

        Parameters
        ----------
        image_processor, tokenizer, image_token, chat_template
            As above.
        image_grid
            Name of the input with (images, 3) patches in time, height and width.

        Raises
        ------
        ValueError
            If the tokenizer has no image placeholder.
        """
        super().__init__(
            image_processor=image_processor,
            tokenizer=tokenizer,
            image_token=image_token,
            chat_template=chat_template,
        )
        self.image_grid = image_grid

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return a row of placeholders for each image."""
        merged = self.image_processor.merge_size**2
        counts: list[int] = (encoded[self.image_grid].prod(-1) // merged).tolist()
        return [self.image_token * count for count in counts]

    def beside(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return which tokens are an image's; M-RoPE falls back to a line without it, silently."""
        return {"mm_token_type_ids": (encoded["input_ids"] == self.image_token_id).int()}
