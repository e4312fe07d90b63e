"""Where the time of a run goes: seconds by part, what is measured within a part counted once."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PARTS: Mapping[str, str] = {
    "loading": "loading the benchmark and the model",
    "testing": "self-test",
    "statistics": "noise statistics",
    "preprocessing": "pre-processing of texts and images",
    "waiting": "waiting for pre-processing beside the model",
    "vision": "encoding images and merging them with the text",
    "masking": "drawing noise",
    "language": "text stack",
    "heads": "language-model head and scores",
    "writing": "writing chunks",
    "ingest": "taking chunks into the database",
}
"""The parts of a run in the order in which they come; the rest of its time is `other`."""


class Stopwatch:
    """Adds up seconds by part; used by one thread, others may add to it."""

    def __init__(self) -> None:
        """Start the clock."""
        self._began = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self._within: list[float] = []
        self._lock = threading.Lock()
        self.beside = 0.0
        """Seconds of work on other threads, which is in no part."""
        self.counts: dict[str, int] = {}
        """What was counted beside the time, by name."""

    @contextmanager
    def part(self, name: str, device: "torch.device | None" = None) -> Iterator[None]:
        """Measure a block as a part, without the parts that are measured within it.

        Parameters
        ----------
        name
            One of `PARTS`.
        device
            Whose work belongs to the block: a GPU is waited for at its end.
        """
        self._within.append(0.0)
        started = time.perf_counter()
        try:
            yield
            if device is not None and device.type == "cuda":
                import torch

                torch.cuda.synchronize(device)
        finally:
            taken = time.perf_counter() - started
            self.add(name, taken - self._within.pop())
            if self._within:
                self._within[-1] += taken

    def add(self, name: str, seconds: float) -> None:
        """Add to a part what was measured elsewhere."""
        with self._lock:
            self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def count(self, name: str, number: int) -> None:
        """Add to a count."""
        with self._lock:
            self.counts[name] = self.counts.get(name, 0) + number

    @property
    def wall(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each part that took any, in the order of `PARTS`."""
        with self._lock:
            return {name: self._seconds[name] for name in PARTS if name in self._seconds}
