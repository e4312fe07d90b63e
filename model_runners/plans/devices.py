"""Where the cells of a plan may run: GPUs that are visible and free, else the CPU."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model_runners.errors import UnsupportedModel
from model_runners.gpus import VISIBLE, Gpu, visible_gpus
from model_runners.places import DEVICES


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one cell at a time."""

    name: str
    """For example `GPU 1` or `CPU`; a number behind it where there are several on one."""
    environment: Mapping[str, str]
    """What its processes see."""
    device: str
    """What `profile` is told: `cuda` or `cpu`."""


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
        if gpu.is_held and not busy:
            left_out.append(
                f"GPU {name} is left out: other processes hold {gpu.used_share:.0%} of its memory "
                "(--busy-devices takes it all the same)"
            )
            continue
        # Among those that its processes see it is the first, named as often as here.
        at_once = ",".join("0" * wanted.count(name))
        environment = {VISIBLE: gpu.uuid, DEVICES: at_once}
        found.append(Slot(name=f"GPU {name}", environment=environment, device="cuda"))
    processors = wanted.count("cpu")
    found += [_processor(number, processors) for number in range(processors)]
    if not found:
        raise UnsupportedModel("no device is free: " + "; ".join(left_out))
    return _numbered(found), left_out


def _processor(number: int, of: int) -> Slot:
    threads = max(1, (os.cpu_count() or 1) // of)
    own = {} if of == 1 or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(threads)}
    at_once = ",".join(["cpu"] * of)
    return Slot(name="CPU", environment={VISIBLE: "", DEVICES: at_once, **own}, device="cpu")


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
