"""Which modules are trained: LoRA on every linear map of the last fifth of the language layers."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_runners.adapting import wrap
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel

if TYPE_CHECKING:
    from torch import nn

SHARE = 0.2
"""Of the language layers, the last ones: fusion arises there (MI26, section 4.3)."""
ALPHA_PER_RANK = 2


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A model with trainable LoRA matrices in it, everything else frozen."""

    wrapped: Any
    """peft's model around the base."""
    targets: tuple[str, ...]
    """Full dotted names of the adapted linear maps, within the base."""
    parameters: "dict[str, nn.Parameter]"
    """What is trained, by name, in order of name."""
    base: str
    """What the adapter's configuration names as its base."""

    def config(self) -> dict[str, Any]:
        """Return peft's configuration as JSON values, the same on every machine."""
        content = self.wrapped.peft_config["default"].to_dict()
        plain = {k: sorted(v) if isinstance(v, set) else v for k, v in content.items()}
        return plain | {
            "base_model_name_or_path": self.base,
            "inference_mode": True,
            "target_modules": sorted(self.targets),
        }

    def weights(self) -> "dict[str, Any]":
        """Return the LoRA matrices under peft's names, on the CPU."""
        import peft

        found = peft.get_peft_model_state_dict(self.wrapped)
        return {name: value.detach().cpu().contiguous() for name, value in sorted(found.items())}


def last_layers(loaded: LoadedModel) -> "list[nn.Module]":
    """Return the last ceil(0.2 n) of the n language layers."""
    layers = list(loaded.stack.layers)
    return layers[-math.ceil(SHARE * len(layers)) :]


def target_names(loaded: LoadedModel) -> list[str]:
    """Return the full dotted names of the linear maps in the last fifth of the language layers.

    Full names, because short ones such as `q_proj` also hit the vision tower (`layers_to_transform`
    counts its layers too).

    Raises
    ------
    UnsupportedModel
        If there are none.
    """
    from torch import nn

    inside = {id(module) for layer in last_layers(loaded) for module in layer.modules()}
    names = [
        name
        for name, module in loaded.model.named_modules()
        if isinstance(module, nn.Linear) and id(module) in inside
    ]
    if not names:
        raise UnsupportedModel(
            f"the last language layers of {loaded.name} hold no linear maps (nn.Linear), "
            "so LoRA has nothing to adapt"
        )
    return names


def attach(loaded: LoadedModel, *, rank: int, seed: int, base: str) -> Lora:
    """Put fresh LoRA matrices into a model and freeze everything else.

    Parameters
    ----------
    loaded
        The base; its linear maps are wrapped in place, so that its text stack runs with LoRA.
    rank
        Of the matrices.
    seed
        Of the first values of A; B starts at 0, so that nothing changes at first.
    base
        What names the base in every working directory.

    Raises
    ------
    UnsupportedModel
        If something else than the last layers would be trained.
    """
    import peft
    import torch

    names = target_names(loaded)
    with torch.random.fork_rng(devices=[]):  # peft draws A from the global generator
        wrapped = wrap(
            loaded.model,
            peft.LoraConfig(
                r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules=names, lora_dropout=0.0
            ),
        )
    parameters = {name: p for name, p in sorted(wrapped.named_parameters()) if p.requires_grad}
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in parameters.items():
        if ".lora_A." in name:  # uniform, as peft does it, but from a generator of our own
            bound = parameter.shape[1] ** -0.5
            fresh = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
            with torch.no_grad():
                parameter.copy_(fresh)
    prefix = "base_model.model."
    adapted = {name.split(".lora_")[0].removeprefix(prefix) for name in parameters}
    if adapted != set(names):
        odd = sorted(adapted ^ set(names))[0]
        raise UnsupportedModel(
            f"LoRA would adapt other modules of {loaded.name} than the last layers: {odd}"
        )
    return Lora(wrapped=wrapped, targets=tuple(names), parameters=parameters, base=base)
