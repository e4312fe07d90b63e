"""Options that a benchmark writes inside a text: `A: …, B: …`, `(A) …` on lines, `A. … B. …`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MARKED = "ABCDEFGH"
"""More options than any text that is taken apart here has."""


YES_NO = ("Yes", "No")
"""The options of a question that is answered with one of these words."""


class NoOptions(ValueError):
    """A text that has no options in the form that is expected; the message says which form."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A question without its options, and the options without their letters."""

    question: str
    options: tuple[str, ...]


def yes_or_no(text: str) -> int | None:
    """Return the place in `YES_NO` of an answer in words, None where it is another.

    >>> yes_or_no("YES"), yes_or_no("no."), yes_or_no("B")
    (0, 1, None)
    """
    return {"yes": 0, "no": 1}.get(text.strip().rstrip(".").lower())


def without_letter(text: str, letter: str) -> str:
    """Return an option without its own letter before it and without blanks around it.

    Only the letter of that option goes, so that an option that begins with another one is kept.

    >>> without_letter(" B:Focal pattern ", "B"), without_letter("C. none", "C")
    ('Focal pattern', 'none')
    >>> without_letter("A: vitamin", "B"), without_letter("Bilateral", "B")
    ('A: vitamin', 'Bilateral')
    """
    return re.sub(rf"^\s*{re.escape(letter)}\s*[:.]", "", text, count=1).strip()


def options_in_question(text: str) -> Parts:
    r"""Take a question of MMStar apart, in either of its two forms.

    `…\nOptions: A: one, B: two` or lines `(A) one`, `(B) two`, with or without the word `Choices:`
    before them.

    Raises
    ------
    NoOptions
        If it has neither.

    >>> options_in_question("Which?\nOptions: A: red, or so, B: blue")
    Parts(question='Which?', options=('red, or so', 'blue'))
    >>> options_in_question("How many?\nChoices:\n(A) 2\n(B) 3\n(C) 4")
    Parts(question='How many?', options=('2', '3', '4'))
    """
    first = re.compile(r"\s*A:(?=\s|$)")
    for start in reversed(list(re.finditer(r"(?:^|\n)[ \t]*Options:", text))):
        if found := first.match(text, start.end()):
            markers = [rf"[,\n][ \t]*{letter}:(?=\s|$)" for letter in MARKED[1:]]
            return _parts(text[: start.start()], _split(text[found.end() :], markers))
    lines = re.search(r"(?m)^[ \t]*\(A\)(?=\s|$)", text)
    if lines is None:
        raise NoOptions("it holds neither 'Options: A: …, B: …' nor lines '(A) …', '(B) …'")
    markers = [rf"(?m)^[ \t]*\({letter}\)(?=\s|$)" for letter in MARKED[1:]]
    question = text[: lines.start()].rstrip().removesuffix("Choices:")
    return _parts(question, _split(text[lines.end() :], markers))


def options_in_prompt(text: str) -> Parts:
    """Take a multiple-choice prompt of Reefknot apart.

    Raises
    ------
    NoOptions
        If it is none.

    >>> options_in_prompt("Where is it? A. on B. under C. behind D. in, please choose.")
    Parts(question='Where is it?', options=('on', 'under', 'behind', 'in'))
    """
    form = "'…? A. … B. … C. … D. …, please choose.'"
    body = text.rstrip().removesuffix(".").rstrip()
    request = "please choose"
    start = re.search(r"\?(?=\s*A\.)", body)
    if start is None or not body.lower().endswith(request):
        raise NoOptions(f"it is not of the form {form}")
    body = body[: -len(request)].rstrip().removesuffix(",")
    listed = body[start.end() :].lstrip().removeprefix("A.")
    options = _split(listed, [r"(?<=\s)B\.", r"(?<=\s)C\.", r"(?<=\s)D\."])
    if len(options) != 4:
        raise NoOptions(f"it has {len(options)} options, and is not of the form {form}")
    return _parts(body[: start.end()], options)


def _split(body: str, markers: Sequence[str]) -> list[str]:
    """Cut a text at the first place of each marker after the one before it.

    Markers begin with no run of blanks: such a search would take the square of a text's length.
    """
    pieces: list[str] = []
    done = 0
    for marker in markers:
        found = re.compile(marker).search(body, done)
        if found is None:
            break
        pieces.append(body[done : found.start()])
        done = found.end()
    return [*pieces, body[done:]]


def _parts(question: str, options: Sequence[str]) -> Parts:
    stripped = tuple(option.strip() for option in options)
    if len(stripped) < 2:
        raise NoOptions("it has option A, and no option B")
    if not all(stripped):
        letter = MARKED[stripped.index("")]
        raise NoOptions(f"its option {letter} is empty")
    if not question.strip():
        raise NoOptions("it has options, and no question before them")
    return Parts(question=question.strip(), options=stripped)
