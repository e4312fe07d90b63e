"""Code that comes with a model: not run, unless a person trusts that one model's, by its name.

Such code can do anything that its user can. A trusted model's run has the hash of the code in its
key, so that other code is another run; code of another repository than the model's own is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_runners.errors import UnsupportedModel

AUTO_CLASSES = (
    "AutoModelForImageTextToText",
    "AutoModelForMultimodalLM",
    "AutoModelForCausalLM",
    "AutoModel",
)
"""Names under which a model offers its class, the most telling first."""


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """The code in a model's folder that is run."""

    auto_class: str
    """One of `AUTO_CLASSES`."""
    fingerprint: str
    """16 hexadecimal digits: hash of every Python file beside the weights."""


def own_code(folder: Path, *, what: str, trusted: bool) -> OwnCode | None:
    """Return the code that a model needs, where it is trusted; None where transformers has its own.

    Parameters
    ----------
    folder
        With config.json.
    what
        The model, for messages.
    trusted
        Whether a person said that this model's code may be run.

    Raises
    ------
    UnsupportedModel
        If the model brings code and is not trusted, its code lies elsewhere, or offers no model.
    """
    offered = _offered(folder)
    if offered is None:
        return None
    if not trusted:
        raise UnsupportedModel(
            f"{what} brings code of its own (auto_map in config.json), and code that comes with a "
            "model is not run unless you trust it: look for the model in transformers' own format, "
            "which often ends in -hf, or read its code and say --trust-remote-code (or "
            "trust_remote_code: yes with the model's name in models.yaml)"
        )
    elsewhere = sorted(str(value) for value in offered.values() if "--" in str(value))
    if elsewhere:
        raise UnsupportedModel(
            f"{what} takes its code from another repository ({elsewhere[0]}); only code in the "
            "model's own folder can be trusted: copy it there and mend auto_map in config.json"
        )
    auto_class = next((name for name in AUTO_CLASSES if name in offered), None)
    if auto_class is None:
        raise UnsupportedModel(
            f"{what} brings code of its own, but auto_map in config.json offers no model "
            f"({', '.join(AUTO_CLASSES)})"
        )
    return OwnCode(auto_class=auto_class, fingerprint=code_fingerprint(folder))


def code_fingerprint(folder: Path) -> str:
    """Hash the Python files of a folder: 16 hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def _offered(folder: Path) -> Mapping[str, Any] | None:
    """Return the classes that only code beside the weights has; None where there are none."""
    from transformers import CONFIG_MAPPING

    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        brings_code = "auto_map" in config and config.get("model_type") not in CONFIG_MAPPING
        return config["auto_map"] if brings_code else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # transformers says what is wrong with it
