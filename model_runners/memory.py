"""What memory a run needs, before it is started: weights, and what a batch takes beside them.

All of it is arithmetic on the headers of the weight files, which say every matrix's shape; nothing
is loaded, and no device is asked to hold anything. What a batch takes is counted at the widest
moment of a layer; `MARGIN` covers what the count leaves out.
"""

import heapq
import itertools
import json
import math
import re
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.samples import Sample
from model_runners import hub
from model_runners.asking import user_text
from model_runners.errors import BadSample, UnsupportedModel
from model_runners.hub import written_bytes
from model_runners.meters import free_memory
from model_runners.models import resolve_model
from model_runners.profile_options import ProfileOptions
from model_runners.quantisation import BYTES_PER_WEIGHT, QUANTISATIONS
from model_runners.room import DEFAULT_ROWS

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
STORED = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1}
FIXED_BYTES = {"cpu": 600 * 2**20, "cuda": 900 * 2**20}
"""Of python and torch, or of a GPU's context and kernels; rounded up from what was seen."""
MARGIN = 1.4
"""Of what a batch takes over what is counted: copies that live for a moment, and holes between
them. A LLaVA of width 512 on a CPU took 1.27 times the count."""
VISION_CACHE_BYTES = 256 * 2**20
"""Encoded images that are kept (`vision.py`)."""
CHARACTERS_PER_TOKEN = 3.2
LOOKED_AT = 8
"""Samples with the longest texts, whose prompts are put together."""
TEMPLATE_TOKENS = 64
"""Of a prompt beside what the user says."""
USUAL_IMAGE_TOKENS = 1024
"""Taken where nothing says how many an image becomes."""

_LAYERED = re.compile(r"^(.*?)\.(\d+)\.(.+)$")


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """What the headers say of a model."""

    parameters: int
    stored_bytes: int
    linear: int
    """Parameters of the layers' matrices: what is quantised."""
    width: int
    """Of the language model's states."""
    vocabulary: int
    layers: int
    inner: int
    """Widest output inside a layer of the language model."""
    attention: int
    """Outputs of a layer's attention, all of its matrices together."""
    keys: int
    """Outputs of the keys of a layer; the values have as many."""
    image_places: int | None
    """Places of the vision tower's position embedding; None where it has none."""


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How long the longest prompt is, in tokens."""

    text: int
    image: int
    basis: str
    """Where the numbers come from, in words."""

    @property
    def tokens(self) -> int:
        """All of a prompt."""
        return self.text + self.image


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """What a run takes of the device's memory, in bytes."""

    weights: int
    row: int
    """Of each sequence that goes through the language model at once."""
    fixed: int
    """Of the program, and of encoded images that are kept."""
    rows: int
    """Sequences at once."""
    available: int | None
    """Of the device, or of all of them together; None where nobody says."""
    devices: int
    lengths: Lengths
    precision: str
    """Of the weights, in words."""

    @property
    def total(self) -> int:
        """Of a run."""
        return self.weights + self.fixed + self.rows * self.row

    @property
    def rows_that_fit(self) -> int | None:
        """Sequences at once for which there is room; 0 where not even the weights fit."""
        if self.available is None:
            return None
        return max(0, (self.available - self.weights - self.fixed) // self.row)

    @property
    def fits(self) -> bool | None:
        """Whether there is room for the batch; None where nobody knows."""
        return None if self.available is None else self.total <= self.available


def shapes_of(model: str) -> Shapes | None:
    """Read a model's shapes from its files on this machine; None where they are not here.

    Raises
    ------
    ModelNotFound, UnsupportedModel
        If there is no such model, or a file is no safetensors file.
    """
    source = resolve_model(model)
    folder = Path(source.location) if source.is_local else hub.stored_model(source.location)
    files = sorted(folder.glob("*.safetensors")) if folder is not None else []
    tensors: dict[str, tuple[str, list[int]]] = {}
    for path in files:
        tensors |= _header(path)
    return _shapes(tensors) if tensors else None


def plan(
    options: ProfileOptions,
    shapes: Shapes,
    lengths: Lengths,
    *,
    device: str,
    available: int | None = None,
    devices: int = 1,
) -> MemoryPlan:
    """Add up what a run takes.

    Parameters
    ----------
    options
        What to run.
    shapes
        Of its model.
    lengths
        Of its longest prompt.
    device
        `cpu` or `cuda`.
    available
        Bytes of the device, or of all of them where the model is spread.
    devices
        Of that kind.
    """
    auto = "float32" if device == "cpu" else None
    dtype = auto if options.dtype == "auto" else options.dtype
    each = BYTES.get(dtype or "", shapes.stored_bytes / shapes.parameters)
    weights = shapes.parameters * each
    precision = dtype or "the stored precision"
    if options.quantise is not None:
        weights -= shapes.linear * (each - BYTES_PER_WEIGHT[options.quantise] * 1.05)
        precision = f"{options.quantise}, the rest in {precision}"
    return MemoryPlan(
        weights=round(weights),
        row=row_bytes(options, shapes, lengths, each),
        fixed=FIXED_BYTES[device] + VISION_CACHE_BYTES,
        rows=options.batch_size or DEFAULT_ROWS[device],
        available=available,
        devices=devices,
        lengths=lengths,
        precision=precision,
    )


def row_bytes(options: ProfileOptions, shapes: Shapes, lengths: Lengths, each: float) -> int:
    """Return what one sequence takes at the worst moment of its way through the language model.

    Parameters
    ----------
    options
        Layers and answers of several tokens take more.
    shapes, lengths
        Of the model and its longest prompt.
    each
        Bytes of a number.
    """
    tokens = lengths.tokens
    merged = 2 * tokens * shapes.width * each  # as captured, and masked
    # Residual and its norm, of which one is in float32, and the widest moment of a layer.
    inside = max(3 * shapes.inner, shapes.attention + shapes.width)
    layer = tokens * (2 * shapes.width * each + shapes.width * 4 + inside * each)
    mask = tokens * tokens
    head = 3 * shapes.vocabulary * 4
    kept = 2 * shapes.layers * shapes.width * each if options.layers else 0
    cache = 0.0
    if options.answers != "letters":
        cache = 2 * 2 * shapes.layers * shapes.keys * tokens * each  # and a branch of it
    return math.ceil(MARGIN * (merged + layer + mask + head + kept + cache))


def guessed_lengths(options: ProfileOptions, shapes: Shapes, samples: Sequence[Sample]) -> Lengths:
    """Guess the longest prompt from characters, and an image from the vision tower's places."""
    longest = 0
    images = max((len(sample.images) for sample in samples), default=1)
    # What a template adds is nearly alike for all: only the prompts of a few are put together.
    for sample in heapq.nlargest(LOOKED_AT, samples, key=_characters):
        try:
            said = user_text(sample, options.asking) + (sample.system or "")
        except BadSample:  # it will not be run
            continue
        longest = max(longest, len(said))
    text = round(longest / CHARACTERS_PER_TOKEN) + TEMPLATE_TOKENS
    places = shapes.image_places or USUAL_IMAGE_TOKENS
    said = "as many as its tower has places" if shapes.image_places else "assumed"
    return Lengths(
        text=text,
        image=places * max(images, 1),
        basis=f"text guessed from {longest} characters, image tokens {said}",
    )


def plan_here(
    options: ProfileOptions,
    samples: Sequence[Sample],
    *,
    shapes: Shapes | None = None,
    lengths: Lengths | None = None,
) -> tuple[MemoryPlan, Shapes] | None:
    """Plan a run on this machine; None where the weights are not on it.

    Parameters
    ----------
    options
        What to run.
    samples
        That are asked for.
    shapes, lengths
        Of the model and its longest prompt, where the caller has them.

    Raises
    ------
    RunnerError
        If there is no such model or device, or a file is no safetensors file.
    """
    from model_runners.loading import device_kind

    shapes = shapes or shapes_of(options.model)
    if shapes is None:
        return None
    device = device_kind(options.device)
    available, devices = memory_here(device)
    if device == "cuda" and options.device_map is None and available is not None:
        available, devices = available // max(devices, 1), 1
    planned = plan(
        options,
        shapes,
        lengths or guessed_lengths(options, shapes, samples),
        device=device,
        available=available,
        devices=devices,
    )
    return planned, shapes


def memory_here(device: str) -> tuple[int | None, int]:
    """Return the free bytes of a kind of device, all of that kind together, and how many."""
    if device == "cuda":
        import torch

        found = [torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())]
        return sum(found), len(found)
    return free_memory(), 1


def sentence(found: MemoryPlan, options: ProfileOptions, shapes: Shapes) -> str:
    """Say in words what a run takes, whether it fits, and what would where it does not."""
    takes = (
        f"about {written_bytes(found.total)}: {written_bytes(found.weights)} of weights in "
        f"{found.precision}, {written_bytes(found.rows * found.row)} for {found.rows} sequences of "
        f"up to {found.lengths.tokens:,} tokens at once ({found.lengths.basis}), "
        f"{written_bytes(found.fixed)} beside them"
    )
    if found.available is None:
        return f"The run takes {takes}."
    free = f"{written_bytes(found.available)} are free"
    if found.devices > 1:
        free += f" on {found.devices} devices together"
    if found.fits:
        return f"The run fits: {takes}; {free}."
    return f"The run does not fit: {takes}; {free}. {advice(found, options, shapes)}"


def advice(found: MemoryPlan, options: ProfileOptions, shapes: Shapes) -> str:
    """Say what would make a run fit that does not."""
    assert found.available is not None
    rows = found.rows_that_fit
    if rows:
        return f"{rows} sequences at once would (--batch-size {rows}); the run finds that itself."
    for quantise in QUANTISATIONS:
        saved = shapes.linear * (
            found.weights / shapes.parameters - BYTES_PER_WEIGHT[quantise] * 1.05
        )
        if (
            options.quantise is None
            and found.weights - saved + found.fixed + found.row <= found.available
        ):
            return f"Weights in {quantise} would (--quantize {quantise})."
    return (
        "Not even the weights in 4 bits would; spread the model over more devices, main memory and "
        "disk (--device-map auto), which is slow where the disk is needed, or take another machine."
    )


def measured_sentence(
    taken: int, found: MemoryPlan, options: ProfileOptions, shapes: Shapes
) -> str:
    """Say whether a run fits that was measured before.

    Parameters
    ----------
    taken
        Bytes at its peak.
    found
        What was planned; its free memory counts, and its advice.
    options, shapes
        Of the run and its model.
    """
    took = f"it took {written_bytes(taken)} when it was measured"
    if found.available is None:
        return f"{took[0].upper()}{took[1:]}."
    free = f"{written_bytes(found.available)} are free"
    if taken <= found.available:
        return f"The run fits: {took}; {free}."
    return f"The run may not fit: {took}; {free}. {advice(found, options, shapes)}"


def _characters(sample: Sample) -> int:
    return len(sample.question) + sum(map(len, sample.options)) + len(sample.system or "")


def _header(path: Path) -> dict[str, tuple[str, list[int]]]:
    """Read type and shape of every tensor of a safetensors file."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 100_000_000)))
        return {
            name: (str(one["dtype"]), [int(size) for size in one["shape"]])
            for name, one in header.items()
            if name != "__metadata__"
        }
    except (OSError, struct.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnsupportedModel(f"{path} has no header of a safetensors file ({error})") from error


def _shapes(tensors: dict[str, tuple[str, list[int]]]) -> Shapes:
    sizes: Counter[str] = Counter()
    for kind, shape in tensors.values():
        sizes[kind] += math.prod(shape)
    embedding = max(
        (name for name in tensors if re.search(r"(embed_tokens|wte|word_embeddings)\.", name)),
        key=lambda name: math.prod(tensors[name][1]),
        default=None,
    )
    vocabulary, width = tensors[embedding][1][:2] if embedding else (32_000, 4096)
    home = embedding.rpartition(".")[0].rpartition(".")[0] if embedding else ""
    stacks: dict[str, dict[int, dict[str, list[int]]]] = {}
    for name, (_, shape) in tensors.items():
        match = _LAYERED.match(name)
        if match is not None and len(shape) >= 2:
            stacks.setdefault(match[1], {}).setdefault(int(match[2]), {})[match[3]] = shape
    linear = sum(
        math.prod(shape)
        for stack in stacks.values()
        for layer in stack.values()
        for shape in layer.values()
        if len(shape) == 2
    )
    language = max(stacks, key=lambda path: (_shared(path, home), len(stacks[path])), default=None)
    layer = max(stacks[language].values(), key=len) if language is not None else {}
    attention = {
        name: shape for name, shape in layer.items() if "attn" in name or "attention" in name
    }
    return Shapes(
        parameters=sum(sizes.values()),
        stored_bytes=sum(STORED.get(kind, 4) * count for kind, count in sizes.items()),
        linear=linear,
        width=width,
        vocabulary=vocabulary,
        layers=len(stacks[language]) if language is not None else 1,
        inner=max((max(shape[-2:]) for shape in layer.values()), default=4 * width),
        attention=sum(shape[0] for shape in attention.values()) or 4 * width,
        keys=next((shape[0] for name, shape in attention.items() if ".k_proj" in name), width),
        image_places=next(
            (
                shape[-2]
                for name, (_, shape) in tensors.items()
                if "vis" in name and "position_embedding" in name and len(shape) >= 2
            ),
            None,
        ),
    )


def _shared(one: str, other: str) -> int:
    """Return how many parts two dotted paths begin with alike."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
