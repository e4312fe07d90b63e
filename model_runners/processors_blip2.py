"""How prompts and images become inputs of BLIP-2: the image's queries, the begin token, text.

transformers' `Blip2Processor` writes the image's tokens in front of prompts that are padded, so
that padding lies between image and text. Here the chat template says where everything stands.
"""

from typing import Any

from model_runners.processors_still import AbstractStillProcessor


class Blip2Prompts(AbstractStillProcessor):
    """Tokenizer and image processor of a `Blip2Processor`."""

    def __init__(self, *, queries: int, start: int | None, **parts: Any):
        """Put the parts together.

        Parameters
        ----------
        queries
            Vectors of an image.
        start
            The token that an encoder-decoder's answers follow; None for a decoder-only model.
        parts
            As `AbstractStillProcessor` takes them.
        """
        super().__init__(**parts)
        self.queries = queries
        self.start = start

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return as many placeholders for each image as the Q-Former gives vectors."""
        return [self.image_token * self.queries] * len(encoded["pixel_values"])

    def __call__(self, **keywords: Any) -> dict[str, Any]:
        """Return model inputs; the tokenizer adds nothing of its own to a prompt."""
        return super().__call__(**{**keywords, "add_special_tokens": False})

    def beside(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return where the decoder begins, in an encoder-decoder."""
        import torch

        if self.start is None:
            return {}
        return {"decoder_input_ids": torch.full((len(encoded["input_ids"]), 1), self.start)}


def assemble(location: str, settings: dict[str, Any]) -> Blip2Prompts:
    """Load the parts of a checkpoint's processor from a folder or the hub; no remote code."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(location, trust_remote_code=False)
    text = config.get_text_config()
    return Blip2Prompts(
        image_processor=transformers.AutoImageProcessor.from_pretrained(
            location, backend="pil", trust_remote_code=False
        ),
        tokenizer=transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False),
        chat_template=settings.get("chat_template"),
        queries=config.num_query_tokens,
        start=text.decoder_start_token_id if config.is_encoder_decoder else None,
    )
