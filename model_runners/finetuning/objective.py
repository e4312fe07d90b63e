"""What is minimised: the weighted cross entropy of the answer's letter after the full prompt.

A step over a batch of samples i with weights w_i minimises

    sum_i w_i CE_i / (B w_mean)

with B the nominal batch size and w_mean the mean weight of the whole training set. Both are
constants, so that accumulating small pieces gives the gradient of one large batch, and a sample of
weight 3 pulls six times as hard as one of weight 1/2, whatever stands beside it. Dividing by the
batch's own weights would undo the weights: at one sample a piece, all would pull alike.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from data_cache.samples import Sample
from model_runners.candidates import Candidates
from model_runners.encoding import encode
from model_runners.errors import SplitLeak
from model_runners.loading import LoadedModel
from model_runners.vision import VisionCache, merge

if TYPE_CHECKING:
    import torch


def refuse_other_splits(samples: Iterable[Sample]) -> None:
    """Let train-split samples pass only.

    Raises
    ------
    SplitLeak
        If one is of another split.
    """
    for sample in samples:
        if sample.split != "train":
            raise SplitLeak(
                f"sample {sample.id!r} is of the {sample.split} split; only the train split may "
                "be scored or trained on"
            )


def answer_losses(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    candidates: Candidates,
    images: VisionCache,
) -> "torch.Tensor":
    """Return (B,) cross entropies over the whole vocabulary at the answer's position, in nats.

    Image and text are encoded and merged as for a profile, without gradients, since nothing before
    the text stack is trained; then the text stack runs on the merged embeddings as in a replay.

    Raises
    ------
    SplitLeak
        If a sample is not of the train split.
    """
    import torch
    from torch.nn import functional

    refuse_other_splits(samples)
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples, images=images)
    states, _ = loaded.stack.run(captured.embeddings, captured.arguments())
    scores = loaded.stack.logits(states[:, -1])
    letters = [candidates.token(sample.letters[sample.answer]) for sample in samples]
    return functional.cross_entropy(
        scores,
        torch.tensor(letters, device=scores.device),
        reduction="none",
    )


def objective(
    losses: "torch.Tensor", weights: "torch.Tensor", *, batch_size: int, mean_weight: float
) -> "torch.Tensor":
    """Return the share of a step's objective that some of its samples have.

    Parameters
    ----------
    losses, weights
        (b,) of a batch or of a piece of it.
    batch_size
        The nominal B, also where the last batch of an epoch is smaller.
    mean_weight
        Of the whole training set.
    """
    return (losses * weights.to(losses)).sum() / (batch_size * mean_weight)
