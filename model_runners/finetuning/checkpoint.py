"""How a training comes to rest and goes on: parameters and optimiser state in safetensors.

One file, so that parameters, moments and step always belong together. peft's own files beside it
are what a model is loaded from.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.atomic import write_atomically
from model_runners.adapting import CONFIG_NAME, WEIGHTS_NAME
from model_runners.finetuning.lora import Lora

if TYPE_CHECKING:
    import torch

STATE_NAME = "training.safetensors"
BEST = "best/"
MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW remembers of each parameter, beside the number of steps."""


@dataclass(frozen=True, kw_only=True)
class Best:
    """The adapter that did best on the samples that are held out."""

    loss: float
    """Mean cross entropy on them, in nats."""
    step: int
    """Optimiser steps that it has seen."""
    misses: int
    """Evaluations since then, none of them better."""
    parameters: "dict[str, torch.Tensor]"
    """By name."""


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """Everything that a training goes on from.

    No generator has a state to keep: dropout is drawn anew in every step, from seed and step.
    """

    step: int
    """Optimiser steps done."""
    tensors: "dict[str, torch.Tensor]"
    """By `parameter|exp_avg|exp_avg_sq/<name>`."""
    best: Best | None = None
    """Where samples are held out and have been looked at."""


def take(
    lora: Lora, optimiser: "torch.optim.AdamW", step: int, best: Best | None = None
) -> TrainingState:
    """Return a copy of the present state."""
    tensors = {f"parameter/{n}": p.detach().clone() for n, p in lora.parameters.items()}
    for name, parameter in lora.parameters.items():
        for moment in MOMENTS:
            if parameter in optimiser.state:
                tensors[f"{moment}/{name}"] = optimiser.state[parameter][moment].clone()
    return TrainingState(step=step, tensors=tensors, best=best)


def put(state: TrainingState, lora: Lora, optimiser: "torch.optim.AdamW") -> None:
    """Give parameters and optimiser an earlier state."""
    import torch

    optimiser.state.clear()
    for name, parameter in lora.parameters.items():
        with torch.no_grad():
            parameter.copy_(state.tensors[f"parameter/{name}"])
        if state.step:
            optimiser.state[parameter] = {
                "step": torch.tensor(float(state.step)),
                **{
                    m: state.tensors[f"{m}/{name}"].to(parameter.device, copy=True) for m in MOMENTS
                },
            }


def save(folder: Path, state: TrainingState, lora: Lora, *, digest: str) -> None:
    """Write a state, and the adapter of the present parameters as peft does.

    Parameters
    ----------
    folder
        The adapter's.
    state
        Of the present parameters.
    lora
        The model.
    digest
        Of the training plan; another plan cannot go on from here.
    """
    from safetensors.torch import save as to_bytes

    tensors = {name: value.cpu().contiguous() for name, value in sorted(state.tensors.items())}
    told: dict[str, Any] = {"plan": digest, "step": state.step}
    if state.best is not None:
        best = state.best
        told["best"] = {"loss": best.loss, "step": best.step, "misses": best.misses}
        tensors |= {f"{BEST}{n}": p.cpu().contiguous() for n, p in sorted(best.parameters.items())}
    # One entry, because safetensors writes several in any order: equal states, equal bytes.
    write_atomically(folder / STATE_NAME, to_bytes(tensors, {"training": json.dumps(told)}))
    save_adapter(folder, lora)


def save_adapter(folder: Path, lora: Lora) -> None:
    """Write the adapter of the present parameters in peft's layout."""
    from safetensors.torch import save as to_bytes

    config = json.dumps(lora.config(), sort_keys=True, indent=1, default=str) + "\n"
    write_atomically(folder / CONFIG_NAME, config.encode())
    write_atomically(folder / WEIGHTS_NAME, to_bytes(lora.weights(), {"format": "pt"}))


def load(folder: Path, lora: Lora, *, digest: str) -> TrainingState | None:
    """Return the state to go on from; None where there is none of this plan."""
    from safetensors import SafetensorError, safe_open

    path = folder / STATE_NAME
    try:
        with safe_open(path, "pt") as file:  # pyright: ignore[reportGeneralTypeIssues]
            metadata = json.loads((file.metadata() or {}).get("training", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None
    same = all(
        (there := tensors.get(f"parameter/{name}")) is not None and there.shape == p.shape
        for name, p in lora.parameters.items()
    )
    if metadata.get("plan") != digest or not same:
        return None
    kept = {n.removeprefix(BEST): tensors.pop(n) for n in list(tensors) if n.startswith(BEST)}
    best = Best(**metadata["best"], parameters=kept) if kept else None
    return TrainingState(step=int(metadata["step"]), tensors=tensors, best=best)
