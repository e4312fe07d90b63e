"""The proof that answers of several tokens score behind a prompt's cache as in one plain pass.

It goes with the self-test of a run whose answers need it. The plain pass is the model's own forward
over prompt and answer, which makes positions and masks itself; one wrong position behind an image
would move every score.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from data_cache.samples import Sample
from model_runners.candidates import Candidates, Tokens
from model_runners.encoding import EncodedBatch, encode
from model_runners.errors import SelfTestFailed
from model_runners.loading import LoadedModel
from model_runners.scoring import Prompted, go_on, score, spell
from model_runners.selftest import ROUNDING, Check, SelfTestReport
from model_runners.stack import replay
from model_runners.vision import merge, to_device

if TYPE_CHECKING:
    import torch

PREFIX_TYPES = ("paligemma",)
"""Types of models whose `token_type_ids` say 0 for a prompt that is read both ways, 1 behind it."""


def with_answers_tested(
    report: SelfTestReport, loaded: LoadedModel, sample: Sample, candidates: Candidates
) -> SelfTestReport:
    """Add a check of the longest answer of a sample to a report, where it has several tokens.

    Raises
    ------
    SelfTestFailed
        If its score is not that of a plain pass.
    BadSample
        If the answers of the sample cannot be scored.
    """
    longest = max(candidates.of(sample), key=len)
    if len(longest) == 1:
        return report
    behind = _behind(loaded, sample, candidates, longest)
    plain = _plain(loaded, sample, candidates, longest)
    limit = ROUNDING.get(loaded.dtype, ROUNDING["float32"])
    gap = abs(behind - plain) / max(1.0, abs(plain))
    check = Check(
        name="answers",
        value=gap,
        limit=limit,
        passed=gap <= limit,
        meaning="an answer of several tokens scores otherwise behind its prompt than in one plain "
        "forward pass",
    )
    if not check.passed:
        raise SelfTestFailed(
            f"{loaded.name} failed its self-test, so nothing was computed: {check.meaning} "
            f"({check.name} = {gap:.2g}); ask for letters instead (--answers letters)"
        )
    return replace(report, checks=(*report.checks, check))


def _inputs(loaded: LoadedModel, sample: Sample, candidates: Candidates) -> EncodedBatch:
    return encode(
        loaded.processor,
        [sample],
        image_token_id=loaded.image_token_id,
        asking=candidates.asking,
    )


def _behind(loaded: LoadedModel, sample: Sample, candidates: Candidates, answer: Tokens) -> float:
    """Score an answer as a run does."""
    batch = _inputs(loaded, sample, candidates)
    captured = merge(loaded, batch, [sample])
    stack = loaded.stack
    last = replay(stack, captured.embeddings, captured.arguments(), keep_cache=True)
    prompted = Prompted(
        cache=last.cache, attended=batch.inputs["attention_mask"], keywords=captured.keywords
    )
    answers = [[answer]]
    later = go_on(stack, prompted, spell(loaded, answers), answers)
    states = [one and one.hidden for one in later]
    return float(score(stack, candidates, answers, last.hidden, states).scores[0][0])


def _plain(loaded: LoadedModel, sample: Sample, candidates: Candidates, answer: Tokens) -> float:
    """Score an answer in one ordinary forward pass over prompt and answer."""
    import torch

    inputs = _inputs(loaded, sample, candidates).inputs
    said = torch.tensor([answer])
    decoder = loaded.stack.decoder
    if decoder is None:
        first = inputs["input_ids"].shape[1] - 1
        inputs = {name: longer(name, value, said, first + 1) for name, value in inputs.items()}
        if loaded.model.config.model_type in PREFIX_TYPES:
            inputs["token_type_ids"][:, first + 1 :] = 1
    else:
        first = 0
        start = torch.tensor([[decoder.start]])
        inputs = {**inputs, "decoder_input_ids": torch.cat([start, said[:, :-1]], 1)}
    with torch.no_grad():
        logits = loaded.model(**to_device(inputs, loaded), use_cache=False).logits[0].float()
    at = torch.arange(first, first + len(answer), device=logits.device)
    return float(logits[at].log_softmax(-1).gather(1, said.to(logits.device).T).mean())


def longer(name: str, value: Any, tokens: "torch.Tensor", length: int) -> Any:
    """Return a model input with (1, n) tokens behind a prompt of some length.

    What has a value for each position of the prompt repeats that of the last one, which is text.
    """
    import torch

    if not isinstance(value, torch.Tensor) or value.shape[:2] != (1, length):
        return value
    more = (
        tokens
        if name == "input_ids"
        else value[:, -1:].expand(-1, tokens.shape[1], *value.shape[2:])
    )
    return torch.cat([value, more.to(value)], 1)
