"""How near a piece of work comes to a device's memory: measured, as a share of what was free.

A GPU's allocator counts its own peak. Of a process, the system does; where it does not say, nobody
knows, and a batch stays as it began.
"""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PROCESS = Path("/proc/self")
MEMINFO = Path("/proc/meminfo")
CONTROL_GROUP = Path("/sys/fs/cgroup")
PEAK_BACK = "5"
"""What, written to `clear_refs`, sets a process's peak back to what it holds now."""


class AbstractMeter(ABC):
    """Measures one piece of work after another."""

    @abstractmethod
    def begin(self) -> None:
        """Take what is free now as the whole."""

    @abstractmethod
    def taken(self) -> float | None:
        """Return the peak since `begin`, above what was held then, as a share of what was free.

        Of several devices the fullest counts; None where nobody knows.
        """


class DeviceMeter(AbstractMeter):
    """Of the GPUs that a model lies on."""

    def __init__(self, devices: "Sequence[torch.device]"):
        """Measure these."""
        self._devices = tuple(devices)
        self._free: dict[torch.device, int] = {}
        self._held: dict[torch.device, int] = {}

    def begin(self) -> None:
        """Set the allocators' peaks back; what they hold in reserve is free."""
        import torch

        for device in self._devices:
            held = torch.cuda.memory_allocated(device)
            spare = torch.cuda.memory_reserved(device) - held
            self._held[device] = held
            self._free[device] = torch.cuda.mem_get_info(device)[0] + spare
            _keep_device_peak(device)
            torch.cuda.reset_peak_memory_stats(device)

    def taken(self) -> float | None:
        """See `AbstractMeter.taken`."""
        import torch

        shares = [
            (torch.cuda.max_memory_allocated(device) - self._held[device]) / free
            for device, free in self._free.items()
            if free > 0
        ]
        return max(shares, default=None)


class ProcessMeter(AbstractMeter):
    """Of this process in the machine's main memory."""

    _free: int | None = None
    _held = 0

    def begin(self) -> None:
        """Set the process's peak back, where the system lets it."""
        self._free = None
        _keep_peak()
        try:
            (PROCESS / "clear_refs").write_text(PEAK_BACK)
            self._held = _kilobytes("VmRSS") * 1024
        except (OSError, StopIteration, ValueError):
            return
        self._free = free_memory()

    def taken(self) -> float | None:
        """See `AbstractMeter.taken`."""
        if not self._free:
            return None
        return max(0, _kilobytes("VmHWM") * 1024 - self._held) / self._free


def free_memory() -> int | None:
    """Return the bytes of main memory that this process can still have; None where nobody says.

    The limit of a container or of a scheduler's job counts as the machine's own memory does.
    """
    found = [one for one in (_of_machine(), _of_group()) if one is not None]
    return min(found, default=None)


def process_peak() -> int | None:
    """Return the most bytes that this process has held; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return max(_peak[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def device_peak(device: str) -> int:
    """Return the most bytes that this process has reserved on a GPU."""
    import torch

    name = str(torch.device(device))
    return max(_device_peaks.get(name, 0), torch.cuda.max_memory_reserved(device))


_peak = [0]
"""What a process's peak was before it was set back."""
_device_peaks: dict[str, int] = {}


def _keep_peak() -> None:
    _peak[0] = process_peak() or 0


def _keep_device_peak(device: "torch.device") -> None:
    _device_peaks[str(device)] = device_peak(str(device))


def _kilobytes(name: str) -> int:
    lines = (PROCESS / "status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _of_machine() -> int | None:
    try:
        for line in MEMINFO.read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _of_group() -> int | None:
    """Return what the control groups above this process still have, the tightest of them."""
    try:
        lines = (PROCESS / "cgroup").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return None
    found: list[int] = []
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, own = rest.partition(":")
        if number == "0" and not controllers:
            top, limit, used, stale = CONTROL_GROUP, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit = CONTROL_GROUP / "memory", "memory.limit_in_bytes"
            used, stale = "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        folder = top / own.lstrip("/")
        # In a container the group's own path may not be there; its limits then lie at the top.
        for one in (folder, *folder.parents):
            if not one.is_relative_to(top):
                break
            try:
                most, now = (int((one / name).read_text("ascii")) for name in (limit, used))
            except (OSError, ValueError):  # no such file, or no limit: `max`
                continue
            found.append(max(0, most - now + _stale(one, stale)))
    return min(found, default=None)


def _stale(group: Path, name: str) -> int:
    """Return the bytes of files that a group keeps and would give back."""
    try:
        lines = (group / "memory.stat").read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name} "))
    except (OSError, ValueError, StopIteration):
        return 0
