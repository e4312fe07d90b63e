"""How a stored adapter comes onto its base, what identifies it, and what is said where it cannot.

The adapter is injected and never merged, so that the base's weights stay what they are and every
family's paths keep working.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.adapters import AdapterRecord, read_record
from model_runners.errors import AdapterMismatch, UnsupportedModel

if TYPE_CHECKING:
    from torch import nn

    from model_runners.stack import TextStack

CONFIG_NAME = "adapter_config.json"
WEIGHTS_NAME = "adapter_model.safetensors"

_NOT_IDENTITY = (
    "base_model_name_or_path",
    "peft_version",
    "revision",
    "inference_mode",
    "auto_mapping",
)
"""Fields of peft's configuration that change nothing, and differ between machines."""


def read_config(folder: Path) -> dict[str, Any]:
    """Read peft's configuration.

    Raises
    ------
    UnsupportedModel
        If it is none.
    """
    try:
        content = json.loads((folder / CONFIG_NAME).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UnsupportedModel(f"the adapter in {folder} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UnsupportedModel(
            f"the adapter in {folder} cannot be read: {CONFIG_NAME} is no object"
        )
    return content


def base_of(folder: Path) -> str:
    """Return what an adapter names as its base, something that `resolve_model` takes.

    Raises
    ------
    UnsupportedModel
        If it names none.
    """
    record = read_record(folder)
    if record is not None:
        return str(record.options["model"])
    base = read_config(folder).get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise UnsupportedModel(
            f"the adapter in {folder} does not say what it was trained on; write "
            f"base_model_name_or_path into its {CONFIG_NAME}"
        )
    return base


def name_of(folder: Path) -> str:
    """Return the name under which the results of an adapted model are stored."""
    record = read_record(folder)
    return folder.resolve().name if record is None else record.name


def adapter_fingerprint(folder: Path) -> str:
    """Hash what an adapter computes with: 16 hexadecimal digits.

    Raises
    ------
    UnsupportedModel
        If a file is missing.
    """
    config = {k: v for k, v in read_config(folder).items() if k not in _NOT_IDENTITY}
    config = {k: sorted(v) if isinstance(v, list) else v for k, v in config.items()}
    try:
        with (folder / WEIGHTS_NAME).open("rb") as file:
            weights = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnsupportedModel(
            f"the adapter in {folder} has no {WEIGHTS_NAME} ({error.strerror}); only safetensors "
            "are read"
        ) from error
    return hashlib.sha256(json.dumps([config, weights], sort_keys=True).encode()).hexdigest()[:16]


def check_base(folder: Path, *, base: str, weights: str) -> AdapterRecord | None:
    """Return an adapter's record, if it has one, once the base is known to be the right one.

    Parameters
    ----------
    folder
        The adapter.
    base
        The name of the base.
    weights
        The fingerprint of the base.

    Raises
    ------
    AdapterMismatch
        If it was trained on other weights.
    """
    record = read_record(folder)
    if record is not None and record.base_weights != weights:
        raise AdapterMismatch(
            f"the adapter {record.name!r} was trained on {record.base!r} with the weights "
            f"{record.base_weights}, but {base!r} now has the weights {weights}; restore the base, "
            "or train a new adapter"
        )
    return record


def wrap(model: Any, config: Any) -> Any:
    """Return peft's model around a base, whose modules are replaced in place."""
    import peft

    with _as_peft_warns():
        return peft.get_peft_model(model, config)


@contextmanager
def _as_peft_warns() -> Iterator[None]:
    """Within the block, peft may ask transformers for a property under its old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated")
        yield


def with_own_adapter(model: Any, folder: Path, part: str, *, from_hub: bool) -> tuple[Any, str]:
    """Merge the LoRA that belongs to a model into its weights, where its folder has one.

    Parameters
    ----------
    model
        As loaded.
    folder
        Of the checkpoint.
    part
        The folder within it.
    from_hub
        Whether the checkpoint comes from the hub, of which folders within are not brought.

    Returns
    -------
    tuple
        The model, and the adapter's fingerprint; empty where there is none, as in a checkpoint that
        was saved with its LoRA merged.

    Raises
    ------
    UnsupportedModel
        If it may lie on the hub, or peft cannot read it.
    """
    if not (folder / part / CONFIG_NAME).is_file():
        if from_hub:
            raise UnsupportedModel(
                f"this model keeps a LoRA that its images need in the folder {part} of its "
                "repository, which is not brought from the hub; get the whole repository with "
                "`hf download OWNER/NAME --local-dir FOLDER` and give that folder"
            )
        return model, ""
    import peft

    try:
        with _as_peft_warns():
            adapted = peft.PeftModel.from_pretrained(model, str(folder / part))
        return adapted.merge_and_unload(), adapter_fingerprint(folder / part)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UnsupportedModel(
            f"the LoRA in {folder / part} does not fit the model beside it: {reason}"
        ) from error


def inject(model: Any, folder: Path, *, base: str) -> Any:
    """Put an adapter onto its base; returns the base model itself, its linear layers wrapped.

    Raises
    ------
    AdapterMismatch
        If the shapes or the modules of the base are others.
    UnsupportedModel
        If peft cannot read the adapter.
    """
    import peft
    from safetensors.torch import load_file

    read_config(folder)
    what = f"the adapter {name_of(folder)!r} does not fit the base {base!r}"
    try:
        config = peft.PeftConfig.from_pretrained(str(folder))
        config.inference_mode = True
        config.base_model_name_or_path = None  # ours is loaded already
        wrapped = wrap(model, config)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is found below, and said in a sentence
            found = peft.set_peft_model_state_dict(wrapped, load_file(folder / WEIGHTS_NAME))
    except (RuntimeError, ValueError, KeyError) as error:
        lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
        reason = next((line for line in lines if "size mismatch" in line), (lines or ["?"])[0])
        raise AdapterMismatch(f"{what}: {reason[:300]}") from error
    except (OSError, TypeError) as error:
        raise UnsupportedModel(f"the adapter in {folder} cannot be read: {error}") from error
    missing = [key for key in found.missing_keys if wrapped.prefix in key]
    if missing or found.unexpected_keys:
        odd = (missing or list(found.unexpected_keys))[0]
        raise AdapterMismatch(
            f"{what}: {odd} is {'missing from the adapter' if missing else 'not in the base'}"
        )
    return wrapped.get_base_model()


def check_reach(model: "nn.Module", stack: "TextStack", folder: Path) -> None:
    """Refuse an adapter that changes what reaches the text stack.

    The noise of the masked runs has the statistics of the base's embeddings.

    Raises
    ------
    UnsupportedModel
        If a module outside the decoder layers is adapted.
    """
    inside = {id(module) for module in stack.layers.modules()}
    for name, module in model.named_modules():
        if hasattr(module, "base_layer") and id(module) not in inside:
            raise UnsupportedModel(
                f"the adapter in {folder} changes {name}, outside the language model's layers; "
                "merge it into its base and give the merged folder"
            )
