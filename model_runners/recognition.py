"""How a model is understood whose family no file describes: by the idiom that most models follow.

transformers' models of images and text share habits: the text stack is what `get_decoder()` leads
to, its layers and its norm have a few usual names, features take the places of one placeholder, and
the configuration names that placeholder. Nothing here is trusted: the self-test proves it at every
load, or names the property that fails.
"""

import io
from typing import TYPE_CHECKING, Any

from data_cache.samples import ImageFile, Sample
from model_runners.encoding import encode
from model_runners.errors import UnsupportedModel
from model_runners.families import Family
from model_runners.placement import input_device
from model_runners.stack import TextStack, capture, follow

if TYPE_CHECKING:
    from torch import nn

LAYERS = ("layers", "blocks", "block", "h")
"""Usual names of the list of decoder layers."""
NORMS = ("norm", "final_layernorm", "final_layer_norm", "ln_f")
"""Usual names of the final norm."""
PLACEHOLDERS = ("image_token_id", "image_token_index", "vision_config.image_token_id")
"""Usual names of the placeholder's id in a configuration."""
PROBE_SIDE = 224
"""Side in pixels of the two images that are compared where the configuration names none."""


def recognise(model: Any, processor: Any) -> Family:
    """Describe a model that follows the common idiom.

    Parameters
    ----------
    model
        A transformers model of images and text.
    processor
        Its processor.

    Raises
    ------
    UnsupportedModel
        If it does not follow the idiom; the message says where.
    """
    kind = type(model).__name__
    if _is_encoder_decoder(model):
        raise UnsupportedModel(
            f"{kind} is an encoder-decoder that no family file describes, so where its text is "
            "read is unknown; docs/adding-a-family.md says how to write one"
        )
    stack = _innermost_decoder(model)
    path = next((name for name, module in model.named_modules() if module is stack), "")
    layers = _first_of(stack, LAYERS, is_list=True)
    norm = _first_of(stack, NORMS)
    if not path or layers is None or norm is None:
        missing = (
            "text stack of its own" if not path else "list of layers" if not layers else "norm"
        )
        raise UnsupportedModel(
            f"{kind} has no family file and does not follow the common idiom: its decoder "
            f"({type(stack).__name__}) has no {missing} under the usual names; "
            "docs/adding-a-family.md says how to write a file"
        )
    names = list(getattr(processor.image_processor, "model_input_names", ()))
    pixels = tuple(name for name in names if "pixel_values" in name)
    return Family(
        name=kind.removesuffix("ForConditionalGeneration").removesuffix("ForCausalLM"),
        model_type=model.config.model_type,
        stack=path,
        layers=layers,
        norm=norm,
        image_token=next(
            (name for name in PLACEHOLDERS if isinstance(follow(model.config, name), int)),
            PLACEHOLDERS[0],
        ),
        pixel_inputs=pixels or tuple(names[:1]),
        is_written=False,
    )


def find_placeholder(model: Any, stack: TextStack, processor: Any) -> int:
    """Find the image placeholder by the positions that hold other vectors under other pixels.

    Two images of noise are merged into one prompt, one after the other; no layer of the text stack
    runs.

    Parameters
    ----------
    model, stack, processor
        Of a model whose configuration names no placeholder.

    Raises
    ------
    UnsupportedModel
        If no position depends on pixels, or the positions hold several tokens.
    """
    import torch

    parameter = next(one for one in model.parameters() if one.is_floating_point())
    device = input_device(model)
    seen: list[torch.Tensor] = []
    ids = torch.empty(0)
    for seed in range(2):
        inputs = encode(processor, [_probe(seed)], image_token_id=-1).inputs
        ids = inputs["input_ids"][0]
        moved = {
            name: value.to(device, parameter.dtype if value.is_floating_point() else value.dtype)
            if isinstance(value, torch.Tensor)
            else value
            for name, value in inputs.items()
        }
        seen.append(capture(model, stack, moved).embeddings[0])
    kind = type(model).__name__
    if seen[0].shape != seen[1].shape:
        raise UnsupportedModel(
            f"{kind} names no image placeholder in config.json, and two images of one size give "
            "prompts of different lengths, so the image's positions cannot be found"
        )
    tokens = ids[(seen[0] != seen[1]).any(-1).cpu()].unique().tolist()
    if len(tokens) != 1:
        found = (
            "no position of a prompt holds pixels"
            if not tokens
            else (f"the positions that hold pixels are of {len(tokens)} different tokens")
        )
        raise UnsupportedModel(
            f"{kind} names no image placeholder in config.json ({', '.join(PLACEHOLDERS)}), and "
            f"{found}; docs/adding-a-family.md says how to describe such a family"
        )
    return tokens[0]


def _innermost_decoder(model: Any) -> "nn.Module":
    """Follow `get_decoder()` until it leads nowhere else."""
    found = model
    for _ in range(8):
        decoder = found.get_decoder() if hasattr(found, "get_decoder") else found
        if decoder is None or decoder is found:
            break
        found = decoder
    return found


def _is_encoder_decoder(model: Any) -> bool:
    language = getattr(model, "language_model", None)
    configs = [model.config, model.config.get_text_config(), getattr(language, "config", None)]
    return any(getattr(config, "is_encoder_decoder", False) for config in configs)


def _first_of(module: Any, names: tuple[str, ...], *, is_list: bool = False) -> str | None:
    from torch import nn

    wanted = nn.ModuleList if is_list else nn.Module
    return next((name for name in names if isinstance(getattr(module, name, None), wanted)), None)


def _probe(seed: int) -> Sample:
    """Return a question about an image of noise."""
    import numpy as np
    import PIL.Image

    shape = (PROBE_SIDE, PROBE_SIDE, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return Sample(
        id="probe",
        group_id="probe",
        question="What is in the image?",
        options=("something", "nothing"),
        answer=0,
        images=(ImageFile(data=file.getvalue()),),
    )
