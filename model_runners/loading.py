"""How a model and its processor come into memory, with everything that identifies them."""

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from model_runners import adapting, hub, recognition
from model_runners.decoding import Decoder
from model_runners.errors import BadOption, UnsupportedModel
from model_runners.families import Family, is_written, load_family
from model_runners.hub import UNWATCHED, Watch
from model_runners.logits import logit_steps
from model_runners.models import MODELS, ModelSource, resolve_model
from model_runners.placement import check_device_map, input_device, require_here
from model_runners.processors import load_processor
from model_runners.prompt import require_chat_template
from model_runners.quantisation import check_quantisation, settings_of
from model_runners.remote_code import own_code
from model_runners.stack import TextStack, follow

if TYPE_CHECKING:
    import torch

DType = Literal["auto", "float32", "bfloat16", "float16"]
DTYPES: tuple[DType, ...] = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in evaluation mode, ready to be masked."""

    source: ModelSource
    family: Family
    model: Any
    processor: Any
    stack: TextStack
    image_token_id: int
    device: "torch.device"
    """Where its token ids go; a model that is spread has parts elsewhere, too."""
    dtype: str
    """Of the weights, for example `float32`; of the unquantised ones, where some are."""
    attention: str
    """transformers' attention implementation."""
    weights: str
    """16 hexadecimal digits: hash of configuration, tokenizer, processor and weights."""
    code: str | None = None
    """16 hexadecimal digits: fingerprint of the code that came with the model and was run."""
    adapter: str | None = None
    """16 hexadecimal digits: fingerprint of the adapter on it; `weights` is that of the base."""
    quantisation: str | None = None
    """`8bit` or `4bit`; None where the weights are as the checkpoint has them."""

    @property
    def name(self) -> str:
        """The name under which results are stored."""
        return self.source.name


def choose_device(name: str) -> "torch.device":
    """Return the device of a name; `auto` takes the first GPU, else the CPU.

    Raises
    ------
    BadOption
        If torch does not have the device.
    """
    import torch

    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadOption(f"{name!r} is not a device; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BadOption(
            f"device {name!r} was asked for, but torch {torch.__version__} sees no GPU; "
            "use --device cpu"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BadOption(
            f"device {name!r} was asked for, but there are {torch.cuda.device_count()} GPUs "
            "(from cuda:0)"
        )
    if device.type not in {"cpu", "cuda"}:
        raise BadOption(f"device {name!r} is not supported; use auto, cpu, cuda or cuda:N")
    return device


def device_kind(name: str) -> str:
    """Return `cpu` or `cuda`, as `choose_device` does.

    Torch, which takes seconds and 170 MB to import, is asked only where there may be a GPU.

    Raises
    ------
    BadOption
        If torch does not have the device.
    """
    if name == "cpu" or (name == "auto" and not _may_have_gpu()):
        return "cpu"
    return choose_device(name).type


def _may_have_gpu(devices: Path = Path("/dev")) -> bool:
    """Whether the system has a driver's file of a GPU; elsewhere than on Linux nobody can say."""
    if sys.platform != "linux":
        return True
    return any(name.startswith(("nvidia", "nvmap", "dxg", "kfd")) for name in os.listdir(devices))


def load(
    name: str,
    *,
    device: str = "auto",
    dtype: DType = "auto",
    device_map: str | None = None,
    quantise: str | None = None,
    trust_remote_code: bool = False,
    watch: Watch = UNWATCHED,
) -> LoadedModel:
    """Load a model by name, folder or hub id; safetensors only.

    Code that comes with a model is run only where a person said so, here or in the table of models.
    What comes from the hub is read from the folder of the hub's cache, as any other folder is.

    Parameters
    ----------
    name
        A name of the table, a folder, or a hub id.
    device
        `auto`, `cpu`, `cuda` or `cuda:N`.
    dtype
        `auto` keeps the checkpoint's on a GPU and takes float32 on a CPU.
    device_map
        One of `placement.DEVICE_MAPS`: spread the model over all devices; None puts it on one.
    quantise
        One of `quantisation.QUANTISATIONS`; None leaves the weights as they are.
    trust_remote_code
        Whether code that comes with this model may be run.
    watch
        Who is told of a download.

    Raises
    ------
    BadOption
        If the device, the device map or the precision cannot be had.
    ModelNotFound
        If there is nothing to load.
    UnsupportedModel
        If it reads no images, needs code that is not trusted, there is no chat template, the text
        stack is not where the family says, or no file describes the family and it does not follow
        the common idiom.
    AdapterMismatch
        If the name is the folder of an adapter, and its base is not what it was trained on.
    Cancelled
        If the watch stopped the download.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    failures = (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError)
    source = resolve_model(name)
    _refuse_worker(source)
    check_device_map(device_map, device=device)
    check_quantisation(quantise)
    place = choose_device(device)
    transformers.utils.logging.disable_progress_bar()
    trusted = trust_remote_code or source.trusted
    found = None if source.is_local else hub.find(source.location, with_code=trusted)
    folder = Path(source.location) if found is None else found.folder
    code = own_code(folder, what=source.location, trusted=trusted)
    if code is not None and found is not None:  # also its code must be here
        folder = hub.fetch(found, watch=watch)
        code = own_code(folder, what=source.location, trusted=trusted)
    runs_code = code is not None
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), trust_remote_code=runs_code)
    except failures as error:
        raise _explained(source, error) from error
    if not runs_code:
        _refuse_without_images(source, config)
    language = getattr(getattr(config, "text_config", None), "model_type", None)
    written = is_written(config.model_type, language)
    family = load_family(config.model_type, language) if written else None
    if found is not None:
        folder = hub.fetch(found, watch=watch)
    precision: Any = torch.float32 if dtype == "auto" and place.type == "cpu" else dtype
    # Quantised weights cannot be moved afterwards.
    spread: Any = device_map or (None if quantise is None else {"": place})
    try:
        processor = load_processor(str(folder), family, trusted=runs_code)
        require_chat_template(processor)
        named = None if family is None else family.model_class
        if code is not None:
            named = code.auto_class
        kind: Any = getattr(transformers, named or "AutoModelForMultimodalLM")
        model = kind.from_pretrained(
            str(folder),
            dtype=precision,
            use_safetensors=True,
            trust_remote_code=runs_code,
            **({} if quantise is None else {"quantization_config": settings_of(quantise)}),
            **({} if spread is None else {"device_map": spread}),
        )
    except failures as error:
        raise _explained(source, error) from error
    weights = weights_fingerprint(folder)
    if family is not None and family.own_adapter is not None:
        model, own = adapting.with_own_adapter(
            model, folder, family.own_adapter, from_hub=found is not None
        )
        weights = hashlib.sha256(f"{weights}{own}".encode()).hexdigest()[:16] if own else weights
    adapter = None
    if source.adapter is not None:
        adapter = adapting.adapter_fingerprint(source.adapter)
        require_here(model, source.location)
        adapting.check_base(source.adapter, base=source.location, weights=weights)
        model = adapting.inject(model, source.adapter, base=source.location)
    model = (model.to(place) if spread is None else model).eval()
    if family is None:
        family = recognition.recognise(model, processor)
    if family.told_placeholder is not None:
        setattr(model, family.told_placeholder, processor.image_token_id)
    stack = find_stack(model, family)
    if source.adapter is not None:
        adapting.check_reach(model, stack, source.adapter)
    return LoadedModel(
        source=source,
        family=family,
        model=model,
        processor=processor,
        stack=stack,
        image_token_id=image_token_of(model, family, stack, processor),
        device=place if spread is None else input_device(model),
        dtype=precision_of(model),
        attention=str(model.config._attn_implementation),
        weights=weights,
        adapter=adapter,
        code=None if code is None else code.fingerprint,
        quantisation=quantise,
    )


def find_stack(model: Any, family: Family) -> TextStack:
    """Find the text stack where the family says it is.

    Raises
    ------
    UnsupportedModel
        If a part is missing; the message names it.
    """
    from torch import nn

    stack = follow(model, family.stack)
    where = f"{type(model).__name__} (family {family.name})"
    if stack is None:
        raise UnsupportedModel(
            f"{where} has no text stack at {family.stack!r}; its family file must be mended"
        )
    decoder = None if family.decoder is None else follow(model, family.decoder)
    if family.decoder is not None and decoder is None:
        raise UnsupportedModel(
            f"{where} has no decoder at {family.decoder!r}; its family file must be mended"
        )
    merge = None if family.merge is None else follow(model, family.merge)
    if family.merge is not None and merge is None:
        raise UnsupportedModel(
            f"{where} has no part that merges at {family.merge!r}; its family file must be mended"
        )
    answers, path = (stack, family.stack) if decoder is None else (decoder, family.decoder)
    layers, norm = follow(answers, family.layers), follow(answers, family.norm)
    if not isinstance(layers, nn.ModuleList):
        raise UnsupportedModel(f"{where} has no list of layers at {path}.{family.layers}")
    if norm is None:
        raise UnsupportedModel(f"{where} has no final norm at {path}.{family.norm}")
    head = _head(model, family.decoder or family.stack)
    if head is None:
        raise UnsupportedModel(f"{where} has no language-model head, so it cannot answer questions")
    return TextStack(
        module=stack,
        layers=layers,
        norm=norm,
        head=head,
        steps=logit_steps(model, head),
        merge=merge,
        decoder=None
        if decoder is None
        else Decoder(module=decoder, start=model.config.text_config.decoder_start_token_id),
    )


def _head(model: Any, path: str) -> Any:
    """Return what turns states into logits: the model's, or that of a part around its stack."""
    parts = path.split(".")
    around = [model, *(follow(model, ".".join(parts[:end])) for end in range(1, len(parts)))]
    heads = (
        part.get_output_embeddings() for part in around if hasattr(part, "get_output_embeddings")
    )
    return next((head for head in heads if head is not None), None)


def precision_of(model: Any) -> str:
    """Return the type that most weights have; some models keep a few in float32.

    Quantised weights are packed into whole numbers and do not count.
    """
    counts: dict[str, int] = {}
    for weight in (one for one in model.parameters() if one.is_floating_point()):
        name = str(weight.dtype).removeprefix("torch.")
        counts[name] = counts.get(name, 0) + weight.numel()
    return max(counts, key=lambda name: counts[name])


def image_token_of(model: Any, family: Family, stack: TextStack, processor: Any) -> int:
    """Return the token that stands where an image is; found by a test where no config names it."""
    if family.told_placeholder is not None:
        return getattr(model, family.told_placeholder)
    token = follow(model.config, family.image_token)
    if isinstance(token, int):
        return token
    return recognition.find_placeholder(model, stack, processor)


def _refuse_worker(source: ModelSource) -> None:
    """Refuse a model of the table that another environment runs."""
    entry = MODELS.get(source.name)
    if entry is not None and entry.worker is not None:
        raise UnsupportedModel(
            f"{source.name} runs in a worker of its own ({entry.worker}), which gives predictions "
            "and no weights; `profile` is what can be done with it"
        )


def _refuse_without_images(source: ModelSource, config: Any) -> None:
    """Refuse a model that takes no images beside text."""
    from transformers.models.auto import modeling_auto

    kind: str = config.model_type
    if kind in modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES:
        return
    if kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise UnsupportedModel(
            f"{source.location} is of type {kind!r}, which reads text only; what an image adds "
            "can be measured of models that take images and text"
        )
    raise UnsupportedModel(
        f"{source.location} is of type {kind!r}, which does not answer questions about images; "
        "give a model that takes images and text and writes text"
    )


def _explained(source: ModelSource, error: Exception) -> UnsupportedModel:
    """Turn what transformers says into one sentence."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UnsupportedModel(f"the model in {source.location} cannot be loaded: {reason}")


_IDENTITY = (".json", ".jinja", ".safetensors", ".model", ".txt")
"""Endings of the files that decide what a model computes."""


def weights_fingerprint(folder: Path) -> str:
    """Hash a model's files: 16 hexadecimal digits.

    Files in the hub's cache are links to blobs that are named by their own hash; such a name is
    taken instead of reading the file.
    """
    entries: list[tuple[str, str]] = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in _IDENTITY or not path.is_file():
            continue
        blob = path.resolve()
        named_by_hash = path.is_symlink() and re_hex(blob.name)
        entries.append((path.name, blob.name if named_by_hash else _sha256(path)))
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]


def re_hex(name: str) -> bool:
    """Whether a file name is a SHA-256."""
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
