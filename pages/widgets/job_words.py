"""How a job and its cost are put into words; plain text, to be shown as such."""

from datetime import datetime
from typing import Literal

from data_cache.jobs import JobRow

Colour = Literal["red", "orange", "blue", "green", "gray"]

STATES: dict[str, tuple[str, Colour]] = {
    "queued": ("starting", "blue"),
    "running": ("running", "blue"),
    "stopping": ("stopping", "orange"),
    "in line": ("in line", "gray"),
    "waiting": ("not started", "gray"),
    "done": ("done", "green"),
    "failed": ("failed", "red"),
    "cancelled": ("cancelled", "gray"),
    "lost": ("lost", "orange"),
}
"""What a person reads for the state of a job, and its colour."""

KEPT = {
    "profile": "the chunks that it finished",
    "lens": "the noise statistics; what it had read of the states is read again",
    "patch": "the blocks that it finished",
    "selftest": "the beginning",
    "finetune": "the last state that it saved",
    "study": "the trainings that it finished and the last state that it saved",
    "plan": "the cells that are done; those at work go on by themselves",
}
"""What a job of each kind leaves when its process is gone."""
IN_HAND = {
    "profile": "chunk",
    "lens": "batch or layer",
    "patch": "block",
    "selftest": "load",
    "finetune": "step",
    "study": "step",
    "plan": "chunk of each cell",
}
"""What a job of each kind finishes before it stops."""


def is_worked_on(job: JobRow) -> bool:
    """Tell whether a process is at the job, or about to be."""
    return job.is_active and job.pid is not None


def state_of(job: JobRow) -> str:
    """Return the key of `STATES` that says best how it stands with the job."""
    if job.is_active and job.pid is None:
        return "waiting"
    if job.waits_for:
        return "in line"
    return "stopping" if job.state == "running" and job.cancel_requested else job.state


def share_done(job: JobRow) -> float:
    """Return how much of the job is done, from 0 to 1."""
    return min(max(job.done / job.total, 0.0), 1.0) if job.total else 0.0


def progress_of(job: JobRow) -> str:
    """Say how far a job is: count, rate and remaining time, as far as they are known."""
    if job.waits_for:
        return f"waits for {' or '.join(job.waits_for)}"
    count = f"{job.done:,}" if job.total is None else f"{job.done:,} of {job.total:,}"
    parts = [f"{count} {job.unit}s"]
    if job.rate:
        parts.append(f"{number(job.rate)} {job.unit}s/s")
    left = job.remaining_s
    if left is not None and job.done < (job.total or 0):
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def outcome_of(job: JobRow) -> str:
    """Say how a job ended, or what it is doing."""
    if job.state == "lost":
        return lost(job.kind)
    if job.state == "failed":
        return job.error or job.message
    if state_of(job) == "stopping":
        return f"It stops after the {IN_HAND.get(job.kind, IN_HAND['profile'])} in hand."
    return job.message


def lost(kind: str) -> str:
    """Say what is left of a job whose process is gone.

    >>> lost("profile")
    'Its process is gone without a word; resume goes on from the chunks that it finished.'
    """
    kept = KEPT.get(kind, KEPT["profile"])
    return f"Its process is gone without a word; resume goes on from {kept}."


def duration(seconds: float) -> str:
    """Put a time into words.

    >>> duration(0.4), duration(75), duration(7500), duration(200_000)
    ('1 s', '1 min 15 s', '2 h 5 min', '2 d 7 h')
    """
    whole = max(round(seconds), 1)
    for large, small, size, part in (
        ("d", "h", 86_400, 3600),
        ("h", "min", 3600, 60),
        ("min", "s", 60, 1),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {large}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def parameters(count: int) -> str:
    """Put a number of parameters into words.

    >>> parameters(7_060_000_000), parameters(391_000)
    ('7.06 billion', '0.39 million')
    """
    return f"{count / 1e9:.2f} billion" if count >= 1e8 else f"{count / 1e6:.2f} million"


def number(value: float) -> str:
    """Write a rate with about two digits.

    >>> number(0.123), number(4.56), number(1234.5)
    ('0.12', '4.6', '1,234')
    """
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def moment(seconds: float) -> str:
    """Write a time of the clock, with the day unless it is today."""
    when, now = datetime.fromtimestamp(seconds), datetime.now()
    return when.strftime("%H:%M:%S" if when.date() == now.date() else "%Y-%m-%d %H:%M")
