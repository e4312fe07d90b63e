"""The table of model families: one line per `model_type`, loaded only when a model needs it."""

import importlib
from dataclasses import dataclass

from model_runners.errors import UnsupportedModel

FAMILIES: dict[str, str] = {
    "llava": "model_runners.families.llava",
}
"""transformers' `model_type` -> module with a constant `FAMILY`."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """What is particular to a family; everything else is shared."""

    name: str
    """As papers write it."""
    model_type: str
    """As in config.json."""
    stack: str
    """Dotted path of the module that owns the decoder layers."""
    layers: str
    """Attribute of the stack: the list of decoder layers."""
    norm: str
    """Attribute of the stack: the final norm."""
    image_token: str
    """Attribute of the configuration: the id of the image placeholder."""
    pixel_inputs: tuple[str, ...]
    """Names of the model inputs that carry pixels."""
    takes_encoder_outputs: bool
    """Whether forward accepts `mm_encoder_outputs`, so that an image is encoded only once."""


def load_family(model_type: str) -> Family:
    """Return the family of a `model_type`.

    Raises
    ------
    UnsupportedModel
        If the table has no such line.
    """
    module = FAMILIES.get(model_type)
    if module is None:
        raise UnsupportedModel(
            f"models of type {model_type!r} have no family file yet; "
            f"known types: {', '.join(sorted(FAMILIES))} "
            "(docs/adding-a-family.md says how to add one)"
        )
    return importlib.import_module(module).FAMILY
