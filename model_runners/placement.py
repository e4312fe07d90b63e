"""Where the parts of a model lie: on one device, or spread over several by accelerate.

A spread model looks like any other from outside: a hook before each part brings its inputs to the
part's device, and weights that no device has room for are fetched for as long as they are needed.
Inputs go to where the tokens are embedded.
"""

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from model_runners.errors import BadOption

if TYPE_CHECKING:
    import torch

DeviceMap = Literal["auto", "balanced", "balanced_low_0", "sequential"]
DEVICE_MAPS: tuple[DeviceMap, ...] = get_args(DeviceMap)
"""accelerate's ways: `balanced` (which is what `auto` means) gives every GPU as much, the one with
_low_0 leaves room on the first, `sequential` fills one after the other. What is left over goes to
the main memory, and then to the disk."""


def check_device_map(device_map: str | None, *, device: str, adapter: bool = False) -> None:
    """Refuse what cannot be spread.

    Parameters
    ----------
    device_map
        One of `DEVICE_MAPS`; None leaves a model on one device.
    device
        What was asked for beside it.
    adapter
        Whether a LoRA adapter is to be put onto the model.

    Raises
    ------
    BadOption
        If there is no such way, a single device was asked for as well, accelerate is missing, or
        there is an adapter.
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
    if adapter:
        raise BadOption(
            "an adapter cannot be put onto a model that is spread over devices; merge it into its "
            "base first, or leave --device-map out"
        )


def input_device(model: Any) -> "torch.device":
    """Return the device that a model's token ids go to."""
    import torch

    embedder = model.get_input_embeddings()
    hook = getattr(embedder, "_hf_hook", None)
    place = getattr(hook, "execution_device", None)
    if place is None:
        return embedder.weight.device
    return torch.device("cuda", place) if isinstance(place, int) else torch.device(place)


def placed(model: Any) -> Mapping[str, int]:
    """Return how many parts of a spread model lie where; empty for one on a single device."""
    parts: Mapping[str, Any] = getattr(model, "hf_device_map", None) or {}
    names = [f"cuda:{place}" if isinstance(place, int) else str(place) for place in parts.values()]
    return {} if len(set(names)) < 2 else {name: names.count(name) for name in sorted(set(names))}
