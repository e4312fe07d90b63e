"""Which tokens stand for the answers, and which answer a token spells."""

from collections.abc import Sequence
from typing import Any

from model_runners.errors import UnsupportedModel


class Candidates:
    """The answer letters as tokens of one model."""

    def __init__(self, tokenizer: Any):
        """Look every letter up when it is first needed."""
        self._tokenizer = tokenizer
        self._tokens: dict[str, int] = {}
        self._spelled: dict[int, str] = {}

    def token(self, letter: str) -> int:
        """Return the token of a letter, encoded without special tokens (as Xiu26 does).

        Raises
        ------
        UnsupportedModel
            If the letter takes more than one token.
        """
        if letter not in self._tokens:
            ids = self._tokenizer.encode(letter, add_special_tokens=False)
            if len(ids) != 1:
                raise UnsupportedModel(
                    f"the tokenizer spells the answer {letter!r} with {len(ids)} tokens ({ids}); "
                    "only answers of one token can be scored yet"
                )
            self._tokens[letter] = int(ids[0])
        return self._tokens[letter]

    def choice(self, token: int, letters: Sequence[str]) -> int:
        """Return the letter that a token spells but for case and blanks, or -1 (Xiu26, strict)."""
        if token not in self._spelled:
            self._spelled[token] = str(self._tokenizer.decode([token])).strip().lower()
        spelled = self._spelled[token]
        return next((i for i, letter in enumerate(letters) if letter.lower() == spelled), -1)
