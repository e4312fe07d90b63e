"""How a run puts its questions: what counts as an answer, and the template of the prompt.

The two go together wherever a prompt is made, so they travel as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from data_cache.samples import LETTERS, Sample
from model_runners.errors import BadOption, BadSample
from model_runners.prompt_templates import (
    ANSWER_STYLES,
    STANDARD,
    TEMPLATES,
    AnswerStyle,
    checked,
    filled,
    name_of,
    named,
)
from model_runners.sources import USUAL_SOURCES, SourcesName, sources_of

YES_NO = ("Yes", "No")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How questions are put."""

    answers: AnswerStyle = "letters"
    """What counts as an answer."""
    template: str | None = None
    """Text of `model_runners.prompt_templates`; None is the standard one of such answers, and so is
    its own text."""
    sources: SourcesName = USUAL_SOURCES
    """Which parts of the prompt are source 1 and source 2."""

    def __post_init__(self) -> None:
        """Refuse what is no template, or no pair of sources."""
        sources_of(self.sources)
        if self.answers not in ANSWER_STYLES:
            raise BadOption(
                f"answers must be one of {', '.join(ANSWER_STYLES)}, not {self.answers!r}"
            )
        if self.template is not None:
            text = checked(self.template, self.answers)
            standard = named(STANDARD, self.answers)
            object.__setattr__(self, "template", None if text == standard else text)

    @property
    def text(self) -> str:
        """The template's text, whether it is the standard one or not."""
        return named(STANDARD, self.answers) if self.template is None else self.template

    @property
    def name(self) -> str:
        """What to call the template in few words."""
        return name_of(self.text, self.answers)

    @property
    def given(self) -> str:
        """The template as the option --template takes it."""
        return self.name if self.name in TEMPLATES else self.text


USUAL = Asking()
"""Letters and the standard template (Xiu26)."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the user turn says."""

    text: str
    question: tuple[int, int]
    """Start and end character of the question within `text`."""


def said_of(sample: Sample, asking: Asking = USUAL) -> Said:
    """Put a sample's question as asked.

    Raises
    ------
    BadSample
        If the sample's options do not go with the style of answers.
    """
    if asking.answers == "letters" and len(sample.options) > len(LETTERS):
        raise BadSample(
            sample.id,
            f"it has {len(sample.options)} options, but there are {len(LETTERS)} letters; "
            "score the options' own words instead (--answers options)",
        )
    return put(sample.question, sample.options, asking)


def put(question: str, options: Sequence[str], asking: Asking) -> Said:
    """Put a question with these options as asked."""
    lines = option_lines(options, asking.answers)
    text, start = filled(asking.text, question=question.strip(), options=lines)
    return Said(text=text, question=(start, start + len(question.strip())))


def option_lines(options: Sequence[str], answers: AnswerStyle) -> list[str]:
    """Return one line for each option, as it is offered.

    >>> option_lines(("a cat", "a dog"), "letters"), option_lines(("a cat", "a dog"), "options")
    (['A. a cat', 'B. a dog'], ['- a cat', '- a dog'])
    """
    if answers == "letters":
        return [f"{a}. {b}" for a, b in zip(LETTERS, options, strict=False)]
    return [f"- {option}" for option in options]


def user_text(sample: Sample, asking: Asking = USUAL) -> str:
    """Return what the user turn says: question, options where they are offered, and instruction.

    Raises
    ------
    BadSample
        If the sample's options do not go with the style of answers.
    """
    return said_of(sample, asking).text


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


def asking_of_run(config: Mapping[str, Any]) -> Asking | None:
    """Return how a run put its questions, from its configuration; None where nobody knows."""
    if "template" not in config:
        return None
    return _asking(config.get("candidates"), config.get("template_text"), config.get("sources"))


def asking_of_settings(settings: Mapping[str, Any]) -> Asking | None:
    """Return how the run of an estimate put its questions, from the estimate's settings."""
    if "imported" in settings:
        return None
    return _asking(settings.get("answers"), settings.get("template"), settings.get("sources"))


def _asking(candidates: object, template: object, sources: object) -> Asking | None:
    style = str(candidates or "letters")
    answers = "letters" if style.startswith("letters") else style  # also "letters of the turn"
    try:
        return Asking(
            answers=cast(AnswerStyle, answers),
            template=None if template is None else str(template),
            sources=cast(SourcesName, str(sources or USUAL_SOURCES)),
        )
    except BadOption:  # written by a newer PIDscope
        return None
