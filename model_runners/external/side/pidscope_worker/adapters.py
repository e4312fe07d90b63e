"""Which adapter runs a model, and what is said of the model that it loaded."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from .forks import Unsupported

ADAPTERS = {"cambrian": "cambrian", "vita": "vita", "llava": "forks"}
"""Name -> module here; any other name is a file with a class `Adapter`."""


def adapter_of(request: dict[str, Any]) -> Any:
    """Load the adapter and with it the model."""
    name = request["adapter"]
    if name in ADAPTERS:
        module = importlib.import_module("." + ADAPTERS[name], __package__)
    elif Path(name).is_file():
        spec = importlib.util.spec_from_file_location("own_adapter", name)
        if spec is None or spec.loader is None:
            raise Unsupported(f"the adapter {name} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        raise Unsupported(
            "there is no adapter {!r}; there are {}, or the path of a file of your own".format(
                name, ", ".join(sorted(ADAPTERS))
            )
        )
    made = getattr(module, "Adapter", None) or getattr(module, "Fork", None)
    if made is None:
        raise Unsupported(f"the adapter {name} has no class Adapter")
    return made(request)


def described(adapter: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return what identifies the model and is worth knowing of where it runs."""
    import torch

    model = adapter.model
    text = "\x1f".join([adapter.conversation, adapter.prompt({"text": "?", "system": None}, 1)])
    device = adapter.device
    return {
        "family": adapter.family,
        "template": hashlib.sha256(text.encode()).hexdigest()[:16],
        "conversation": adapter.conversation,
        "dtype": str(model.dtype).replace("torch.", ""),
        "attention": str(getattr(model.config, "_attn_implementation", "") or "unknown"),
        "layers": len(adapter.stack.layers),
        "parameters": sum(one.numel() for one in model.parameters()),
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": _version("transformers"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
