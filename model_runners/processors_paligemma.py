"""How prompts and images become inputs of PaliGemma: the image, the begin token, text, a line end.

transformers' `PaliGemmaProcessor` writes the begin token and the line end itself, behind the chat
template's back, takes no prompt without an image, and returns labels that the model then computes a
loss of. Here they are part of the rendered prompt.
"""

from typing import Any

from model_runners.processors_still import AbstractStillProcessor


class PaliGemmaPrompts(AbstractStillProcessor):
    """Tokenizer and image processor of a `PaliGemmaProcessor`."""

    def __init__(self, **parts: Any):
        """Put the parts together, as `AbstractStillProcessor` takes them."""
        super().__init__(**parts)
        self.count: int = self.image_processor.image_seq_length

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages; where a template does not write the frame of a prompt, add it."""
        asks = options.get("add_generation_prompt", False)
        text: str = super().apply_chat_template(conversation, **options)
        begin: str = self.tokenizer.bos_token
        place = (
            text.rfind(self.image_token) + len(self.image_token) if self.image_token in text else 0
        )
        if begin not in text:
            text = text[:place] + begin + text[place:]
        return text + "\n" if asks and not text.endswith("\n") else text

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return as many placeholders for each image as the tower gives vectors."""
        return [self.image_token * self.count] * len(encoded["pixel_values"])

    def __call__(self, **keywords: Any) -> dict[str, Any]:
        """Return model inputs; the tokenizer adds nothing of its own to a prompt."""
        return super().__call__(**{**keywords, "add_special_tokens": False})

    def beside(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return the types of the tokens: 0 is read both ways."""
        import torch

        return {"token_type_ids": torch.zeros_like(encoded["input_ids"])}


def assemble(location: str, settings: dict[str, Any]) -> PaliGemmaPrompts:
    """Load the parts of a checkpoint's processor from a folder or the hub; no remote code."""
    import transformers

    return PaliGemmaPrompts(
        image_processor=transformers.AutoImageProcessor.from_pretrained(
            location, backend="pil", trust_remote_code=False
        ),
        tokenizer=transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False),
        chat_template=settings.get("chat_template"),
    )
