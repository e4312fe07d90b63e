"""Where the cells of a plan may run: GPUs that are visible and free, else the CPU."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model_runners.errors import UnsupportedModel

FREE_SHARE = 0.05
"""A GPU of whose memory others hold more is not taken unasked."""
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one cell at a time."""

    name: str
    """For example `GPU 1` or `CPU`; a number behind it where there are several on one."""
    environment: Mapping[str, str]
    """What its processes see."""
    device: str
    """What `profile` is told: `cuda` or `cpu`."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """What the driver says of a GPU."""

    identity: str
    """As in CUDA_VISIBLE_DEVICES: a number, or a UUID."""
    used_share: float
    """Of its memory, 0 to 1."""


def slots(
    chosen: Sequence[str], *, busy: bool = False, gpus: Sequence[Gpu] | None = None
) -> tuple[list[Slot], list[str]]:
    """Return the places, and a sentence for each GPU that is left out.

    Parameters
    ----------
    chosen
        `cpu` or numbers of visible GPUs; empty for all that are free, else the CPU.
    busy
        Take GPUs whose memory other processes hold, too.
    gpus
        The visible ones; None asks the driver.

    Raises
    ------
    UnsupportedModel
        If a GPU was chosen that is not there, or none that was chosen is free.
    """
    there = visible_gpus() if gpus is None else list(gpus)
    wanted = list(chosen) or [str(number) for number in range(len(there))] or ["cpu"]
    found: list[Slot] = []
    left_out: list[str] = []
    for name in wanted:
        if name == "cpu":
            continue
        if int(name) >= len(there):
            seen = f"{len(there)} GPUs are visible" if there else "no GPU is visible"
            raise UnsupportedModel(f"there is no GPU {name}: {seen} to this process")
        gpu = there[int(name)]
        if gpu.used_share > FREE_SHARE and not busy:
            left_out.append(
                f"GPU {name} is left out: other processes hold {gpu.used_share:.0%} of its memory "
                "(--busy-devices takes it all the same)"
            )
            continue
        found.append(Slot(name=f"GPU {name}", environment={VISIBLE: gpu.identity}, device="cuda"))
    processors = wanted.count("cpu")
    found += [_processor(number, processors) for number in range(processors)]
    if not found:
        raise UnsupportedModel("no device is free: " + "; ".join(left_out))
    return _numbered(found), left_out


def visible_gpus() -> list[Gpu]:
    """Ask the driver for the GPUs that this process may see, in their order; none without one."""
    if shutil.which("nvidia-smi") is None:
        return []
    asked = "index,uuid,memory.used,memory.total"
    try:
        said = subprocess.run(
            ["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return gpus_of(said, os.environ.get(VISIBLE))


def gpus_of(said: str, visible: str | None) -> list[Gpu]:
    r"""Read what nvidia-smi says, and keep what CUDA_VISIBLE_DEVICES names, in its order.

    >>> gpus_of("0, GPU-a, 40, 80\n1, GPU-b, 0, 80\n", "1")
    [Gpu(identity='1', used_share=0.0)]
    """
    found: dict[str, Gpu] = {}
    for line in said.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 4 or not all(part.isdigit() for part in (parts[0], *parts[2:])):
            continue
        share = int(parts[2]) / max(int(parts[3]), 1)
        for identity in parts[:2]:
            found[identity] = Gpu(identity=identity, used_share=share)
    if visible is None:
        return [gpu for identity, gpu in found.items() if identity.isdigit()]
    named = [one.strip() for one in visible.split(",") if one.strip()]
    return [found[one] for one in named if one in found]


def _processor(number: int, of: int) -> Slot:
    threads = max(1, (os.cpu_count() or 1) // of)
    own = {} if of == 1 or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(threads)}
    return Slot(name="CPU", environment={VISIBLE: "", **own}, device="cpu")


def _numbered(found: list[Slot]) -> list[Slot]:
    names = [slot.name for slot in found]
    return [
        Slot(
            name=slot.name
            if names.count(slot.name) == 1
            else f"{slot.name} ({names[: place + 1].count(slot.name)})",
            environment=slot.environment,
            device=slot.device,
        )
        for place, slot in enumerate(found)
    ]
