"""Which devices would do for a job, and what its process is told of the one that it gets.

The CPU is a device like any other: one job at a time, unless the list of devices names it twice.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_cache.job_queue import Ask
from data_cache.jobs import Terms
from model_runners.errors import BadOption
from model_runners.gpus import VISIBLE, Gpu, TorchBuild, torch_build, visible_gpus

CPU = "cpu"
DEVICES = "PIDSCOPE_DEVICES"
"""The variable that names devices for jobs that were not given any, as `--devices` does."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """The devices that would do for a job."""

    ask: Ask
    visible: Mapping[str, str] = field(default_factory=dict[str, str])
    """What CUDA_VISIBLE_DEVICES becomes for each device; nothing where the job names its device."""

    def environment(self, leased: Sequence[str]) -> dict[str, str]:
        """Return the variables that bind a process to the devices that it got."""
        own: dict[str, str] = {}
        if self.visible and "torch" not in sys.modules:  # which has counted its devices by then
            own[VISIBLE] = ",".join(self.visible[device] for device in leased)
        beside = self.ask.places.get(CPU, 1)
        if beside > 1 and "OMP_NUM_THREADS" not in os.environ:
            own["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // beside))
        return own


def devices_from(text: str) -> tuple[str, ...]:
    """Read a list of devices, such as `0,1` or `cpu,cpu`.

    Raises
    ------
    BadOption
        If one is neither `cpu` nor a number.

    >>> devices_from("0, 1"), devices_from("cpu,cpu")
    (('0', '1'), ('cpu', 'cpu'))
    """
    found = tuple(one.strip() for one in text.split(",") if one.strip())
    for name in found:
        if name != CPU and not name.isdecimal():
            raise BadOption(
                f"a device is cpu or the number of a GPU, not {name!r}; for example --devices 0,1"
            )
    return found


def places_for(
    request: Mapping[str, Any],
    terms: Terms,
    *,
    gpus: Sequence[Gpu] | None = None,
    build: TorchBuild | None = None,
    early: bool | None = None,
) -> Places | None:
    """Return the devices that would do for a job; None where it waits for none.

    That is so where it names a device that is not there: it is told so when it loads the model.

    Parameters
    ----------
    request
        Of the job; `device` and `device_map` count.
    terms
        `devices` and `busy_devices` count.
    gpus, build
        What is visible, and what torch was built for; None looks.
    early
        Whether the job's process has yet to import torch; None looks at this one.

    Raises
    ------
    BadOption
        If the variable PIDSCOPE_DEVICES names no devices.
    """
    devices = terms.devices or devices_from(os.environ.get(DEVICES, ""))
    device = str(request.get("device") or "auto")
    if device == CPU:
        return _on_cpu(devices)
    if gpus is None:
        gpus = visible_gpus()
    if not request.get("worker"):  # another environment has a torch of its own
        build = torch_build() if build is None else build
        if build is None or build.cuda is None:
            gpus = []
    numbers = [int(name) for name in devices if name != CPU] or list(
        range(0 if devices else len(gpus))
    )
    numbers = [number for number in numbers if number < len(gpus)]
    is_numbered = device.startswith("cuda:") and device[5:].isdecimal()
    if is_numbered:
        numbers = [number for number in [int(device[5:])] if number < len(gpus)]
    elif not devices and not ("torch" not in sys.modules if early is None else early):
        numbers = numbers[:1]  # too late to hide the others: this is the one that it will take
    elif device not in {"auto", "cuda"}:
        return None
    if not numbers:
        return _on_cpu(devices, hide=bool(devices)) if device == "auto" else None
    chosen = {number: gpus[number] for number in numbers}
    ask = Ask(
        places={gpus[number].uuid: numbers.count(number) for number in chosen},
        names=tuple(f"GPU {number}" for number in chosen),
        foreign=frozenset(
            gpu.uuid for gpu in chosen.values() if gpu.is_held and not terms.busy_devices
        ),
        together=request.get("device_map") is not None,
    )
    visible = {} if is_numbered else {gpu.uuid: gpu.uuid for gpu in chosen.values()}
    return Places(ask=ask, visible=visible)


def _on_cpu(devices: Sequence[str], *, hide: bool = False) -> Places:
    ask = Ask(places={CPU: max(devices.count(CPU), 1)}, names=("the CPU",))
    return Places(ask=ask, visible={CPU: ""} if hide else {})
