"""The row of a job: what was asked, how it waits, who is at it, how far it is, how it ended."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
"""`lost` is never stored: it is a queued or running job whose process is gone."""
Ending = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a job waits and is tried again; no part of its key, since the result is the same."""

    priority: int = 0
    """Of those that wait for a device the highest goes first; see `PRIORITIES`."""
    devices: tuple[str, ...] = ()
    """`cpu`, or numbers of visible GPUs; named twice, two jobs run there at once. None given: each
    visible GPU once, and the CPU once."""
    busy_devices: bool = False
    """Take GPUs whose memory other programs hold, too."""
    retries: int = 0
    """How often its worker is replaced where it was lost, or ran out of the host's memory."""


PRIORITIES = {"low": -1, "normal": 0, "high": 1}
"""What a person reads for a priority."""


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One job; times are seconds since the epoch."""

    job_key: str
    """16 hexadecimal digits: hash of kind and request."""
    kind: str
    """Which worker does it, for example `profile`."""
    title: str
    """One line of plain text."""
    request: dict[str, Any]
    """Everything that was asked for, JSON values."""
    state: State
    pid: int | None
    """The process that works on it, or worked last; None before the first."""
    process_started: str
    """Stamp of that process, see `data_cache.processes`."""
    heartbeat: float
    """When it was last heard of."""
    done: int
    total: int | None
    """None until it is known."""
    unit: str
    """What `done` and `total` count, in the singular."""
    rate: float | None
    """Units per second, measured on what was computed now; None until something was."""
    message: str
    """What it is doing, or how it ended; plain text."""
    error: str | None
    """One sentence where it failed; plain text."""
    cancel_requested: bool
    log_path: Path
    """What its process wrote; need not exist."""
    created: float
    started: float | None
    finished: float | None
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the last finished attempt found."""
    terms: Terms = field(default_factory=Terms)
    waits_for: tuple[str, ...] = ()
    """Devices of which it waits for one, see `data_cache.job_queue`; empty where it does not."""
    leased: tuple[str, ...] = ()
    """Devices that are its own while it is active."""

    @property
    def priority(self) -> str:
        """Its priority in a word."""
        level = self.terms.priority
        return next((name for name, one in PRIORITIES.items() if one == level), str(level))

    @property
    def is_active(self) -> bool:
        """Whether a process works on it, or is about to."""
        return self.state in {"queued", "running"}

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at the measured rate; None where that is not known."""
        if self.state != "running" or not self.rate or self.total is None:
            return None
        return max(self.total - self.done, 0) / self.rate

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "log_path": str(self.log_path), "remaining_s": self.remaining_s}


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a worker learns when it reports."""

    is_mine: bool
    """False when another process has taken the job over: stop, and say nothing more about it."""
    cancel: bool
    """Somebody asked it to stop."""
