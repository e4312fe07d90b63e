"""How question and options are found in the text of a prompt."""

import re
from dataclasses import dataclass

from data_cache.samples import LETTERS

IMAGE_MARK = "<image>"
HEADINGS = frozenset({"options:", "choices:", "there are several options:"})
"""Lines between question and options that belong to neither."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a prompt asks."""

    question: str
    options: tuple[str, ...] | None
    """None where they could not be told apart; the question is then the whole prompt."""


def asked_in(prompt: str, count: int) -> Asked:
    r"""Split a prompt whose options stand on lines of their own, `A. …`, `(B) …` or `C) …`.

    Parameters
    ----------
    prompt
        The whole text; what follows the last option's line is an instruction.
    count
        How many options there must be.

    Examples
    --------
    >>> asked_in("Which?\nA. red\nB. blue\nAnswer with the letter.\n<image>", 2)
    Asked(question='Which?', options=('red', 'blue'))
    >>> asked_in("Red or blue?", 2)
    Asked(question='Red or blue?', options=None)
    """
    text = prompt.replace(IMAGE_MARK, "").strip()
    starts: list[re.Match[str]] = []
    for letter in LETTERS[:count]:
        at = starts[-1].end() if starts else 0
        found = re.compile(rf"^[ \t]*\(?{letter}[.):][ \t]*", re.MULTILINE).search(text, at)
        if found is None:
            return Asked(question=text, options=None)
        starts.append(found)
    line_end = text.find("\n", starts[-1].end())
    ends = [start.start() for start in starts[1:]]
    ends.append(len(text) if line_end < 0 else line_end)
    options = tuple(
        text[start.end() : end].strip() for start, end in zip(starts, ends, strict=True)
    )
    lines = text[: starts[0].start()].rstrip().split("\n")
    if lines[-1].strip().lower() in HEADINGS:
        lines.pop()
    question = "\n".join(lines).strip()
    if not question or not all(options):
        return Asked(question=text, options=None)
    return Asked(question=question, options=options)
