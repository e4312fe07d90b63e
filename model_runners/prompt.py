"""How a sample becomes the text of a prompt, and which characters of it may be masked."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_cache.samples import Sample
from model_runners.asking import USUAL, Asking, said_of, user_text
from model_runners.errors import UnsupportedModel
from model_runners.prompt_templates import INSTRUCTIONS
from model_runners.sources import USUAL_SOURCES
from model_runners.thoughts import can_think, switches, without_thought

MaskScope = Literal["all", "question"]
"""Which text is replaced by noise: everything the user turn says (Xiu26), or the question only."""
MASK_SCOPES: tuple[MaskScope, ...] = ("all", "question")

TEMPLATE_VERSION = 1
"""Part of the run key; raise it when `said_of`, `messages` or the standard template change
what the model reads."""


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


def messages(
    sample: Sample,
    *,
    with_image: bool,
    text: str | None = None,
    asking: Asking = USUAL,
    shown: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the chat messages of a sample in the ordinary transformers format.

    `shown` are the media before the text; None shows the sample's images.
    """
    if shown is None:
        shown = ["image"] * len(sample.images) if with_image else []
    content: list[dict[str, str]] = [{"type": medium} for medium in shown]
    content.append({"type": "text", "text": user_text(sample, asking) if text is None else text})
    turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if sample.system is not None:
        turns.insert(0, {"role": "system", "content": [{"type": "text", "text": sample.system}]})
    return turns


def render(
    processor: Any,
    sample: Sample,
    *,
    with_image: bool = True,
    asking: Asking = USUAL,
    shown: Sequence[str] | None = None,
) -> Prompt:
    """Render a sample with the model's own chat template and find the maskable characters.

    Parameters
    ----------
    processor
        Of the model.
    sample
        What is asked.
    with_image
        Whether its images are shown.
    asking
        How it is asked.
    shown
        The media that stand before the text instead: `video`, `audio`.

    Raises
    ------
    UnsupportedModel
        If there is no chat template, or the template rewrites the user's text so that its place in
        the prompt cannot be told.
    BadSample
        If the sample's options do not go with the style of answers.
    """
    require_chat_template(processor)
    said = said_of(sample, asking)
    placeholder = getattr(processor, "image_token", None)
    if placeholder and placeholder in asking.text:
        raise UnsupportedModel(
            f"the prompt template contains {placeholder!r}, the model's placeholder for images, "
            "which stand before the text by themselves; take it out of the template"
        )
    if placeholder and placeholder in said.text + (sample.system or ""):
        raise UnsupportedModel(
            f"the text of sample {sample.id!r} contains {placeholder!r}, "
            "the model's placeholder for images; take it out of the benchmark's text"
        )
    text: str = processor.apply_chat_template(
        messages(sample, with_image=with_image, asking=asking, shown=shown),
        add_generation_prompt=True,
        tokenize=False,
        **switches(processor.chat_template),
    )
    text = without_thought(text)
    start = text.rfind(said.text)
    if start < 0:
        raise UnsupportedModel(
            f"the chat template changes the text of sample {sample.id!r} "
            "(for example its blanks), so its place in the prompt cannot be told"
        )
    first, last = said.question
    return Prompt(
        text=text,
        user=(start, start + len(said.text)),
        question=(start + first, start + last),
    )


def require_chat_template(processor: Any) -> None:
    """Refuse a processor that cannot turn messages into a prompt.

    Raises
    ------
    UnsupportedModel
        If it has no chat template.
    """
    if not getattr(processor, "chat_template", None):
        raise UnsupportedModel(
            "the model's processor has no chat template, so the place of the user's text "
            "in the prompt is unknown; add a chat_template.jinja to the model's folder"
        )


def continuation(processor: Any, answer: str) -> tuple[str, str] | None:
    """Return a short prompt, and the same with an answer as the template writes it behind it.

    Whether a blank stands before the answer is the template's business ("ASSISTANT: A", but
    elsewhere an "A" on a line of its own), and which token begins the answer depends on it.

    Returns
    -------
    tuple or None
        None where the template writes no answer right behind the prompt (a block of thoughts, for
        example), or cannot write one.
    """
    if not getattr(processor, "chat_template", None):
        return None

    def turn(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": text}]}

    import jinja2

    asked = [turn("user", "?")]
    try:
        off = switches(processor.chat_template)
        prompt: str = processor.apply_chat_template(
            asked, add_generation_prompt=True, tokenize=False, **off
        )
        whole: str = processor.apply_chat_template(
            [*asked, turn("assistant", answer)], add_generation_prompt=False, tokenize=False, **off
        )
    except (jinja2.TemplateError, TypeError, ValueError):  # a template that takes no such turns
        return None
    behind = whole.removeprefix(prompt)
    if not whole.startswith(prompt) or not behind.lstrip().startswith(answer):
        return None
    return prompt, prompt + behind[: behind.index(answer) + len(answer)]


def template_fingerprint(processor: Any, asking: Asking = USUAL) -> str:
    """Hash of everything besides the sample that decides what the model reads."""
    said = INSTRUCTIONS[asking.answers]
    if asking.template is not None:
        said = f"{asking.answers}\x1f{asking.template}"
    if can_think(processor.chat_template):
        said = f"{said}\x1fwithout thoughts"
    content = f"{TEMPLATE_VERSION}\x1f{said}\x1f{_template_text(processor.chat_template)}"
    if asking.sources != USUAL_SOURCES:
        content = f"{content}\x1fsources {asking.sources}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _template_text(template: str | Mapping[str, str]) -> str:
    return template if isinstance(template, str) else repr(sorted(template.items()))
