"""How many sequences go through a model at once where nobody says: where to begin, how far to go.

A run begins with what surely fits by arithmetic (`memory`), and follows what is measured from then
on (`room`). On a CPU more than 64 are no faster (bench/README.md), so it begins there where that
fits; a system out of memory kills a process without a word, so there it also goes down in time.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from data_cache.samples import Sample
from model_runners.errors import RunnerError
from model_runners.loading import LoadedModel
from model_runners.memory import BYTES, guessed_lengths, row_bytes, shapes_of
from model_runners.meters import AbstractMeter, DeviceMeter, ProcessMeter, free_memory
from model_runners.profile_options import ProfileOptions
from model_runners.room import DEFAULT_ROWS, Room

if TYPE_CHECKING:
    import torch

MOST_ROWS = {"cpu": 64, "cuda": 256}
"""A block has 256 samples."""
BEGIN_SHARE = 0.5
"""Of the free memory, what the first batch may take by arithmetic."""
LOOKED_AT = 1024
"""Samples whose texts are measured for it, the first of the order."""

log = logging.getLogger(__name__)


def room_for(
    options: ProfileOptions,
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    tell: Callable[[str], None] = log.warning,
) -> Room:
    """Return the room of a run: the batch size that was asked for, or one that finds itself.

    Parameters
    ----------
    options
        Of the run.
    loaded
        Its model, in memory.
    samples
        That are to go through it.
    tell
        Told of each time that the number had to become smaller.
    """
    if options.batch_size is not None:
        return Room(options.batch_size, tell=tell)
    kind = loaded.device.type
    begin = DEFAULT_ROWS[kind]
    return Room(
        min(begin, surely_fit(options, loaded, samples) or begin),
        most=MOST_ROWS[kind],
        meter=meter_of(loaded),
        tell=tell,
    )


def surely_fit(
    options: ProfileOptions, loaded: LoadedModel, samples: Sequence[Sample]
) -> int | None:
    """Return the sequences that take half of the free memory, 1 at least; None where nobody knows.

    Parameters
    ----------
    options, loaded, samples
        As for `room_for`.
    """
    try:
        shapes = shapes_of(options.model)
    except RunnerError:  # a model that is in no folder, such as one in training
        shapes = None
    free = free_on(loaded)
    if shapes is None or free is None:
        return None
    lengths = guessed_lengths(options, shapes, samples[:LOOKED_AT])
    each = row_bytes(options, shapes, lengths, BYTES.get(loaded.dtype, 4))
    return max(1, int(BEGIN_SHARE * free / each))


def meter_of(loaded: LoadedModel) -> AbstractMeter:
    """Return what measures the memory that a model lies in."""
    if loaded.device.type == "cuda":
        return DeviceMeter(devices_of(loaded))
    return ProcessMeter()


def devices_of(loaded: LoadedModel) -> "list[torch.device]":
    """Return the GPUs that hold parts of a model, as torch's devices, each once."""
    found = {weight.device for weight in loaded.model.parameters()} | {loaded.device}
    return sorted((one for one in found if one.type == "cuda"), key=str)


def free_on(loaded: LoadedModel) -> int | None:
    """Return the free bytes of the fullest device that a model lies on; None where nobody says."""
    if loaded.device.type != "cuda":
        return free_memory()
    import torch

    return min(torch.cuda.mem_get_info(device)[0] for device in devices_of(loaded))
