"""One batch of samples through all conditions: encode and merge once, replay each masked version.

A sample costs one pass of the vision tower per distinct image and one pass of the text stack for
each of: the full prompt, three masked versions per draw of noise, and the prompt without its image
(and without its sound, where that is a source).
Only the last position meets the language-model head, and no token is ever generated.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from data_cache.conditions import NOISY, Condition
from data_cache.samples import Sample
from model_runners.candidates import Candidates
from model_runners.encoding import EncodedBatch, encode
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker
from model_runners.prefixes import PAYS, divide, share_of, shared_rows
from model_runners.prompt import MaskScope
from model_runners.scoring import Prompted, Spelling, go_on, score, spell
from model_runners.sources import sources_of
from model_runners.stack import Captured, content, replay, take
from model_runners.stopwatch import Stopwatch
from model_runners.vision import VisionCache, merge

if TYPE_CHECKING:
    import numpy as np
    import torch

    from model_runners.ahead import Ahead

Pooling = Literal["mean", "last", "max"]
"""How the vectors of a modality become one: their mean (Xiu26), the last of them, or the largest
value of each dimension."""
POOLINGS: tuple[Pooling, ...] = ("mean", "last", "max")

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
    partner: str | None = None
    """Of a swap the sample whose question was asked."""


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


Place = tuple[int, Condition, int]
"""Which sample of a batch, under which condition and draw of noise."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What the text stack is called with once."""

    rows: "Sequence[Place]"
    """Of each of its R rows."""
    captured: Captured
    """Of R rows, masked as they say."""
    attended: "torch.Tensor"
    """(R, L): 1 where a row has a token, 0 where it has padding; what lies behind it included."""
    past: Any = None
    """Keys and values of what lies behind each row, where that was read before."""


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
    pooling: Pooling = "mean"
    """How X1 and X2 are made of the vectors of their modality."""
    rows_per_pass: int = 64
    """Sequences in one call of the text stack."""
    watch: Stopwatch = field(default_factory=Stopwatch)
    """Told where the time goes."""
    ahead: "Ahead | None" = None
    """Encodes the batch after this one meanwhile."""
    shares: bool = False
    """Whether prompts that begin alike are read once up to their first masked word, where that
    pays; `prefix_test.can_share` says whether they can."""

    def widened(
        self, draws: int, *, with_layers: bool, with_layer_features: bool = False
    ) -> "BatchRunner":
        """Return a runner that also covers what an earlier run of the same block had."""
        return replace(
            self, draws=draws, with_layers=with_layers, with_layer_features=with_layer_features
        )

    def run(self, samples: Sequence[Sample]) -> BatchResult:
        """Predict all conditions and draws of a batch of samples.

        Raises
        ------
        BadSample
            If the answers of a sample cannot be scored; nothing was computed.
        """
        import torch

        spelling = spell(self.loaded, [self.candidates.of(sample) for sample in samples])
        rows: list[Row] = []
        layer_features: dict[str, LayerFeatures] = {}
        passes = 0
        batch = self.encode(samples, with_image=True)
        with self.watch.part("vision", self.loaded.device):
            captured = merge(self.loaded, batch, samples, images=self.images)
        for call in self.calls(samples, batch, captured, share=self.shares):
            unmasked = [i for i, condition, _ in call.rows if condition is Condition.FULL]
            predicted, means = self._predict(
                [(samples[i], c, d) for i, c, d in call.rows],
                call,
                spelling,
                # The plan begins with the full run, so its rows are the first of a part.
                positions=torch.stack([batch.vision[unmasked], batch.text[unmasked]])
                if self.with_layer_features and unmasked
                else None,
            )
            if means is not None:
                for row, i in enumerate(unmasked):
                    vision, text = means[:, :, row].unbind(1)
                    layer_features[samples[i].id] = LayerFeatures(
                        vision=vision.numpy(), text=text.numpy()
                    )
            rows += predicted
            passes += len(call.rows)
        return BatchResult(
            rows=rows,
            features=pooled(
                self._alone(captured, batch, samples), batch, samples, pooling=self.pooling
            ),
            layer_features=layer_features,
            passes=passes,
        )

    def calls(
        self,
        samples: Sequence[Sample],
        batch: EncodedBatch,
        captured: Captured,
        *,
        share: bool = False,
    ) -> Iterator[Call]:
        """Yield what the text stack is called with for all conditions and draws, in parts.

        Parameters
        ----------
        samples
            B samples.
        batch
            They as encoded with their images.
        captured
            The merged call of that batch.
        share
            Whether calls may go on from what was read before, where that pays.
        """
        plan = [(Condition.FULL, 0)] + [(c, d) for d in range(self.draws) for c in NOISY]
        jobs = [
            (index, condition, draw) for condition, draw in plan for index in range(len(samples))
        ]
        divided = divide(captured, batch, samples, self.loaded.stack) if share else None
        if divided is not None and share_of(divided, jobs) <= PAYS:
            for part, follows, past in shared_rows(self, divided, captured, batch, samples, jobs):
                yield Call(rows=part, captured=follows, attended=past.attended, past=past.cache)
            jobs = []
        for part in _parts(jobs, self.rows_per_pass):
            with self.watch.part("masking"):
                masked = self.masker.masked(
                    captured, batch, samples, [_masking(*job) for job in part]
                )
            yield Call(
                rows=part,
                captured=masked,
                attended=batch.inputs["attention_mask"][[i for i, _, _ in part]],
            )
        for condition in self._removals:
            plain = self.encode(
                samples,
                with_image=condition is not Condition.NO_IMAGE,
                with_sound=condition is not Condition.NO_AUDIO,
            )
            with self.watch.part("vision", self.loaded.device):
                bare = merge(self.loaded, plain, samples, with_image=False)
            for part in _parts(
                [(index, condition, 0) for index in range(len(samples))], self.rows_per_pass
            ):
                index = [i for i, _, _ in part]
                yield Call(
                    rows=part,
                    captured=take(bare, index),
                    attended=plain.inputs["attention_mask"][index],
                )

    @property
    def _removals(self) -> tuple[Condition, ...]:
        """The conditions whose prompt is built without a source."""
        second = sources_of(self.candidates.asking.sources).second_medium
        return (Condition.NO_IMAGE, *((Condition.NO_AUDIO,) if second is not None else ()))

    @property
    def removed_sources(self) -> tuple[tuple[bool, bool], ...]:
        """With image and with sound, for each prompt that is built without a source."""
        return tuple(
            (one is not Condition.NO_IMAGE, one is not Condition.NO_AUDIO) for one in self._removals
        )

    def _alone(
        self, captured: Captured, batch: EncodedBatch, samples: Sequence[Sample]
    ) -> Captured:
        """Return a call whose image vectors hold nothing of the text, for X1 and X2.

        Where the encoder of images reads the prompt, they are those of the first draw of noise.
        """
        if captured.reread is None:
            return captured
        rows = [MaskedRow(index=index, text=True) for index in range(len(samples))]
        masked = self.masker.masked(captured, batch, samples, rows)
        image = batch.vision[..., None].to(captured.embeddings.device)
        return replace(captured, embeddings=masked.embeddings.where(image, captured.embeddings))

    def encode(
        self, samples: Sequence[Sample], *, with_image: bool, with_sound: bool = True
    ) -> EncodedBatch:
        """Put the samples' questions as the run puts them, with or without a source."""
        if self.ahead is not None:
            done = self.ahead.take(samples, image=with_image, sound=with_sound)
            if done is not None:
                return done
        with self.watch.part("preprocessing"):
            return encode(
                self.loaded.processor,
                samples,
                image_token_id=self.loaded.image_token_id,
                scope=self.scope,
                with_image=with_image,
                with_sound=with_sound,
                asking=self.candidates.asking,
            )

    def _predict(
        self,
        part: Sequence[tuple[Sample, Condition, int]],
        call: Call,
        spelling: Spelling | None,
        *,
        positions: "torch.Tensor | None" = None,
    ) -> "tuple[list[Row], torch.Tensor | None]":
        """Read every layer of R rows; also returns the means over `positions` (see `replay`)."""
        answers = [self.candidates.of(sample) for sample, _, _ in part]
        stack = self.loaded.stack
        captured = call.captured
        with self.watch.part("language", self.loaded.device):
            last = replay(
                stack,
                captured.embeddings,
                captured.arguments(),
                with_layers=self.with_layers,
                positions=positions,
                keep_cache=spelling is not None,
                past=call.past,
            )
            prompted = Prompted(
                cache=last.cache, attended=call.attended, keywords=captured.keywords
            )
            later = go_on(stack, prompted, spelling, answers, with_layers=self.with_layers)
        read = call.attended[:, -captured.embeddings.shape[1] :]
        self.watch.count("positions", read.numel())
        self.watch.count("padding", read.numel() - int(read.sum()))
        read = [(OWN_LAYER, last.hidden, [one and one.hidden for one in later])]
        for layer, hidden in enumerate(() if last.layers is None else last.layers):
            states = [
                one.layers[layer] if one and one.layers is not None else None for one in later
            ]
            read.append((layer, hidden, states))
        rows: list[Row] = []
        for layer, hidden, states in read:
            with self.watch.part("heads", self.loaded.device):
                found = score(stack, self.candidates, answers, hidden, states)
            rows += [
                Row(
                    sample=sample,
                    condition=condition,
                    draw=draw,
                    layer=layer,
                    scores=found.scores[row],
                    strict_choice=found.strict[row],
                    top_token=found.top[row],
                )
                for row, (sample, condition, draw) in enumerate(part)
            ]
        return rows, last.means


def _parts(places: Sequence[Place], size: int) -> Iterator[Sequence[Place]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _masking(index: int, condition: Condition, draw: int) -> MaskedRow:
    """Return what a condition hides of a sample."""
    return MaskedRow(
        index=index,
        vision=condition in (Condition.ONLY_2, Condition.NEITHER),
        text=condition in (Condition.ONLY_1, Condition.NEITHER),
        draw=draw,
    )


_POOLS: "dict[Pooling, Callable[[torch.Tensor], torch.Tensor]]" = {
    "mean": lambda rows: rows.sum(0) / max(len(rows), 1),
    "last": lambda rows: rows[-1] if len(rows) else rows.sum(0),
    "max": lambda rows: rows.amax(0) if len(rows) else rows.sum(0),
}
"""(n, d) float32 vectors to one; nothing gives zeros."""


def pooled(
    captured: Captured,
    batch: EncodedBatch,
    samples: Sequence[Sample],
    *,
    pooling: Pooling = "mean",
) -> dict[str, SampleFeatures]:
    """Make one vector of the unmasked vectors of each modality.

    They lie at its positions, or in the side channel that alone carries it.
    """
    found = content(captured, batch, beside=False)
    vision, text = (
        [_POOLS[pooling](rows.float()).cpu().numpy() for rows in found[name]]
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
