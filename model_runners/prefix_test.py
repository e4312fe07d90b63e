"""Whether a model's prompts can share what they begin with: tried out on the run's own samples.

Two things are shown. What the stack keeps of a beginning is the same whatever follows it: a model
that reads left to right passes to the last bit, one whose image looks at the words does not. And a
row that goes on from a shared beginning ends in the logits of the row read whole.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

from data_cache.conditions import Condition
from data_cache.samples import Sample
from model_runners.errors import BadOption
from model_runners.masking import MaskedRow
from model_runners.prefixes import (
    LEAST_PARAMETERS,
    NO_TEXT,
    NO_VISION,
    VARIABLE,
    Divided,
    can_be_picked,
    divide,
    parameters_of,
    shared_rows,
)
from model_runners.selftest import LEAK, ROUNDING
from model_runners.stack import Captured, replay
from model_runners.stopwatch import Stopwatch
from model_runners.vision import merge

if TYPE_CHECKING:
    import torch

    from model_runners.encoding import EncodedBatch
    from model_runners.inference import BatchRunner, Place

Sharing = Literal["auto", "always", "off"]
TRIED = 3
"""Samples."""
log = logging.getLogger(__name__)

ROWS = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2, Condition.NEITHER)


def chosen_sharing() -> Sharing:
    """Return what the environment says of sharing.

    Raises
    ------
    BadOption
        If it says something else.
    """
    said = os.environ.get(VARIABLE, "").strip().lower() or "auto"
    if said not in ("auto", "always", "off"):
        raise BadOption(f"${VARIABLE} must be auto, always or off, not {said!r}")
    return cast(Sharing, said)


def can_share(runner: "BatchRunner", samples: Sequence[Sample]) -> bool:
    """Whether beginnings can be shared, and the model is large enough for it to pay.

    Parameters
    ----------
    runner
        Of the run.
    samples
        Readable ones, 1 or more; the first few are tried.
    """
    sharing = chosen_sharing()
    stack = runner.loaded.stack
    if sharing == "off" or runner.with_layer_features or stack.decoder is not None:
        return False
    if sharing == "auto" and parameters_of(stack) < LEAST_PARAMETERS:
        return False
    tried = list(samples[:TRIED])
    alone = replace(runner, watch=Stopwatch(), rows_per_pass=4)
    batch = alone.encode(tried, with_image=True)
    captured = merge(alone.loaded, batch, tried, images=alone.images)
    divided = divide(captured, batch, tried, stack)
    if divided is None:
        return False
    return reads_left_to_right(alone, divided, captured, batch, tried) and _ends_alike(
        alone, divided, captured, batch, tried
    )


def reads_left_to_right(
    runner: "BatchRunner",
    divided: Divided,
    captured: Captured,
    batch: "EncodedBatch",
    samples: Sequence[Sample],
) -> bool:
    """Whether keys and values before the first masked word stay when other words follow."""
    import torch

    kept: list[Any] = []
    for draw in (0, 1):
        masked = runner.masker.masked(
            captured, batch, samples, [MaskedRow(index=0, text=True, draw=draw)]
        )
        with torch.no_grad():
            _, cache = runner.loaded.stack.run(
                masked.embeddings, masked.arguments(), keep_cache=True
            )
        if not can_be_picked(cache):
            return False
        kept.append(cache)
    begin, end = int(divided.begins[0]), int(divided.cuts[0])
    for one, other in zip(*(cache.layers for cache in kept), strict=True):
        if not one.is_initialized:
            continue
        for mine, its in ((one.keys, other.keys), (one.values, other.values)):
            if _differs(mine[:, :, begin:end], its[:, :, begin:end], LEAK[runner.loaded.dtype]):
                return False
    return True


def _ends_alike(
    runner: "BatchRunner",
    divided: Divided,
    captured: Captured,
    batch: "EncodedBatch",
    samples: Sequence[Sample],
) -> bool:
    places = [(index, condition, 0) for index in range(len(samples)) for condition in ROWS]
    limit = ROUNDING[runner.loaded.dtype]
    try:
        return not any(
            _differs(shared, whole, limit)
            for shared, whole in _both_ways(runner, divided, captured, batch, samples, places)
        )
    except (TypeError, ValueError, RuntimeError, IndexError) as error:  # it takes no such call
        log.info("prompts of %s share nothing: %s", runner.loaded.name, error)
        return False


def _both_ways(
    runner: "BatchRunner",
    divided: Divided,
    captured: Captured,
    batch: "EncodedBatch",
    samples: Sequence[Sample],
    places: "Sequence[Place]",
) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
    """Yield the logits of rows that go on from a shared beginning, and of the same read whole."""
    import torch

    stack = runner.loaded.stack
    for part, follows, past in shared_rows(runner, divided, captured, batch, samples, places):
        whole = runner.masker.masked(
            captured,
            batch,
            samples,
            [
                MaskedRow(
                    index=index, vision=condition in NO_VISION, text=condition in NO_TEXT, draw=draw
                )
                for index, condition, draw in part
            ],
        )
        shared = replay(stack, follows.embeddings, follows.arguments(), past=past.cache)
        plain = replay(stack, whole.embeddings, whole.arguments())
        with torch.no_grad():
            yield stack.logits(shared.hidden), stack.logits(plain.hidden)


def _differs(one: "torch.Tensor", other: "torch.Tensor", limit: float) -> bool:
    scale = max(float(other.abs().max()), 1.0)
    return not float((one - other).abs().max()) <= limit * scale
