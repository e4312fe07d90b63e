"""How a tuned lens is trained: each layer's map, until what it reads is what the model says.

For layer l the loss is the mean over states of KL(p || q_l) (Belrose et al. 2023, eq. 8), where p
is the model's own distribution over the whole vocabulary and q_l what the head reads of the moved
state. It is the whole vocabulary and not the options, because the mass of the options under it is
what tau asks about, and because a map that only had to tell the options apart would be a
classifier of its own. The model itself is the target, never the right answer.

The map works on coordinates of mean 0 and deviation 1, so that one learning rate serves every
layer of every model; it starts at the identity, and the best step on groups that were held out is
kept, the start included: on those a tuned lens never reads worse than the logit lens.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from model_runners.errors import BadOption, Cancelled
from model_runners.lens_states import LensStates
from model_runners.tuned_lens import TunedLens, moved_by
from model_runners.unwatched import ignore, never

if TYPE_CHECKING:
    import torch

    from model_runners.stack import TextStack

BIAS_RATE = 0.02
"""Of a bias, as a part of `LensTraining.rate`: it is one number, where a row of W is many."""
SMALLEST_DEVIATION = 1e-3
"""Of a coordinate, as a part of the mean over coordinates: less counts as this much."""


@dataclass(frozen=True, kw_only=True)
class LensTraining:
    """How long and how fast to learn."""

    epochs: int = 40
    """Passes over the states at most."""
    patience: int = 4
    """Epochs without a better held-out divergence after which a layer is done."""
    rate: float = 0.5
    """Deviations by which one step of Adam can move a coordinate at the start, above 0: the rate of
    W is this over the width of the model, whatever that is. It falls to a tenth over the epochs
    (cosine)."""
    decay: float = 1e-2
    """Weight decay (AdamW): towards the logit lens."""
    batch_size: int = 256
    """States per step."""
    seed: int = 0
    """Of the order of the states."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before a model is loaded."""
        for name in ("epochs", "patience", "batch_size"):
            if getattr(self, name) < 1:
                words = name.replace("_", " ")
                raise BadOption(f"{words} must be 1 or more, not {getattr(self, name)}")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise BadOption(f"the learning rate must be above 0, not {self.rate}")
        if not (math.isfinite(self.decay) and self.decay >= 0):
            raise BadOption(f"the weight decay must be 0 or more, not {self.decay}")


@dataclass(frozen=True, kw_only=True)
class LayerFit:
    """What training did for one layer; divergences are in bits, on the groups held out."""

    layer: int
    before: float
    """Mean KL of the logit lens from the model's own distribution."""
    after: float
    """That of the tuned lens, at most `before`."""
    epochs: int
    """Passes up to the one that was kept; 0 is the identity."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class TrainedLens:
    """A lens and the evidence for it."""

    lens: TunedLens
    fits: tuple[LayerFit, ...]
    """One per layer but the last."""
    learned: int
    """States that were learned from."""
    held_out: int
    """States that said when to stop."""


def train_lens(
    stack: "TextStack",
    states: LensStates,
    training: LensTraining | None = None,
    *,
    progress: Callable[[int, int], None] = ignore,
    stop: Callable[[], bool] = never,
) -> TrainedLens:
    """Train the map of every layer but the last, one after the other.

    Parameters
    ----------
    stack
        Of the model that the states are of; it stays as it is.
    states
        From `lens_states.collect`.
    training
        How long and how fast; None takes the defaults.
    progress
        Called with layers done and in all.
    stop
        Asked before each layer.

    Raises
    ------
    BadOption
        If the states are of a single group.
    Cancelled
        If `stop` said so.
    """
    import torch

    training = training or LensTraining()
    learned, held_out = states.divided()
    matrices: list[torch.Tensor] = []
    biases: list[torch.Tensor] = []
    fits: list[LayerFit] = []
    count = len(states.layers)
    for layer in range(count):
        if stop():
            raise Cancelled(f"stopped after {layer} of {count} layers")
        matrix, bias, fit = _train_layer(stack, learned, held_out, layer, training)
        matrices.append(matrix.to(states.layers.dtype).cpu())
        biases.append(bias.to(states.layers.dtype).cpu())
        fits.append(fit)
        progress(layer + 1, count)
    width = states.final.shape[-1]
    nothing = torch.zeros(0, width)
    return TrainedLens(
        lens=TunedLens(
            matrices=torch.stack(matrices) if matrices else torch.zeros(0, width, width),
            biases=torch.stack(biases) if biases else nothing,
        ),
        fits=tuple(fits),
        learned=len(learned.groups),
        held_out=len(held_out.groups),
    )


def divergence(
    stack: "TextStack",
    states: "torch.Tensor",
    final: "torch.Tensor",
    *,
    batch_size: int = 256,
) -> float:
    """Return the mean KL, in bits, of what the head reads of states from the model's own output.

    Parameters
    ----------
    stack
        Of the model.
    states
        (M, d): of one layer, moved by its map or not, before the final norm.
    final
        (M, d): the model's own last states, after the final norm.
    batch_size
        States whose logits are in memory at once.
    """
    import torch

    device = next(stack.head.parameters()).device
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(states), batch_size):
            part = slice(start, start + batch_size)
            total += float(_divergences(stack, states[part], final[part], device).sum())
    return total / len(states) / math.log(2)


def _divergences(
    stack: "TextStack", states: "torch.Tensor", final: "torch.Tensor", device: "torch.device"
) -> "torch.Tensor":
    """Return KL(own || lens) of each state, in nats; gradients flow to the states alone."""
    import torch

    with torch.no_grad():
        own = stack.logits(final.to(device)).log_softmax(-1)
    read = stack.logits(stack.norm(states.to(device))).log_softmax(-1)
    return (own.exp() * (own - read)).sum(-1)


def _train_layer(
    stack: "TextStack",
    learned: LensStates,
    held_out: LensStates,
    layer: int,
    training: LensTraining,
) -> "tuple[torch.Tensor, torch.Tensor, LayerFit]":
    """Return W and b of one layer, float32 on the head's device, and what they do."""
    import torch

    device = next(stack.head.parameters()).device
    states = learned.layers[layer].float()
    width = states.shape[-1]
    mean, deviation = states.mean(0), states.std(0, correction=0)
    floor = SMALLEST_DEVIATION * float(deviation.mean())
    deviation = deviation.clamp(min=floor or 1.0)
    mean, deviation = mean.to(device), deviation.to(device)
    turn = torch.zeros(width, width, device=device, requires_grad=True)
    shift = torch.zeros(width, device=device, requires_grad=True)

    def folded() -> "tuple[torch.Tensor, torch.Tensor]":
        """As a map of the states themselves: D turn D^-1, and what keeps the mean in place."""
        matrix = deviation[:, None] * turn / deviation
        return matrix, deviation * shift - matrix @ mean

    def held() -> float:
        with torch.no_grad():
            matrix, bias = folded()
            own_type = learned.layers.dtype
            # As it will be stored, so that what is kept is what was judged.
            matrix, bias = matrix.to(own_type), bias.to(own_type)
            moved = moved_by(held_out.layers[layer].to(device), matrix, bias)
        return divergence(stack, moved, held_out.final, batch_size=training.batch_size)

    optimiser = torch.optim.AdamW(
        [
            {"params": [turn], "lr": training.rate / width},
            {"params": [shift], "lr": training.rate * BIAS_RATE},
        ],
        weight_decay=training.decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda epoch: 0.55 + 0.45 * math.cos(math.pi * epoch / training.epochs)
    )
    order = torch.Generator().manual_seed(training.seed)
    before = best = held()
    (matrix, bias), kept_at = folded(), 0
    kept = matrix.detach().clone(), bias.detach().clone()
    for epoch in range(1, training.epochs + 1):
        for places in torch.randperm(len(states), generator=order).split(training.batch_size):
            matrix, bias = folded()
            moved = moved_by(learned.layers[layer, places].to(device), matrix, bias)
            loss = _divergences(stack, moved, learned.final[places], device).mean()
            # Only of the map: the model's own weights gather no gradients.
            turn.grad, shift.grad = torch.autograd.grad(loss, [turn, shift])
            optimiser.step()
        schedule.step()
        now = held()
        if now < best:
            best, kept_at = now, epoch
            matrix, bias = folded()
            kept = matrix.detach().clone(), bias.detach().clone()
        elif not math.isfinite(now) or epoch - kept_at >= training.patience:
            break
    return *kept, LayerFit(layer=layer, before=before, after=best, epochs=kept_at)
