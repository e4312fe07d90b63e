"""One batch of samples through all conditions: encode and merge once, replay each masked version.

A sample costs one pass of the vision tower per distinct image and one pass of the text stack for
each of: the full prompt, three masked versions per draw of noise, and the prompt without its image.
Only the last position meets the language-model head, and no token is ever generated.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from data_cache.conditions import NOISY, Condition
from data_cache.samples import LETTERS, Sample
from model_runners.encoding import EncodedBatch, encode
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.masking import Masker
from model_runners.prompt import MaskScope
from model_runners.stack import Captured, LastToken, capture, replay, take_rows

if TYPE_CHECKING:
    import numpy as np
    import torch

VISION_CACHE_BYTES = 256 * 2**20
"""Encoded images kept for the next questions about them; the order of samples keeps those close."""
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
class BatchResult:
    """Everything that one batch gives."""

    rows: list[Row]
    features: dict[str, SampleFeatures]
    """By sample id."""
    passes: int
    """Sequences that went through the text stack."""


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

    def fingerprint(self) -> list[str]:
        """Return the candidate strings, for the run key."""
        return list(LETTERS)


class VisionCache:
    """Encoded images by content, the least recently used dropped first."""

    def __init__(self, limit_bytes: int = VISION_CACHE_BYTES):
        """Start empty."""
        self._limit = limit_bytes
        self._bytes = 0
        self._features: OrderedDict[str, torch.Tensor] = OrderedDict()
        self.encoded = 0
        """Images that went through the tower."""

    def features(
        self, loaded: LoadedModel, samples: Sequence[Sample], pixels: "torch.Tensor"
    ) -> list[Any]:
        """Return (tokens, d) features of each image of a batch; equal images are encoded once."""
        import torch

        digests = [image.digest for sample in samples for image in sample.images]
        if len(digests) != len(pixels):
            raise UnsupportedModel(
                f"{loaded.family.name}'s processor made {len(pixels)} tensors of "
                f"{len(digests)} images; this family cannot reuse encoded images"
            )
        wanted = {digest: row for row, digest in reversed(list(enumerate(digests)))}
        new = [(digest, row) for digest, row in wanted.items() if digest not in self._features]
        found = {digest: self._features[digest] for digest in wanted if digest in self._features}
        if new:
            with torch.no_grad():
                output = loaded.model.get_image_features(
                    pixel_values=pixels[[row for _, row in new]]
                )
            self.encoded += len(new)
            for (digest, _), feature in zip(new, output.pooler_output, strict=True):
                found[digest] = feature
                self._features[digest] = feature
                self._bytes += feature.numel() * feature.element_size()
        for digest in wanted:
            self._features.move_to_end(digest)
        while self._bytes > self._limit and len(self._features) > 1:
            _, dropped = self._features.popitem(last=False)
            self._bytes -= dropped.numel() * dropped.element_size()
        return [found[digest] for digest in digests]


def to_device(inputs: dict[str, Any], loaded: LoadedModel) -> dict[str, Any]:
    """Move tensors to the model's device; floating-point inputs take the model's precision."""
    import torch

    precision = getattr(torch, loaded.dtype)
    return {
        name: value.to(loaded.device, precision if value.is_floating_point() else value.dtype)
        if isinstance(value, torch.Tensor)
        else value
        for name, value in inputs.items()
    }


def merge(
    loaded: LoadedModel,
    batch: EncodedBatch,
    samples: Sequence[Sample],
    *,
    with_image: bool = True,
    images: VisionCache | None = None,
) -> Captured:
    """Run tower and merge for an encoded batch, reusing encoded images where the family can."""
    inputs = to_device(batch.inputs, loaded)
    if with_image and images is not None and loaded.family.takes_encoder_outputs:
        pixels = inputs.pop("pixel_values")
        features = images.features(loaded, samples, pixels)
        inputs["mm_encoder_outputs"] = {"image": SimpleNamespace(pooler_output=features)}
    return capture(loaded.model, loaded.stack, inputs)


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
    rows_per_pass: int = 64
    """Sequences in one call of the text stack."""

    def widened(self, draws: int, *, with_layers: bool) -> "BatchRunner":
        """Return a runner that also covers what an earlier run of the same block had."""
        return replace(self, draws=draws, with_layers=with_layers)

    def run(self, samples: Sequence[Sample]) -> BatchResult:
        """Predict all conditions and draws of a batch of samples."""
        import torch

        rows: list[Row] = []
        passes = 0
        batch = self._encode(samples, with_image=True)
        captured = merge(self.loaded, batch, samples, images=self.images)
        plan = [(Condition.FULL, 0)] + [(c, d) for d in range(self.draws) for c in NOISY]
        jobs = [
            (index, condition, draw) for condition, draw in plan for index in range(len(samples))
        ]
        for start in range(0, len(jobs), self.rows_per_pass):
            part = jobs[start : start + self.rows_per_pass]
            index = torch.tensor([i for i, _, _ in part], device=captured.embeddings.device)
            embeddings = self._masked(captured, batch, samples, part)
            last = replay(
                self.loaded.stack,
                embeddings,
                take_rows(captured, index),
                with_layers=self.with_layers,
            )
            rows += self._score([(samples[i], c, d) for i, c, d in part], last)
            passes += len(part)
        plain = self._encode(samples, with_image=False)
        bare = merge(self.loaded, plain, samples, with_image=False)
        for start in range(0, len(samples), self.rows_per_pass):
            index = torch.arange(
                start, min(start + self.rows_per_pass, len(samples)), device=bare.embeddings.device
            )
            last = replay(
                self.loaded.stack,
                bare.embeddings[index],
                take_rows(bare, index),
                with_layers=self.with_layers,
            )
            rows += self._score([(samples[i], Condition.NO_IMAGE, 0) for i in index.tolist()], last)
            passes += len(index)
        return BatchResult(rows=rows, features=pooled(captured, batch, samples), passes=passes)

    def _encode(self, samples: Sequence[Sample], *, with_image: bool) -> EncodedBatch:
        return encode(
            self.loaded.processor,
            samples,
            image_token_id=self.loaded.image_token_id,
            scope=self.scope,
            with_image=with_image,
        )

    def _masked(
        self,
        captured: Captured,
        batch: EncodedBatch,
        samples: Sequence[Sample],
        part: Sequence[tuple[int, Condition, int]],
    ) -> "torch.Tensor":
        """Return (R, L, d) embeddings of the given (sample, condition, draw) rows."""
        import torch

        pieces: list[torch.Tensor] = []
        for index, condition, draw in part:
            one = slice(index, index + 1)
            pieces.append(
                self.masker.mask(
                    captured.embeddings[one],
                    samples[one],
                    vision=batch.vision[one]
                    if condition in (Condition.ONLY_2, Condition.NEITHER)
                    else None,
                    text=batch.text[one]
                    if condition in (Condition.ONLY_1, Condition.NEITHER)
                    else None,
                    draw=draw,
                )
            )
        return torch.cat(pieces)

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
            log_p = self.loaded.stack.head(hidden).float().log_softmax(-1)
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


def pooled(
    captured: Captured, batch: EncodedBatch, samples: Sequence[Sample]
) -> dict[str, SampleFeatures]:
    """Return the mean of the unmasked embeddings over the positions of each modality."""

    def means(positions: "torch.Tensor") -> tuple["np.ndarray", list[int]]:
        where = positions.to(captured.embeddings.device)
        counts = where.sum(1)
        total = (captured.embeddings.float() * where[..., None]).sum(1)
        return (total / counts.clamp(min=1)[:, None]).cpu().numpy(), counts.tolist()

    vision, vision_tokens = means(batch.vision)
    text, text_tokens = means(batch.text)
    return {
        sample.id: SampleFeatures(
            vision=vision[row],
            text=text[row],
            vision_tokens=vision_tokens[row],
            text_tokens=text_tokens[row],
        )
        for row, sample in enumerate(samples)
    }
