"""Where the parts of a model lie: on one device, or spread over several by accelerate.

A spread model looks like any other from outside: a hook before each part brings its inputs to the
part's device, and weights that no device has room for are fetched for as long as they are needed.
Inputs go to where the tokens are embedded.
"""

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from model_runners.errors import BadOption, UnsupportedModel

if TYPE_CHECKING:
    import torch

DeviceMap = Literal["auto", "balanced", "balanced_low_0", "sequential"]
DEVICE_MAPS: tuple[DeviceMap, ...] = get_args(DeviceMap)
"""accelerate's ways: `balanced` (which is what `auto` means) gives every GPU as much, the one with
_low_0 leaves room on the first, `sequential` fills one after the other. What is left over goes to
the main memory, and then to the disk."""


def check_device_map(device_map: str | None, *, device: str) -> None:
    """Refuse what cannot be spread.

    Parameters
    ----------
    device_map
        One of `DEVICE_MAPS`; None leaves a model on one device.
    device
        What was asked for beside it.

    Raises
    ------
    BadOption
        If there is no such way, a single device was asked for as well, or accelerate is missing.
    """
    if device_map is None:
        return
    if device_map not in DEVICE_MAPS:
        raise BadOption(f"device map must be one of {', '.join(DEVICE_MAPS)}, not {device_map!r}")
    if device != "auto":
        raise BadOption(
            f"a device map spreads the model over all devices, so --device {device} cannot be "
            "had beside it; leave one of the two out"
        )
    if importlib.util.find_spec("accelerate") is None:
        raise BadOption("a device map needs accelerate; get it with: pip install accelerate")


def input_device(model: Any) -> "torch.device":
    """Return the device that a model's token ids go to."""
    import torch

    embedder = model.get_input_embeddings()
    hook = getattr(embedder, "_hf_hook", None)
    place = getattr(hook, "execution_device", None)
    if place is None:
        return embedder.weight.device
    return torch.device("cuda", place) if isinstance(place, int) else torch.device(place)


def require_here(module: Any, what: str) -> None:
    """Refuse a module some of whose weights wait in main memory or on the disk.

    LoRA matrices lie beside the weights that they change, and these are nowhere between two passes.

    Raises
    ------
    UnsupportedModel
        If one waits.
    """
    if any(weight.is_meta for weight in module.parameters()):
        raise UnsupportedModel(
            f"{what} is spread so far that some of its weights wait in main memory or on the disk, "
            "where LoRA cannot change them; take devices with more memory, hold the weights in "
            "fewer bits (--quantize), or merge the adapter into its base first"
        )


def placed(model: Any) -> Mapping[str, int]:
    """Return how many parts of a spread model lie where; empty for one on a single device."""
    parts: Mapping[str, Any] = getattr(model, "hf_device_map", None) or {}
    names = [f"cuda:{place}" if isinstance(place, int) else str(place) for place in parts.values()]
    return {} if len(set(names)) < 2 else {name: names.count(name) for name in sorted(set(names))}
