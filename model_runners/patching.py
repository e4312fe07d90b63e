"""Activation patching: the full run's last-token state, put into the run without its image.

In one row of a replay the output of one decoder layer at the last position is replaced by what that
layer gave in the full run of the same sample; everything else in that row is the run whose image is
noise. What the answer then becomes shows what the state of that layer carries towards it (Meng et
al. 2022 call this causal tracing). Rows that are patched at different layers share a pass.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.conditions import Condition
from data_cache.patch_effects import UNPATCHED
from data_cache.samples import Sample
from model_runners.candidates import Candidates
from model_runners.encoding import EncodedBatch, encode
from model_runners.errors import BadOption, SelfTestFailed, UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker
from model_runners.prompt import MaskScope
from model_runners.scoring import score
from model_runners.selftest import ROUNDING
from model_runners.stack import Captured, TextStack, replay, take
from model_runners.vision import VisionCache, merge

if TYPE_CHECKING:
    import numpy as np
    import torch

SHARE = 0.2
"""Of the decoder layers, the last ones: there the answer is formed (MI26, section 4.3)."""


def last_layers(depth: int, share: float = SHARE) -> tuple[int, ...]:
    """Return the numbers of the last ceil(share * depth) of the decoder layers.

    Raises
    ------
    BadOption
        If the share is none, or no share at all.

    >>> last_layers(28), last_layers(4), last_layers(4, 1.0)
    ((22, 23, 24, 25, 26, 27), (3,), (0, 1, 2, 3))
    """
    if not 0 < share <= 1:
        raise BadOption(f"the share of layers lies above 0 and is 1 at most, not {share}")
    return tuple(range(depth - math.ceil(round(share * depth, 9)), depth))


@contextmanager
def patched(stack: TextStack, where: Sequence[int], states: "torch.Tensor") -> Iterator[None]:
    """Within the block, replace the last position's state after one decoder layer of each row.

    Parameters
    ----------
    stack
        Of the model.
    where
        For each of R rows the layer after which its state is replaced; -1 leaves a row alone.
    states
        (R, d): what stands there instead, as the layer gives it, before the final norm.
    """
    import torch

    def hook(rows: "torch.Tensor") -> Callable[..., Any]:
        def after(_module: Any, _args: Any, output: Any) -> Any:
            state = output[0] if isinstance(output, tuple) else output
            changed = state.clone()
            changed[rows, -1] = states[rows].to(state)
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        return after

    handles = [
        stack.layers[layer].register_forward_hook(
            hook(torch.tensor([row for row, at in enumerate(where) if at == layer]))
        )
        for layer in sorted({*where} - {UNPATCHED})
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watched(stack: TextStack, layers: Sequence[int]) -> "Iterator[dict[int, torch.Tensor]]":
    """Within the block, keep what each layer gives at the last position: (R, d), before the norm.

    A layer that the stack leaves out has no entry.
    """
    kept: dict[int, torch.Tensor] = {}

    def hook(layer: int) -> Callable[..., None]:
        def after(_module: Any, _args: Any, output: Any) -> None:
            kept[layer] = (output[0] if isinstance(output, tuple) else output)[:, -1]

        return after

    handles = [stack.layers[layer].register_forward_hook(hook(layer)) for layer in layers]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True, kw_only=True)
class PatchRow:
    """What the model says of one sample's answers, patched or not."""

    sample: Sample
    condition: Condition
    """`FULL`, or `ONLY_2`: the run whose image is noise."""
    draw: int
    layer: int
    """After which layer the full run's state was put in; -1: after none."""
    scores: "np.ndarray"
    """(K,) float32 log-likelihoods of the candidates under the whole vocabulary."""


@dataclass(frozen=True, kw_only=True)
class PatchRunner:
    """Patches batches of samples at each of some layers, one at a time."""

    loaded: LoadedModel
    masker: Masker
    candidates: Candidates
    images: VisionCache
    layers: tuple[int, ...]
    """Numbers of decoder layers, rising; the last one is the model's last, where the patch must
    give the full run's answer back."""
    scope: MaskScope = "all"
    draws: int = 1
    rows_per_pass: int = 64
    """Sequences in one call of the text stack."""

    def run(self, samples: Sequence[Sample]) -> list[PatchRow]:
        """Return the rows of a batch: full, without its image, and patched after each layer.

        Raises
        ------
        BadSample
            If the answers of a sample cannot be scored; nothing was computed.
        UnsupportedModel
            If an answer has several tokens, or the stack leaves out a layer that is to be patched.
        SelfTestFailed
            If patching the last layer does not give the full run's answer.
        """
        answers = [self.candidates.of(sample) for sample in samples]
        self._require_single_tokens(samples)
        stack = self.loaded.stack
        batch = self._encoded(samples)
        captured = merge(self.loaded, batch, samples, images=self.images)
        count = len(samples)
        everyone = range(count)
        with watched(stack, self.layers) as states:
            full = self._scored(captured, everyone, answers)
        left_out = [layer for layer in self.layers if layer not in states]
        if left_out:
            raise UnsupportedModel(
                f"{self.loaded.name} leaves layer {left_out[0]} out of a run with an image, so "
                "there is no state to patch"
            )
        rows = [
            PatchRow(
                sample=samples[row],
                condition=Condition.FULL,
                draw=0,
                layer=UNPATCHED,
                scores=full[row],
            )
            for row in everyone
        ]
        for draw in range(self.draws):
            hidden = [MaskedRow(index=index, vision=True, draw=draw) for index in everyone]
            masked = self.masker.masked(captured, batch, samples, hidden)
            jobs = [(row, layer) for layer in (UNPATCHED, *self.layers) for row in everyone]
            for start in range(0, len(jobs), self.rows_per_pass):
                part = jobs[start : start + self.rows_per_pass]
                found = self._patched(masked, part, states, answers)
                rows += [
                    PatchRow(
                        sample=samples[row],
                        condition=Condition.ONLY_2,
                        draw=draw,
                        layer=layer,
                        scores=scores,
                    )
                    for (row, layer), scores in zip(part, found, strict=True)
                ]
        self._check(rows)
        return rows

    def check_itself(self, samples: Sequence[Sample]) -> float:
        """Patch states of the run without its image into that same run: nothing may change.

        Returns
        -------
        Largest change of a candidate's log-likelihood, relative to the largest where that is over
        1.

        Raises
        ------
        SelfTestFailed
            If it is more than rounding.
        """
        answers = [self.candidates.of(sample) for sample in samples]
        batch = self._encoded(samples)
        captured = merge(self.loaded, batch, samples, images=self.images)
        hidden = [MaskedRow(index=index, vision=True) for index in range(len(samples))]
        masked = self.masker.masked(captured, batch, samples, hidden)
        everyone = range(len(samples))
        with watched(self.loaded.stack, self.layers) as states:
            before = self._scored(masked, everyone, answers)
        change = 0.0
        for layer in self.layers:
            after = self._patched(masked, [(row, layer) for row in everyone], states, answers)
            for one, two in zip(before, after, strict=True):
                change = max(change, _difference(one, two))
        if change > ROUNDING[self.loaded.dtype]:
            raise SelfTestFailed(
                f"a state of {self.loaded.name} put back where it came from changes an answer's "
                f"log-likelihood by {change:.2g}, so nothing was computed: its layers hold what a "
                "patch does not reach"
            )
        return change

    def _encoded(self, samples: Sequence[Sample]) -> EncodedBatch:
        return encode(
            self.loaded.processor,
            samples,
            image_token_id=self.loaded.image_token_id,
            scope=self.scope,
            asking=self.candidates.asking,
        )

    def _require_single_tokens(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            if self.candidates.several_tokens(sample):
                raise UnsupportedModel(
                    f"sample {sample.id!r} has an answer of several tokens, and the state that is "
                    "patched decides the first only; check a run that answers with letters "
                    "(profile --answers letters)"
                )

    def _patched(
        self,
        masked: Captured,
        jobs: Sequence[tuple[int, int]],
        states: "dict[int, torch.Tensor]",
        answers: Sequence[Any],
    ) -> "list[np.ndarray]":
        """Return scores of (row of the batch, layer) pairs; layer -1 patches nothing."""
        import torch

        anything = next(iter(states.values()))
        given = torch.stack([states.get(layer, anything)[row] for row, layer in jobs])
        with patched(self.loaded.stack, [layer for _, layer in jobs], given):
            return self._scored(masked, [row for row, _ in jobs], answers)

    def _scored(
        self, captured: Captured, rows: Sequence[int], answers: Sequence[Any]
    ) -> "list[np.ndarray]":
        taken = take(captured, rows)
        stack = self.loaded.stack
        last = replay(stack, taken.embeddings, taken.arguments())
        return score(stack, self.candidates, [answers[row] for row in rows], last.hidden).scores

    def _check(self, rows: Sequence[PatchRow]) -> None:
        """Refuse to go on where the last layer's patch is not the full run."""
        full = {row.sample.id: row.scores for row in rows if row.condition is Condition.FULL}
        for row in rows:
            if row.layer != self.layers[-1] or row.layer != len(self.loaded.stack.layers) - 1:
                continue
            change = _difference(full[row.sample.id], row.scores)
            if change > ROUNDING[self.loaded.dtype]:
                raise SelfTestFailed(
                    f"patching the last layer of {self.loaded.name} does not give the full run's "
                    f"answer (sample {row.sample.id!r}, a log-likelihood is off by {change:.2g}); "
                    "what other layers would show then means nothing"
                )


def _difference(one: "np.ndarray", two: "np.ndarray") -> float:
    """Compare log-likelihoods, relative to the largest where that is over 1."""
    import numpy as np

    return float(np.abs(one - two).max() / max(1.0, float(np.abs(one).max())))
