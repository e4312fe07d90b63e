"""Which tokens stand for the answers of a sample, and which answer a token spells.

An answer is scored as the model would go on with it: its tokens are those that follow the prompt
when the model's own chat template writes the answer there. So "A" after "ASSISTANT:" is another
token than "A" on a new line, and neither is written down anywhere in PIDscope.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from data_cache.samples import LETTERS, Sample
from model_runners.asking import USUAL, Asking, answer_texts
from model_runners.errors import BadSample, UnsupportedModel
from model_runners.prompt import continuation

if TYPE_CHECKING:
    from model_runners.loading import LoadedModel

Tokens = tuple[int, ...]
"""One answer."""


class Candidates:
    """The answers of samples as tokens of one model."""

    def __init__(self, processor: Any, *, asking: Asking = USUAL, bare: bool = False):
        """Look every answer up when it is first needed.

        Parameters
        ----------
        processor
            A processor with a chat template; of a tokenizer alone, or where the template writes no
            answer behind its prompt, an answer is what the tokenizer makes of it without special
            tokens (as Xiu26 does).
        asking
            How the questions are put, and what counts as an answer.
        bare
            Do that in any case.
        """
        self.asking = asking
        self._processor = processor
        self._tokenizer: Any = getattr(processor, "tokenizer", processor)
        self._bare = bare
        self._tokens: dict[str, Tokens] = {}
        self._spelled: dict[int, str] = {}

    @classmethod
    def of_model(cls, loaded: "LoadedModel", asking: Asking = USUAL) -> "Candidates":
        """Return the answers as a loaded model writes them."""
        bare = loaded.source.bare_letters and asking.answers == "letters"
        return cls(loaded.processor, asking=asking, bare=bare)

    def of(self, sample: Sample) -> tuple[Tokens, ...]:
        """Return the tokens of each option, in the order of the options.

        Raises
        ------
        BadSample
            If the options do not go with the style of answers, or one has no tokens that spell it.
        """
        found: list[Tokens] = []
        for place, text in enumerate(answer_texts(sample, self.asking.answers)):
            tokens = self.tokens(text)
            unknown = getattr(self._tokenizer, "unk_token_id", None)
            if not tokens or unknown in tokens:
                said = "no token" if not tokens else "its token for what it does not know"
                raise BadSample(
                    sample.id,
                    f"the tokenizer has {said} for option {place + 1}, {text!r}; "
                    "mend the benchmark, or ask for letters (--answers letters)",
                )
            found.append(tokens)
        return tuple(found)

    def several_tokens(self, sample: Sample) -> bool:
        """Whether the answers of a sample can be scored and one has several tokens."""
        try:
            return any(len(tokens) > 1 for tokens in self.of(sample))
        except BadSample:
            return False

    def tokens(self, answer: str) -> Tokens:
        """Return the tokens that follow the prompt where an answer stands behind it."""
        if answer not in self._tokens:
            self._tokens[answer] = self._continued(answer) or self._encode(answer)
        return self._tokens[answer]

    def token(self, letter: str) -> int:
        """Return the token of a letter.

        Raises
        ------
        UnsupportedModel
            If the letter takes more than one token.
        """
        tokens = self.tokens(letter)
        if len(tokens) != 1:
            raise UnsupportedModel(
                f"the tokenizer spells the answer {letter!r} with {len(tokens)} tokens "
                f"({list(tokens)}); only answers of one token can be trained on"
            )
        return tokens[0]

    @property
    def description(self) -> str:
        """The style of answers as it stands in a run's key.

        `letters` alone means letters as the tokenizer encodes them by themselves.
        """
        plain = all(self.tokens(letter) == self._encode(letter) for letter in LETTERS[:4])
        answers = self.asking.answers
        return answers if answers != "letters" or plain else "letters of the turn"

    def single_token(self, samples: Iterable[Sample]) -> bool:
        """Whether the answers of all these samples are letters of one token each.

        Only then do their probabilities add up to 1 at most.
        """
        most = max(len(sample.options) for sample in samples)
        return self.asking.answers == "letters" and all(
            len(self.tokens(letter)) == 1 for letter in LETTERS[:most]
        )

    def alike(self, token: int, other: int) -> bool:
        """Whether two tokens spell the same but for case and blanks (Xiu26, strict)."""
        spelled = self._spelling(token)
        return token == other or (spelled != "" and spelled == self._spelling(other))

    def _continued(self, answer: str) -> Tokens:
        found = None if self._bare else continuation(self._processor, answer)
        if found is None:
            return ()
        prompt, whole = (self._encode(text) for text in found)
        # Where the answer's first letters melt into the prompt's last token there is no boundary.
        return whole[len(prompt) :] if whole[: len(prompt)] == prompt else ()

    def _encode(self, text: str) -> Tokens:
        return tuple(int(i) for i in self._tokenizer.encode(text, add_special_tokens=False))

    def _spelling(self, token: int) -> str:
        if token not in self._spelled:
            self._spelled[token] = str(self._tokenizer.decode([token])).strip().lower()
        return self._spelled[token]
