"""The proof that a model's masking is clean, run at every load.

A family file may be wrong, and a new checkpoint may differ from what its family promises; a leak of
one modality past its mask makes every number fiction. So each load shows, on real samples: the
replay is the plain forward pass; with the image masked the pixels do not matter; with the text
masked the text does not matter; unmasked, both do; the last layer's lens is the model's own output;
padding changes nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from data_cache.samples import Sample
from model_runners.encoding import EncodedBatch, encode
from model_runners.errors import SelfTestFailed
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker, Moments, NoiseStatistics
from model_runners.prompt import MaskScope
from model_runners.stack import content, replay
from model_runners.vision import merge, to_device

if TYPE_CHECKING:
    import torch

TOLERANCES = {"float32": 1e-4, "bfloat16": 0.25, "float16": 0.05}
"""Largest difference of a logit that counts as rounding.

It is relative to the largest logit where that is over 1.
"""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One property and how far it is from holding."""

    name: str
    value: float
    limit: float
    passed: bool
    meaning: str


@dataclass(frozen=True, kw_only=True)
class SelfTestReport:
    """The checks of one load; stored with the run."""

    model: str
    family: str
    dtype: str
    device: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "passed": self.passed}


def self_test(
    loaded: LoadedModel, samples: Sequence[Sample], *, scope: MaskScope = "all"
) -> SelfTestReport:
    """Run the checks on two samples with different images and texts.

    Parameters
    ----------
    loaded
        The model as it will be run.
    samples
        At least two; the first pair with different images is taken.
    scope
        The mask scope of the run.

    Raises
    ------
    SelfTestFailed
        If a property does not hold; the message names it.
    """
    import torch

    first, second = _pair(samples)
    limit = TOLERANCES.get(loaded.dtype, TOLERANCES["float32"])
    pair = _encode(loaded, [first, second], scope)
    streams = content(merge(loaded, pair, ()), pair)
    fewest = min(len(vectors) for name in ("vision", "text") for vectors in streams[name])
    if fewest < 2:
        raise SelfTestFailed(
            f"{loaded.name} ({loaded.family.name}) failed its self-test, so nothing was computed: "
            f"a prompt has {fewest} maskable vectors of one modality; "
            f"is token {loaded.image_token_id} really the image placeholder?"
        )
    swapped = _swap_pixels(loaded, pair)
    reworded = _replace_words(loaded, pair)
    with torch.no_grad():
        plain = (
            loaded.model(**to_device(pair.inputs, loaded), use_cache=False)
            .logits[:, -1]
            .float()
            .cpu()
        )
    scale = max(1.0, float(plain.abs().max()))
    masker = _masker(streams)

    def logits(batch: EncodedBatch, *, hide: str = "") -> "torch.Tensor":
        return _logits(loaded, batch, masker, (first, second), hide=hide)[0]

    replayed, lens = _logits(loaded, pair, masker, (first, second))
    single = _encode(loaded, [first], scope)
    alone = _logits(loaded, single, masker, (first,))[0]
    checks = [
        _at_most(
            "replay",
            _gap(replayed, plain) / scale,
            limit,
            "the replay differs from the plain forward pass",
        ),
        _at_most(
            "image_masked",
            _gap(logits(pair, hide="vision"), logits(swapped, hide="vision")) / scale,
            limit,
            "with the image masked, other pixels still change the output: "
            "the image leaks past the mask",
        ),
        _at_most(
            "text_masked",
            _gap(logits(pair, hide="text"), logits(reworded, hide="text")) / scale,
            limit,
            "with the text masked, other words still change the output: "
            "the text leaks past the mask",
        ),
        _more_than(
            "image_matters",
            _gap(replayed, logits(swapped)),
            0.0,
            "the image does not move the output at all",
        ),
        _more_than(
            "text_matters",
            _gap(replayed, logits(reworded)),
            0.0,
            "the text does not move the output at all",
        ),
        _at_most(
            "lens",
            _gap(lens, plain) / scale,
            limit,
            "the last layer's lens differs from the model's output",
        ),
        _at_most(
            "padding",
            _gap(alone, plain[:1]) / scale,
            limit,
            "padding of a batch changes the output",
        ),
        _more_than(
            "spread",
            float(min(masker.statistics.vision.std.max(), masker.statistics.text.std.max())),
            0.0,
            "the embeddings of a modality have no variance, so noise cannot be matched to them",
        ),
    ]
    report = SelfTestReport(
        model=loaded.name,
        family=loaded.family.name,
        dtype=loaded.dtype,
        device=str(loaded.device),
        checks=tuple(checks),
    )
    failed = [check for check in checks if not check.passed]
    if failed:
        what = "; ".join(f"{check.meaning} ({check.name} = {check.value:.2g})" for check in failed)
        raise SelfTestFailed(
            f"{loaded.name} ({loaded.family.name}, {loaded.dtype} on {loaded.device}) "
            f"failed its self-test, so nothing was computed: {what}"
        )
    return report


def _pair(samples: Sequence[Sample]) -> tuple[Sample, Sample]:
    first = samples[0]
    for other in samples[1:]:
        different_images = [i.digest for i in other.images] != [i.digest for i in first.images]
        if different_images and len(other.images) == len(first.images):
            return first, other
    raise SelfTestFailed(
        "the self-test needs two samples with different images, and this benchmark has none"
    )


def _encode(loaded: LoadedModel, samples: Sequence[Sample], scope: MaskScope) -> EncodedBatch:
    return encode(loaded.processor, samples, image_token_id=loaded.image_token_id, scope=scope)


def _swap_pixels(loaded: LoadedModel, pair: EncodedBatch) -> EncodedBatch:
    """Give each sample the other's image."""
    inputs = dict(pair.inputs)
    for name in loaded.family.pixel_inputs:
        inputs[name] = inputs[name].flip(0)
    return replace(pair, inputs=inputs)


def _replace_words(loaded: LoadedModel, pair: EncodedBatch) -> EncodedBatch:
    """Replace every maskable token by another, so that length and places stay."""
    places = {"input_ids": pair.text}
    if loaded.family.reads_text is not None and pair.words is not None:
        places[loaded.family.reads_text.words] = pair.words
    inputs = dict(pair.inputs)
    for name, where in places.items():
        inputs[name] = inputs[name].clone()
        for row, held in enumerate(where):
            inputs[name][row, held] = inputs[name][row, held].roll(1).flip(0)
    return replace(pair, inputs=inputs)


def _masker(streams: "dict[str, list[torch.Tensor]]") -> Masker:
    """Noise with the moments of these two samples; a benchmark's statistics are not needed."""
    import torch

    def moments(vectors: "list[torch.Tensor]") -> Moments:
        rows = torch.cat(vectors).float().cpu()
        return Moments(mean=rows.mean(0), std=rows.std(0), count=len(rows))

    found = {name: moments(vectors) for name, vectors in streams.items()}
    statistics = NoiseStatistics(vision=found.pop("vision"), text=found.pop("text"), side=found)
    return Masker(statistics=statistics, seed=0)


def _logits(
    loaded: LoadedModel,
    batch: EncodedBatch,
    masker: Masker,
    samples: Sequence[Sample],
    *,
    hide: str = "",
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return the last position's logits and those of the last layer's lens."""
    import torch

    captured = merge(loaded, batch, samples)
    rows = [
        MaskedRow(index=index, vision=hide == "vision", text=hide == "text")
        for index in range(len(samples))
    ]
    masked = masker.masked(captured, batch, samples, rows)
    last = replay(loaded.stack, masked.embeddings, masked.arguments(), with_layers=True)
    assert last.layers is not None
    with torch.no_grad():
        logits = loaded.stack.logits
        return logits(last.hidden).cpu(), logits(last.layers[-1]).cpu()


def _gap(a: "torch.Tensor", b: "torch.Tensor") -> float:
    return float((a - b).abs().max())


def _at_most(name: str, value: float, limit: float, meaning: str) -> Check:
    return Check(name=name, value=value, limit=limit, passed=value <= limit, meaning=meaning)


def _more_than(name: str, value: float, limit: float, meaning: str) -> Check:
    return Check(name=name, value=value, limit=limit, passed=value > limit, meaning=meaning)
