"""A model that is in memory already, for example while it is trained, as one that can be masked."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from model_runners import recognition
from model_runners.errors import UnsupportedModel
from model_runners.families import is_written, load_family
from model_runners.loading import LoadedModel, find_stack, image_token_of, precision_of
from model_runners.models import ModelSource
from model_runners.prompt import require_chat_template


def loaded_from(model: Any, processor: Any, *, name: str) -> LoadedModel:
    """Describe a model as `loading.load` does one that it has read; nothing is copied.

    Parameters
    ----------
    model
        One of transformers' models of images and text, with adapters of peft in it or without, and
        where a Trainer has wrapped it, the wrapping too.
    processor
        Its processor, with a chat template.
    name
        The name under which results are stored.

    Raises
    ------
    UnsupportedModel
        If it has no text stack where its family says, or no chat template.
    """
    bare = _unwrapped(model)
    require_chat_template(processor)
    config = bare.config
    language = getattr(getattr(config, "text_config", None), "model_type", None)
    if is_written(config.model_type, language):
        family = load_family(config.model_type, language)
    else:
        family = recognition.recognise(bare, processor)
    stack = find_stack(bare, family)
    return LoadedModel(
        source=ModelSource(name=name, location=name, is_local=True),
        family=family,
        model=bare,
        processor=processor,
        stack=stack,
        image_token_id=image_token_of(bare, family, stack, processor),
        device=next(bare.parameters()).device,
        dtype=precision_of(bare),
        attention=str(config._attn_implementation),
        weights=fingerprint(bare),
    )


def fingerprint(model: Any) -> str:
    """Hash configuration and weights of a model in memory: 16 hexadecimal digits.

    It is another one than that of the same model's files: those are hashed as they lie.
    """
    import torch

    digest = hashlib.sha256(model.config.to_json_string().encode())
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().to("cpu").contiguous().reshape(-1)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


@contextmanager
def at_rest(model: Any) -> Generator[None]:
    """Within the block, every part of a model is in evaluation mode; afterwards each is as before.

    The global generators of random numbers are put back too, so that a training goes on as if
    nothing had been asked of its model.
    """
    import torch

    modes = {name: part.training for name, part in model.named_modules()}
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    model.eval()
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        for name, part in model.named_modules():
            part.training = modes[name]


def _unwrapped(model: Any) -> Any:
    """Return transformers' own model inside of what Trainer and peft put around it."""
    from transformers import PreTrainedModel

    inner = model
    while not isinstance(inner, PreTrainedModel):
        inside = getattr(inner, "module", None) or getattr(inner, "base_model", None)
        inside = getattr(inside, "model", inside) if inside is not None else None
        if inside is None:
            raise UnsupportedModel(
                f"a {type(model).__name__} holds no model of transformers; give the model itself"
            )
        inner = inside
    return inner
