"""A batch of samples, each image with its own question and with those of its partners.

The image's sample names the rows, so that all questions of an image are in one batch: its vision
features are made once, and so is the beginning of its prompts where the text stack allows.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from data_cache.conditions import Condition
from data_cache.samples import Sample
from model_runners.candidates import Candidates
from model_runners.encoding import EncodedBatch, encode
from model_runners.image_prefix import beginnings, can_share, replay_shared
from model_runners.inference import OWN_LAYER, BatchResult, Row
from model_runners.loading import LoadedModel
from model_runners.prompt import MaskScope
from model_runners.scoring import Prompted, go_on, score, spell
from model_runners.selftest import ROUNDING
from model_runners.stack import Captured, replay
from model_runners.stopwatch import Stopwatch
from model_runners.swapping import Swaps
from model_runners.unwatched import ignore
from model_runners.vision import VisionCache, merge

if TYPE_CHECKING:
    import torch

    from model_runners.candidates import Tokens


class SharedPrefixes:
    """Whether a model's image prefixes are shared: found out on the first prompts that could."""

    def __init__(self, *, wanted: bool = True, tell: Callable[[str], None] = ignore):
        """Begin without knowing; `wanted=False` never shares."""
        self.works: bool | None = None if wanted else False
        self.begun = 0
        """Beginnings that were computed."""
        self.used = 0
        """Prompts that went on from one."""
        self._tell = tell

    def found(self, loaded: LoadedModel, plain: "torch.Tensor", shared: "torch.Tensor") -> None:
        """Compare (R, d) last states of the same prompts run both ways, and say what follows."""
        import torch

        with torch.no_grad():
            one, other = loaded.stack.logits(plain), loaded.stack.logits(shared)
            largest = max(1.0, float(one.abs().max()))
            apart = float((one - other).abs().max()) / largest
        self.works = apart <= ROUNDING[loaded.dtype]
        if not self.works:
            self.refuse(f"the first prompts differ by {apart:.2g} of the largest logit")

    def refuse(self, reason: str) -> None:
        """Share nothing from now on."""
        self.works = False
        self._tell(f"every prompt is computed whole: {reason}")


@dataclass(frozen=True, kw_only=True)
class SwapRunner:
    """Runs batches of samples in the conditions of swaps."""

    loaded: LoadedModel
    candidates: Candidates
    images: VisionCache
    swaps: Swaps
    draws: int
    """Rounds of swaps."""
    prefixes: SharedPrefixes = field(default_factory=SharedPrefixes)
    scope: MaskScope = "all"
    rows_per_pass: int = 64
    """Sequences in one call of the text stack."""
    watch: Stopwatch = field(default_factory=Stopwatch)
    """Told where the time goes."""

    def widened(
        self, draws: int, *, with_layers: bool = False, with_layer_features: bool = False
    ) -> "SwapRunner":
        """Return a runner of as many rounds as an earlier run of the same block had."""
        del with_layers, with_layer_features  # refused by the options
        swaps = self.swaps if draws <= self.swaps.rounds else self.swaps.widened(draws)
        return replace(self, draws=draws, swaps=swaps)

    def run(self, samples: Sequence[Sample]) -> BatchResult:
        """Predict the answers to an image's own question and to those of its partners.

        Raises
        ------
        BadSample
            If the image cannot be read, or the answers to one of its questions not be scored.
        """
        # So many images that their questions fill one call of the text stack.
        size = max(1, self.rows_per_pass // (1 + self.draws))
        rows: list[Row] = []
        for start in range(0, len(samples), size):
            rows += self._rows(samples[start : start + size])
        return BatchResult(rows=rows, features={}, layer_features={}, passes=len(rows))

    def _rows(self, samples: Sequence[Sample]) -> list[Row]:
        asked = [
            (sample, Condition.FULL if draw < 0 else Condition.SWAP, max(draw, 0))
            for sample in samples
            for draw in range(-1, self.draws)
        ]
        prompts = [
            sample if condition is Condition.FULL else self.swaps.pair(sample, draw)
            for sample, condition, draw in asked
        ]
        rows: list[Row] = []
        for start in range(0, len(asked), self.rows_per_pass):
            part = slice(start, start + self.rows_per_pass)
            rows += self._predict(asked[part], prompts[part])
        return rows

    def _predict(
        self, asked: Sequence[tuple[Sample, Condition, int]], prompts: Sequence[Sample]
    ) -> list[Row]:
        answers = [self.candidates.of(prompt) for prompt in prompts]
        with self.watch.part("preprocessing"):
            batch = encode(
                self.loaded.processor,
                prompts,
                image_token_id=self.loaded.image_token_id,
                scope=self.scope,
                asking=self.candidates.asking,
            )
        with self.watch.part("vision", self.loaded.device):
            captured = merge(self.loaded, batch, prompts, images=self.images)
        with self.watch.part("language", self.loaded.device):
            hidden, later = self._read(batch, captured, prompts, answers)
        with self.watch.part("heads", self.loaded.device):
            found = score(self.loaded.stack, self.candidates, answers, hidden, later)
        return [
            Row(
                sample=sample,
                condition=condition,
                draw=draw,
                layer=OWN_LAYER,
                scores=found.scores[row],
                strict_choice=found.strict[row],
                top_token=found.top[row],
                partner=self.swaps.questions[sample.id][draw].id
                if condition is Condition.SWAP
                else None,
            )
            for row, (sample, condition, draw) in enumerate(asked)
        ]

    def _read(
        self,
        batch: EncodedBatch,
        captured: Captured,
        prompts: Sequence[Sample],
        answers: "Sequence[Sequence[Tokens]]",
    ) -> "tuple[torch.Tensor, list[torch.Tensor | None]]":
        """Return (R, d) states at the prompts' ends, and for each option those at its tokens."""
        stack, prefixes = self.loaded.stack, self.prefixes
        spelling = spell(self.loaded, answers)
        shared: torch.Tensor | None = None
        if prefixes.works is not False and spelling is None:
            found = beginnings(batch, [_shown(prompt) for prompt in prompts])
            if not can_share(stack, captured):
                prefixes.refuse("this family brings an image or its questions in another way")
            elif found is not None:
                shared = replay_shared(stack, captured, found)
                if shared is None:
                    prefixes.refuse("the model keeps no keys and values to go on from")
                else:
                    prefixes.begun += len(found.rows)
                    prefixes.used += len(found.member)
            if shared is not None and prefixes.works:
                return shared, []
        last = replay(
            stack, captured.embeddings, captured.arguments(), keep_cache=spelling is not None
        )
        if shared is not None:
            prefixes.found(self.loaded, last.hidden, shared)
        attended = batch.inputs["attention_mask"]
        prompted = Prompted(cache=last.cache, attended=attended, keywords=captured.keywords)
        later = go_on(stack, prompted, spelling, answers)
        return last.hidden, [one and one.hidden for one in later]


def _shown(prompt: Sample) -> Hashable:
    return tuple(image.digest for image in prompt.images)


def with_partners(swaps: Swaps, samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Return the samples that are asked anything."""
    return tuple(sample for sample in samples if sample.id in swaps.questions)
