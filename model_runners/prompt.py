"""How a sample becomes the text of a prompt, and which characters of it may be masked."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from data_cache.samples import LETTERS, Sample
from model_runners.errors import BadSample, UnsupportedModel

MaskScope = Literal["all", "question"]
"""Which text is replaced by noise: everything the user turn says (Xiu26), or the question only."""
MASK_SCOPES: tuple[MaskScope, ...] = ("all", "question")

AnswerStyle = Literal["letters", "options", "yes-no"]
"""How a question is put and what counts as its answers: the letter of an option (Xiu26), the words
of an option, or Yes and No."""
ANSWER_STYLES: tuple[AnswerStyle, ...] = ("letters", "options", "yes-no")

INSTRUCTION = (
    "Please select the correct answer from the options above. "
    "You must answer with the letter of the correct option only."
)
"""Ending of the prompt, Xiu26 appendix C."""
INSTRUCTIONS: Mapping[AnswerStyle, str] = {
    "letters": INSTRUCTION,
    "options": "Please select the correct answer from the options above. "
    "You must answer with the words of the correct option only.",
    "yes-no": "Please answer with Yes or No only.",
}
YES_NO = ("Yes", "No")

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


def user_text(sample: Sample, answers: AnswerStyle = "letters") -> str:
    """Return what the user turn says: question, options where they are offered, and instruction.

    Raises
    ------
    BadSample
        If the sample's options do not go with the style.
    """
    said = [sample.question]
    if answers == "letters":
        if len(sample.options) > len(LETTERS):
            raise BadSample(
                sample.id,
                f"it has {len(sample.options)} options, but there are {len(LETTERS)} letters; "
                "score the options' own words instead (--answers options)",
            )
        said += ["Options:"]
        said += [f"{a}. {b}" for a, b in zip(sample.letters, sample.options, strict=True)]
    elif answers == "options":
        said += ["Options:", *(f"- {option}" for option in sample.options)]
    return "\n".join([*said, INSTRUCTIONS[answers]])


def answer_texts(sample: Sample, answers: AnswerStyle = "letters") -> tuple[str, ...]:
    """Return what the model would write for each option, in the order of the options.

    Raises
    ------
    BadSample
        If an option has no words, or the options are not yes and no where they should be.
    """
    if answers == "letters":
        user_text(sample)  # refuses more options than letters
        return sample.letters
    texts = tuple(option.strip() for option in sample.options)
    if answers == "yes-no":
        texts = tuple(text.rstrip(".").capitalize() for text in texts)
        if sorted(texts) != sorted(YES_NO):
            raise BadSample(
                sample.id,
                f"its options are {', '.join(map(repr, sample.options[:4]))}, not yes and no; "
                "ask for letters or options instead (--answers)",
            )
    for place, text in enumerate(texts):
        if not text:
            raise BadSample(
                sample.id,
                f"option {place + 1} has no words that could be scored; "
                "mend the benchmark, or ask for letters (--answers letters)",
            )
    return texts


def messages(
    sample: Sample,
    *,
    with_image: bool,
    text: str | None = None,
    answers: AnswerStyle = "letters",
) -> list[dict[str, Any]]:
    """Return the chat messages of a sample in the ordinary transformers format."""
    content: list[dict[str, str]] = [{"type": "image"} for _ in sample.images] if with_image else []
    content.append({"type": "text", "text": user_text(sample, answers) if text is None else text})
    turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if sample.system is not None:
        turns.insert(0, {"role": "system", "content": [{"type": "text", "text": sample.system}]})
    return turns


def render(
    processor: Any,
    sample: Sample,
    *,
    with_image: bool = True,
    answers: AnswerStyle = "letters",
) -> Prompt:
    """Render a sample with the model's own chat template and find the maskable characters.

    Raises
    ------
    UnsupportedModel
        If there is no chat template, or the template rewrites the user's text so that its place in
        the prompt cannot be told.
    BadSample
        If the sample's options do not go with the style of answers.
    """
    require_chat_template(processor)
    said = user_text(sample, answers)
    placeholder = getattr(processor, "image_token", None)
    if placeholder and placeholder in said + (sample.system or ""):
        raise UnsupportedModel(
            f"the text of sample {sample.id!r} contains {placeholder!r}, "
            "the model's placeholder for images; take it out of the benchmark's text"
        )
    text: str = processor.apply_chat_template(
        messages(sample, with_image=with_image, answers=answers),
        add_generation_prompt=True,
        tokenize=False,
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
        prompt: str = processor.apply_chat_template(
            asked, add_generation_prompt=True, tokenize=False
        )
        whole: str = processor.apply_chat_template(
            [*asked, turn("assistant", answer)], add_generation_prompt=False, tokenize=False
        )
    except (jinja2.TemplateError, TypeError, ValueError):  # a template that takes no such turns
        return None
    behind = whole.removeprefix(prompt)
    if not whole.startswith(prompt) or not behind.lstrip().startswith(answer):
        return None
    return prompt, prompt + behind[: behind.index(answer) + len(answer)]


def template_fingerprint(processor: Any, answers: AnswerStyle = "letters") -> str:
    """Hash of everything besides the sample that decides what the model reads."""
    said = INSTRUCTIONS[answers]
    content = f"{TEMPLATE_VERSION}\x1f{said}\x1f{_template_text(processor.chat_template)}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _template_text(template: str | Mapping[str, str]) -> str:
    return template if isinstance(template, str) else repr(sorted(template.items()))
