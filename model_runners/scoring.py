"""How likely each answer is after a prompt, and which one the whole vocabulary prefers.

The score of an answer is the mean over its tokens of log p(token | prompt, tokens before it), under
the whole vocabulary. An answer of one token needs the prompt's last position and nothing more. One
of several tokens is put behind the prompt: its keys and values are computed once and kept, and each
option in turn goes on from there, so that a token of an answer costs one position of the text stack
and not one prompt. What a condition masks is in those keys and values; an answer's own tokens are
never masked.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_runners.candidates import Candidates, Tokens
from model_runners.channels import side_keywords
from model_runners.encoding import EncodedBatch
from model_runners.errors import UnsupportedModel
from model_runners.stack import Captured, LastToken, TextStack, holds_tensor, replay, take
from model_runners.vision import merge

if TYPE_CHECKING:
    import numpy as np
    import torch

    from model_runners.loading import LoadedModel

REPEATED = ("cross_attention_mask", "full_text_row_masked_out_mask")
"""Keywords of (R, 1, L, ...) that an answer's tokens continue as the prompt's last token has them:
what it sees of an image, they see."""
REBUILT = ("attention_mask", "position_ids")
"""Keywords that are made anew for an answer's tokens."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one layer says of the answers of R rows."""

    scores: "list[np.ndarray]"
    """(K,) float32 for each row: mean log-likelihood of each answer's tokens."""
    strict: list[int]
    """For each row the answer that greedy decoding would spell, but for case and blanks, or -1."""
    top: list[int]
    """For each row the most likely token after the prompt."""


@dataclass(frozen=True, kw_only=True)
class Prompted:
    """What is kept of a batch's prompts to go on from."""

    cache: Any
    """transformers' cache of keys and values of R rows."""
    attended: "torch.Tensor"
    """(R, L): 1 where the prompt has a token, 0 where it has padding."""
    keywords: Mapping[str, Any]
    """Of the text stack for the prompt."""


def score(
    stack: TextStack,
    candidates: Candidates,
    answers: Sequence[Sequence[Tokens]],
    states: "torch.Tensor",
    later: "Sequence[torch.Tensor | None]" = (),
) -> Scored:
    """Score the answers of each row from the states of one layer.

    Parameters
    ----------
    stack
        Of the model.
    candidates
        Says which tokens are alike.
    answers
        For each of R rows, the tokens of its K answers.
    states
        (R, d): after the final norm, at the prompt's last position.
    later
        For each option, (R, n, d) after the final norm at its first n tokens; None where no row's
        option has more than one.
    """
    import numpy as np
    import torch

    widest = max(map(len, answers))
    sums = np.zeros((len(answers), widest), np.float32)
    spelled = [[True] * len(of_row) for of_row in answers]

    def add(places: Sequence[int], index: int, log_p: "torch.Tensor", best: list[int]) -> None:
        """Add token `index` of some options, in the rows that have it."""
        found = [
            [_tokens(of_row, place)[index : index + 1] for place in places] for of_row in answers
        ]
        ids = torch.tensor([[token[0] if token else 0 for token in of_row] for of_row in found])
        has = np.array([[bool(token) for token in of_row] for of_row in found])
        likely = log_p.gather(1, ids.to(log_p.device)).cpu().numpy()
        sums[:, list(places)] += np.where(has, likely, 0)
        for row, of_row in enumerate(found):
            for place, token in zip(places, of_row, strict=True):
                if token:
                    spelled[row][place] &= candidates.alike(best[row], token[0])

    with torch.no_grad():
        log_p = stack.logits(states).log_softmax(-1)
        top: list[int] = log_p.argmax(-1).tolist()
        add(range(widest), 0, log_p, top)
        for place, hidden in enumerate(later):
            longest = max(len(_tokens(of_row, place)) for of_row in answers)
            for index in range(0 if hidden is None else longest - 1):
                assert hidden is not None
                log_p = stack.logits(hidden[:, index]).log_softmax(-1)
                add([place], index + 1, log_p, log_p.argmax(-1).tolist())
    return Scored(
        scores=[
            sums[row, : len(of_row)] / np.array([len(tokens) for tokens in of_row], np.float32)
            for row, of_row in enumerate(answers)
        ],
        strict=[_longest(of_row, hits) for of_row, hits in zip(answers, spelled, strict=True)],
        top=top,
    )


def _tokens(answers: Sequence[Tokens], place: int) -> Tokens:
    return answers[place] if place < len(answers) else ()


def _longest(answers: Sequence[Tokens], spelled: Sequence[bool]) -> int:
    """Return the spelled answer of most tokens: greedy decoding would not stop at its beginning."""
    found = [place for place, hit in enumerate(spelled) if hit]
    return max(found, key=lambda place: len(answers[place]), default=-1)


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """The tokens of a batch's answers, ready to be put behind prompts."""

    texts: Mapping[Tokens, int]
    """An answer without its last token, which predicts nothing -> its row."""
    captured: Captured
    """The merged call of these texts as if each stood alone: embeddings, and side channels of
    text."""

    def of(self, answers: Sequence[Sequence[Tokens]], place: int) -> Captured | None:
        """Return one option's texts for R rows; None where a single token is all it has.

        A row without such a text gets any, which nobody reads.
        """
        wanted = [_tokens(of_row, place)[:-1] for of_row in answers]
        if not any(wanted):
            return None
        return take(self.captured, [self.texts.get(text, 0) for text in wanted])


def spell(loaded: "LoadedModel", answers: Iterable[Sequence[Tokens]]) -> Spelling | None:
    """Embed the answers of a batch; None where each is a single token."""
    import torch

    texts = sorted({tokens[:-1] for of_row in answers for tokens in of_row if len(tokens) > 1})
    if not texts:
        return None
    width = max(map(len, texts))
    ids = torch.tensor([[*text, *text[-1:] * (width - len(text))] for text in texts])
    nowhere = torch.zeros_like(ids, dtype=torch.bool)
    alone = EncodedBatch(
        inputs={"input_ids": ids, "attention_mask": torch.ones_like(ids)},
        vision=nowhere,
        text=nowhere,
        lengths=torch.full((len(texts),), width),
    )
    return Spelling(
        texts={text: row for row, text in enumerate(texts)},
        captured=merge(loaded, alone, (), with_image=False),
    )


def go_on(
    stack: TextStack,
    prompted: Prompted,
    spelling: Spelling | None,
    answers: Sequence[Sequence[Tokens]],
    *,
    with_layers: bool = False,
) -> list[LastToken | None]:
    """Run the text stack on each option in turn, behind R prompts whose cache stays as it is.

    Parameters
    ----------
    stack
        Of the model.
    prompted
        R prompts.
    spelling
        Of the batch; None gives an empty list.
    answers
        For each row, the tokens of its K answers.
    with_layers
        Whether to keep every layer.

    Returns
    -------
    list
        For each option all positions of its tokens but the last; None where a single token is all.

    Raises
    ------
    UnsupportedModel
        If the model has no cache to go on from.
    """
    if spelling is not None and prompted.cache is None:
        raise UnsupportedModel(
            "the model keeps no keys and values of a prompt, so answers of several tokens cannot "
            "be scored; ask for letters (--answers letters)"
        )
    found: list[LastToken | None] = []
    for place in range(max(map(len, answers)) if spelling is not None else 0):
        assert spelling is not None
        texts = spelling.of(answers, place)
        found.append(
            None
            if texts is None
            else replay(
                stack,
                texts.embeddings,
                continued_keywords(prompted, texts),
                with_layers=with_layers,
                past=branch(prompted.cache),
                every_position=True,
            )
        )
    return found


def continued_keywords(prompted: Prompted, spelled: Captured) -> dict[str, Any]:
    """Return the text stack's keywords for n tokens behind their prompts.

    The attention mask becomes the plain one of tokens and padding (an answer is read from left to
    right, whatever the prompt's image tokens do); positions follow the largest of the prompt, which
    under M-RoPE is not its length; side channels of the image stay in the prompt.
    """
    import torch

    rows, count = spelled.embeddings.shape[:2]
    attended = prompted.attended.to(spelled.embeddings.device)
    keywords: dict[str, Any] = {
        name: value
        for name, value in prompted.keywords.items()
        if not holds_tensor(value) and name not in REBUILT
    }
    keywords["attention_mask"] = torch.cat([attended, attended.new_ones(rows, count)], 1)
    positions = prompted.keywords.get("position_ids")
    if positions is not None:
        keywords["position_ids"] = next_positions(positions, rows, count)
    for name in REPEATED:
        value = prompted.keywords.get(name)
        if value is not None:
            keywords[name] = value[:, :, -1:].repeat_interleave(count, 2)
    return {**keywords, **_own_channels(spelled)}


def next_positions(positions: "torch.Tensor", rows: int, count: int) -> "torch.Tensor":
    """Return the positions of `count` tokens behind (R or 1, L) or (axes, R, L) positions.

    Of four axes the first numbers the tokens and the others are those of M-RoPE, which share what
    comes next.
    """
    import torch

    steps = torch.arange(1, count + 1, device=positions.device)
    if positions.dim() == 2:
        return positions.amax(-1, keepdim=True).expand(rows, 1) + steps
    own, shared = positions[: len(positions) - 3], positions[len(positions) - 3 :]
    last = torch.cat([own.amax(-1), shared.amax((0, -1)).expand(len(shared), -1)])
    return last[..., None].expand(-1, rows, 1) + steps


def _own_channels(spelled: Captured) -> dict[str, Any]:
    """Return the keywords that carry the answer's own text past its embeddings."""
    return side_keywords(
        {name: stream for name, stream in spelled.side.items() if stream.modality == "text"}
    )


def branch(cache: Any) -> Any:
    """Return a cache that can grow without changing the one it came from.

    Layers that only ever put new keys and values behind the old ones share them; any other layer is
    copied whole.
    """
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    if not hasattr(cache, "layers"):
        return copy.deepcopy(cache)
    other = copy.copy(cache)
    other.layers = [
        copy.copy(layer)
        if type(layer) in (DynamicLayer, DynamicSlidingWindowLayer)
        else copy.deepcopy(layer)
        for layer in cache.layers
    ]
    return other
