"""The words around a question: the named prompt templates, and what one's own must be like.

A template is text with the fields `{question}` and, where options are offered, `{options}`. Only
these two are replaced, and only in the template: braces in a question or an option stay as they
are, and so do other braces of the template.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unicodedata import category

from model_runners.errors import BadOption

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

STANDARD = "standard"
"""The name of the template that is used where nobody chooses one."""
LONGEST = 20_000
"""Characters of a template; a longer one is a wrong file."""
_LABEL, _HINT = "Question: ", "Hint: "
_FIELD = re.compile(r"\{\s*([A-Za-z_]\w*)\s*\}")
_QUESTION, _OPTIONS = "{question}", "{options}"


@dataclass(frozen=True, kw_only=True)
class NamedTemplate:
    """A template that can be chosen by its name."""

    summary: str
    """Where it comes from, for a person."""
    texts: Mapping[AnswerStyle, str]
    """For each style of answers that it can ask for."""


TEMPLATES: Mapping[str, NamedTemplate] = {
    STANDARD: NamedTemplate(
        summary="question, options and the instruction of Xiu26",
        texts={
            "letters": f"{_QUESTION}\nOptions:\n{_OPTIONS}\n{INSTRUCTION}",
            "options": f"{_QUESTION}\nOptions:\n{_OPTIONS}\n{INSTRUCTIONS['options']}",
            "yes-no": f"{_QUESTION}\n{INSTRUCTIONS['yes-no']}",
        },
    ),
    "vlmevalkit": NamedTemplate(
        summary="as VLMEvalKit asks; it does not say how to answer",
        texts={
            "letters": f"Question: {_QUESTION}\nOptions:\n{_OPTIONS}\n"
            "Please select the correct answer from the options above.",
            "yes-no": _QUESTION,
        },
    ),
    "lmms-eval": NamedTemplate(
        summary="as lmms-eval asks MMBench (letters) and POPE (Yes and No)",
        texts={
            "letters": f"{_QUESTION} There are several options:\n{_OPTIONS}\n\n"
            "Answer with the option's letter from the given choices directly.",
            "yes-no": f"{_QUESTION}\nAnswer the question using a single word or phrase.",
        },
    ),
    "llava": NamedTemplate(
        summary="as LLaVA-1.5 was trained to be asked",
        texts={
            "letters": f"{_QUESTION}\n{_OPTIONS}\n"
            "Answer with the option's letter from the given choices directly.",
            "yes-no": f"{_QUESTION}\nAnswer the question using a single word or phrase.",
        },
    ),
}


def names_for(answers: AnswerStyle) -> tuple[str, ...]:
    """Return the names of the templates that can ask for such answers.

    >>> names_for("options")
    ('standard',)
    """
    return tuple(name for name, template in TEMPLATES.items() if answers in template.texts)


def named(name: str, answers: AnswerStyle) -> str:
    """Return the text of a named template.

    Raises
    ------
    BadOption
        If it cannot ask for such answers.
    """
    texts = TEMPLATES[name].texts
    if answers not in texts:
        raise BadOption(
            f"the template {name!r} asks for {' or '.join(texts)}, not for {answers}; choose "
            f"another (--template) of {', '.join(names_for(answers))}, or give your own"
        )
    return texts[answers]


def read_template(given: str, answers: AnswerStyle) -> str:
    """Return the text of a template that is given by its name, as a file, or as text.

    Raises
    ------
    BadOption
        If there is no such template, the file cannot be read, or the text is no template.
    """
    if given in TEMPLATES:
        return named(given, answers)
    return checked(given if _QUESTION in given else _file_text(given), answers)


def _file_text(name: str) -> str:
    path = Path(name).expanduser()
    choices = f"the names are {', '.join(TEMPLATES)}, and a text contains {_QUESTION}"
    try:
        with path.open("rb") as file:
            raw = file.read(4 * LONGEST + 1)
    # An empty name is the folder one is in; a text with a NUL, or of great length, is no path.
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise BadOption(
            f"{_quoted(name)} is no prompt template and no file that can be read ({reason}); "
            f"{choices}"
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadOption(
            f"the prompt template {path} is not UTF-8 text (byte {error.start}); "
            "save it as UTF-8 text"
        ) from error


def checked(text: str, answers: AnswerStyle) -> str:
    r"""Return a template as it is used: with plain line ends and without blanks at its ends.

    Many chat templates cut such blanks off, and editors add them.

    Raises
    ------
    BadOption
        If a field is missing, unknown or there twice, or the text cannot be one.

    >>> checked(" {question}\r\n{options} \n", "letters")
    '{question}\n{options}'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST:
        raise BadOption(
            f"the prompt template has over {LONGEST:,} characters; is this the right file?"
        )
    strange = next((c for c in text if c not in "\n\t" and category(c) in {"Cc", "Cs"}), None)
    if strange is not None:
        raise BadOption(
            f"the prompt template contains the character U+{ord(strange):04X}, "
            "which no tokenizer expects; take it out"
        )
    wanted = {_QUESTION} if answers == "yes-no" else {_QUESTION, _OPTIONS}
    for found in _FIELD.finditer(text):
        if found.group() not in wanted:
            raise BadOption(_unknown(found.group(), answers, wanted))
    for field in sorted(wanted, reverse=True):
        count = text.count(field)
        if count != 1:
            raise BadOption(
                f"the prompt template has {field} {count} times; write it once, where the "
                f"{field[1:-1]} {'goes' if field == _QUESTION else 'go'}"
            )
    return text


def _unknown(field: str, answers: AnswerStyle, wanted: set[str]) -> str:
    if field == _OPTIONS:
        return (
            f"the prompt template has {field}, but questions whose answers are Yes and No list no "
            f"options; take it out, or ask otherwise than with --answers {answers}"
        )
    return (
        f"the prompt template has {field}, which is no field; it can have "
        f"{' and '.join(sorted(wanted, reverse=True))}"
    )


def filled(text: str, *, question: str, options: Sequence[str]) -> tuple[str, int]:
    r"""Put a question and the lines of its options into a template.

    Blanks at the ends of the whole are dropped, because many chat templates drop them. A question
    that comes with a hint says itself where it begins, so the template does not say it again.

    Returns
    -------
    tuple
        The text, and at which character of it the question begins.

    >>> filled("Q: {question} {options}", question="{options}?", options=["A. 1", "B. 2"])
    ('Q: {options}? A. 1\nB. 2', 3)
    >>> filled("Question: {question}", question="Hint: It rolls.\nQuestion: What?", options=[])
    ('Hint: It rolls.\nQuestion: What?', 0)
    """
    values = {_QUESTION: question, _OPTIONS: "\n".join(options)}
    said, start = "", 0
    for piece in re.split(r"(\{question\}|\{options\})", text):
        if piece == _QUESTION:
            if question.startswith(_HINT):
                said = said.removesuffix(_LABEL)
            start = len(said)
        said += values.get(piece, piece)
    before = len(said) - len(said.lstrip())
    return said.strip(), max(0, start - before)


def name_of(text: str, answers: AnswerStyle) -> str:
    """Return the name of a template; one's own is called by six digits that change with its text.

    >>> name_of("{question}", "yes-no"), name_of("{question}!", "yes-no")
    ('vlmevalkit', 'own c90019')
    """
    for name, template in TEMPLATES.items():
        if template.texts.get(answers) == text:
            return name
    return f"own {hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:59]}…")
