"""Which modules are trained: LoRA on every linear map of the last fifth of the language layers."""

import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from model_runners.adapting import wrap
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.placement import require_here

if TYPE_CHECKING:
    from torch import nn

SHARE = 0.2
"""Of the language layers, the last ones: fusion arises there (MI26, section 4.3)."""


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


def refuse_untrainable(loaded: LoadedModel) -> None:
    """Let a base pass that LoRA can be trained on.

    Raises
    ------
    UnsupportedModel
        If it is quantised and its quantisation has no gradients (no k-bit support).
    """
    quantizer = getattr(loaded.model, "hf_quantizer", None)
    if quantizer is None or quantizer.is_trainable:
        return
    method = getattr(loaded.model, "quantization_method", None)
    raise UnsupportedModel(
        f"{loaded.name} is quantised by {getattr(method, 'value', method) or 'an unknown method'}, "
        "which LoRA cannot be trained on; give the unquantised base, or one in 4 or 8 bits by "
        "bitsandbytes"
    )


def drop(lora: Lora, *, training: bool) -> None:
    """Let LoRA's dropout work or rest; all frozen parts stay in evaluation mode.

    In training mode those would drop too, so that another model would be trained than is measured.
    """
    lora.wrapped.eval()
    for name, module in lora.wrapped.named_modules():
        if ".lora_dropout." in name:
            module.train(training)


@contextmanager
def checkpointed(loaded: LoadedModel) -> Generator[None]:
    """Within the block, the trained layers compute activations twice rather than keep them.

    transformers' own switch works in training mode only, in which frozen parts would drop too.
    """
    from torch.utils.checkpoint import checkpoint

    layers = last_layers(loaded)
    own = [layer.__dict__.get("forward") for layer in layers]
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer, forward in zip(layers, own, strict=True):
            del layer.forward
            if forward is not None:
                layer.forward = forward


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


def attach(
    loaded: LoadedModel,
    *,
    rank: int,
    seed: int,
    base: str,
    alpha: float | None = None,
    dropout: float = 0.0,
) -> Lora:
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
    alpha
        The matrices' product is scaled by alpha / rank; None is twice the rank.
    dropout
        Of what goes into the matrices.

    Raises
    ------
    UnsupportedModel
        If something else than the last layers would be trained, or the base is quantised in a way
        that cannot be trained on.
    """
    import peft
    import torch

    refuse_untrainable(loaded)
    require_here(loaded.model, loaded.name)
    names = target_names(loaded)
    with torch.random.fork_rng(devices=[]):  # peft draws A from the global generator
        wrapped = wrap(
            loaded.model,
            peft.LoraConfig(
                r=rank,
                lora_alpha=2 * rank if alpha is None else alpha,  # pyright: ignore[reportArgumentType] -- peft only divides by the rank
                target_modules=names,
                lora_dropout=dropout,
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
