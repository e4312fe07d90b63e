"""How a sample becomes the text of a prompt, and which characters of it may be masked."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from data_cache.samples import Sample
from model_runners.errors import UnsupportedModel

MaskScope = Literal["all", "question"]
"""Which text is replaced by noise: everything the user turn says (Xiu26), or the question only."""
MASK_SCOPES: tuple[MaskScope, ...] = ("all", "question")

INSTRUCTION = (
    "Please select the correct answer from the options above. "
    "You must answer with the letter of the correct option only."
)
"""Ending of the prompt, Xiu26 appendix C."""

TEMPLATE_VERSION = 1
"""Part of the run key; raise it when `user_text` or `messages` change what the model reads."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A rendered prompt; the image placeholder is still one token."""

    text: str
    user: tuple[int, int]
    """Start and end character of what the user turn says."""
    question: tuple[int, int]
    """Start and end character of the question within `text`."""

    def span(self, scope: MaskScope) -> tuple[int, int]:
        """Return the characters that a mask scope covers."""
        return self.user if scope == "all" else self.question


def user_text(sample: Sample) -> str:
    """Return question, lettered options and instruction, as the user turn says them."""
    options = "\n".join(
        f"{letter}. {option}" for letter, option in zip(sample.letters, sample.options, strict=True)
    )
    return f"{sample.question}\nOptions:\n{options}\n{INSTRUCTION}"


def messages(sample: Sample, *, with_image: bool, text: str | None = None) -> list[dict[str, Any]]:
    """Return the chat messages of a sample in the ordinary transformers format."""
    content: list[dict[str, str]] = [{"type": "image"} for _ in sample.images] if with_image else []
    content.append({"type": "text", "text": user_text(sample) if text is None else text})
    turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if sample.system is not None:
        turns.insert(0, {"role": "system", "content": [{"type": "text", "text": sample.system}]})
    return turns


def render(processor: Any, sample: Sample, *, with_image: bool = True) -> Prompt:
    """Render a sample with the model's own chat template and find the maskable characters.

    Raises
    ------
    UnsupportedModel
        If there is no chat template, or the template rewrites the user's text so that its place in
        the prompt cannot be told.
    """
    if not getattr(processor, "chat_template", None):
        raise UnsupportedModel(
            "the model's processor has no chat template, so the place of the user's text "
            "in the prompt is unknown; add a chat_template.jinja to the model's folder"
        )
    said = user_text(sample)
    placeholder = getattr(processor, "image_token", None)
    if placeholder and placeholder in said + (sample.system or ""):
        raise UnsupportedModel(
            f"the text of sample {sample.id!r} contains {placeholder!r}, "
            "the model's placeholder for images; take it out of the benchmark's text"
        )
    text: str = processor.apply_chat_template(
        messages(sample, with_image=with_image), add_generation_prompt=True, tokenize=False
    )
    start = text.rfind(said)
    if start < 0:
        raise UnsupportedModel(
            f"the chat template changes the text of sample {sample.id!r} "
            "(for example its blanks), so its place in the prompt cannot be told"
        )
    return Prompt(
        text=text, user=(start, start + len(said)), question=(start, start + len(sample.question))
    )


def template_fingerprint(processor: Any) -> str:
    """Hash of everything besides the sample that decides what the model reads."""
    content = f"{TEMPLATE_VERSION}\x1f{INSTRUCTION}\x1f{_template_text(processor.chat_template)}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _template_text(template: str | Mapping[str, str]) -> str:
    return template if isinstance(template, str) else repr(sorted(template.items()))
