"""Where a piece of text lies among a prompt's tokens, for tokenizers that give no offsets."""

from __future__ import annotations

from typing import Callable

Encode = Callable[[str], "list[int]"]


def common_start(one: list[int], other: list[int]) -> int:
    """Return how many tokens two lists begin with alike."""
    length = 0
    for a, b in zip(one, other):
        if a != b:
            break
        length += 1
    return length


def span_of(encode: Encode, prompt: str, start: int, end: int) -> tuple[int, int]:
    """Return the first token of a piece of a prompt and the first one behind it.

    A token that belongs half to the piece counts as its own: what is hidden must be hidden whole.

    Parameters
    ----------
    encode
        Text to tokens, placeholders of images included.
    prompt
        The whole text.
    start, end
        Characters of the piece.
    """
    whole = encode(prompt)
    before = encode(prompt[:start])
    first = common_start(before, whole)
    upto = encode(prompt[:end])
    alike = common_start(upto, whole)
    if alike == len(upto):
        return first, alike
    behind = encode(prompt[end:])
    last = len(whole) - common_start(behind[::-1], whole[::-1])
    return first, max(last, alike + 1, first)


def tokens_behind(encode: Encode, prompt: str, answer: str) -> list[int]:
    """Return the tokens that an answer adds to a prompt; none where it melts into the last one."""
    before, whole = encode(prompt), encode(prompt + answer)
    return whole[len(before) :] if whole[: len(before)] == before else []
