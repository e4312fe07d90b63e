"""One batch of samples through all conditions: encode and merge once, replay each masked version.

A sample costs one pass of the vision tower per distinct image and one pass of the text stack for
each of: the full prompt, three masked versions per draw of noise, and the prompt without its image.
Only the last position meets the language-model head, and no token is ever generated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data_cache.conditions import NOISY, Condition
from data_cache.samples import LETTERS, Sample
from model_runners.candidates import Candidates
from model_runners.encoding import EncodedBatch, encode
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker
from model_runners.prompt import MaskScope
from model_runners.stack import Captured, LastToken, content, replay, take
from model_runners.vision import VisionCache, merge

if TYPE_CHECKING:
    import numpy as np
    import torch

OWN_LAYER = -1
"""The layer number of the model's own output."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One prediction: a sample under one condition and draw, read at one layer."""

    sample: Sample
    condition: Condition
    draw: int
    layer: int
    """0 to layers - 1 for the logit lens, -1 for the model's own output."""
    scores: "np.ndarray"
    """(K,) float32 log-likelihoods of the candidates under the whole vocabulary."""
    strict_choice: int
    """Index of the candidate that the arg-max over the whole vocabulary spells, or -1."""
    top_token: int


@dataclass(frozen=True, kw_only=True)
class SampleFeatures:
    """Pooled, unmasked embeddings of one sample, and how many tokens they were pooled over."""

    vision: "np.ndarray"
    """(d,) float32, X1."""
    text: "np.ndarray"
    """(d,) float32, X2."""
    vision_tokens: int
    text_tokens: int


@dataclass(frozen=True, kw_only=True)
class LayerFeatures:
    """What the positions of each modality of one sample hold after each layer of the full run."""

    vision: "np.ndarray"
    """(layers, d) float32, mean over the image's positions."""
    text: "np.ndarray"
    """(layers, d) float32, mean over the text's positions."""


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """Everything that one batch gives."""

    rows: list[Row]
    features: dict[str, SampleFeatures]
    """By sample id."""
    layer_features: dict[str, LayerFeatures]
    """By sample id; empty unless asked for."""
    passes: int
    """Sequences that went through the text stack."""


@dataclass(frozen=True, kw_only=True)
class BatchRunner:
    """Runs batches of samples under all conditions."""

    loaded: LoadedModel
    masker: Masker
    candidates: Candidates
    images: VisionCache
    scope: MaskScope = "all"
    draws: int = 4
    with_layers: bool = False
    with_layer_features: bool = False
    rows_per_pass: int = 64
    """Sequences in one call of the text stack."""

    def widened(
        self, draws: int, *, with_layers: bool, with_layer_features: bool = False
    ) -> "BatchRunner":
        """Return a runner that also covers what an earlier run of the same block had."""
        return replace(
            self, draws=draws, with_layers=with_layers, with_layer_features=with_layer_features
        )

    def run(self, samples: Sequence[Sample]) -> BatchResult:
        """Predict all conditions and draws of a batch of samples."""
        import torch

        rows: list[Row] = []
        layer_features: dict[str, LayerFeatures] = {}
        passes = 0
        batch = self._encode(samples, with_image=True)
        captured = merge(self.loaded, batch, samples, images=self.images)
        plan = [(Condition.FULL, 0)] + [(c, d) for d in range(self.draws) for c in NOISY]
        jobs = [
            (index, condition, draw) for condition, draw in plan for index in range(len(samples))
        ]
        for start in range(0, len(jobs), self.rows_per_pass):
            part = jobs[start : start + self.rows_per_pass]
            masked = self.masker.masked(captured, batch, samples, [_masking(*job) for job in part])
            unmasked = [i for i, condition, _ in part if condition is Condition.FULL]
            last = replay(
                self.loaded.stack,
                masked.embeddings,
                masked.arguments(),
                with_layers=self.with_layers,
                # The plan begins with the full run, so its rows are the first of a part.
                positions=torch.stack([batch.vision[unmasked], batch.text[unmasked]])
                if self.with_layer_features and unmasked
                else None,
            )
            if last.means is not None:
                for row, i in enumerate(unmasked):
                    vision, text = last.means[:, :, row].unbind(1)
                    layer_features[samples[i].id] = LayerFeatures(
                        vision=vision.numpy(), text=text.numpy()
                    )
            rows += self._score([(samples[i], c, d) for i, c, d in part], last)
            passes += len(part)
        plain = self._encode(samples, with_image=False)
        bare = merge(self.loaded, plain, samples, with_image=False)
        for start in range(0, len(samples), self.rows_per_pass):
            index = range(start, min(start + self.rows_per_pass, len(samples)))
            taken = take(bare, index)
            last = replay(
                self.loaded.stack,
                taken.embeddings,
                taken.arguments(),
                with_layers=self.with_layers,
            )
            rows += self._score([(samples[i], Condition.NO_IMAGE, 0) for i in index], last)
            passes += len(index)
        return BatchResult(
            rows=rows,
            features=pooled(captured, batch, samples),
            layer_features=layer_features,
            passes=passes,
        )

    def _encode(self, samples: Sequence[Sample], *, with_image: bool) -> EncodedBatch:
        return encode(
            self.loaded.processor,
            samples,
            image_token_id=self.loaded.image_token_id,
            scope=self.scope,
            with_image=with_image,
        )

    def _score(self, part: Sequence[tuple[Sample, Condition, int]], last: LastToken) -> list[Row]:
        rows = self._rows(part, last.hidden, OWN_LAYER)
        if last.layers is not None:
            for layer, hidden in enumerate(last.layers):
                rows += self._rows(part, hidden, layer)
        return rows

    def _rows(
        self, part: Sequence[tuple[Sample, Condition, int]], hidden: "torch.Tensor", layer: int
    ) -> list[Row]:
        import torch

        with torch.no_grad():
            log_p = self.loaded.stack.logits(hidden).log_softmax(-1)
        top = log_p.argmax(-1).tolist()
        widest = max(len(sample.options) for sample, _, _ in part)
        tokens = [self.candidates.token(letter) for letter in LETTERS[:widest]]
        chosen = log_p[:, tokens].cpu().numpy()
        return [
            Row(
                sample=sample,
                condition=condition,
                draw=draw,
                layer=layer,
                scores=chosen[row, : len(sample.options)],
                strict_choice=self.candidates.choice(top[row], sample.letters),
                top_token=top[row],
            )
            for row, (sample, condition, draw) in enumerate(part)
        ]


def _masking(index: int, condition: Condition, draw: int) -> MaskedRow:
    """Return what a condition hides of a sample."""
    return MaskedRow(
        index=index,
        vision=condition in (Condition.ONLY_2, Condition.NEITHER),
        text=condition in (Condition.ONLY_1, Condition.NEITHER),
        draw=draw,
    )


def pooled(
    captured: Captured, batch: EncodedBatch, samples: Sequence[Sample]
) -> dict[str, SampleFeatures]:
    """Return the mean of the unmasked vectors of each modality.

    They lie at its positions, or in the side channel that alone carries it.
    """
    found = content(captured, batch)
    vision, text = (
        [(rows.float().sum(0) / max(len(rows), 1)).cpu().numpy() for rows in found[name]]
        for name in ("vision", "text")
    )
    return {
        sample.id: SampleFeatures(
            vision=vision[row],
            text=text[row],
            vision_tokens=len(found["vision"][row]),
            text_tokens=len(found["text"][row]),
        )
        for row, sample in enumerate(samples)
    }
