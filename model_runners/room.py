"""How much goes through a model at once: halved where memory runs out, grown where much is free.

Scores do not depend on it but for rounding: what is masked and drawn is seeded by the sample. So a
run whose memory runs out goes on where it was, a little slower, instead of ending.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from model_runners.errors import OutOfRoom
from model_runners.meters import AbstractMeter

Item = TypeVar("Item")
Result = TypeVar("Result")

FULL = ("out of memory", "can't allocate memory", "cannot allocate memory", "ALLOC_FAILED")
"""What errors say when memory runs out on the devices that have no class for it."""

DEFAULT_ROWS = {"cpu": 64, "cuda": 32}
"""Sequences in one call of the text stack, by kind of device, where nobody says and all is well."""
GROWTH = 4
"""Times as many at most as went through last: what a sequence takes is known from those only."""
SHARE = 0.7
"""Of the free memory, to be taken: the next prompts are longer, and memory has holes."""

log = logging.getLogger(__name__)


def is_full(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on whatever device."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in FULL)


class Room:
    """The number of sequences that fit at once, as far as is known."""

    def __init__(
        self,
        rows: int,
        *,
        most: int | None = None,
        meter: AbstractMeter | None = None,
        tell: Callable[[str], None] = log.warning,
    ):
        """Begin with a number that may be too large, or too small.

        Parameters
        ----------
        rows
            1 or more.
        most
            Never more than that; None is `rows`.
        meter
            Of the memory that the work is done in. With it the number follows what is measured, up
            to `most`, and down before memory runs out; without, it only becomes smaller.
        tell
            Told of each time that it had to become smaller.
        """
        self.rows = rows
        self._most = rows if most is None else max(most, rows)
        self._meter = meter
        self._each = 0.0
        """Share of the free memory that a sequence took, the most so far."""
        self._tell = tell

    def parts(
        self, items: Sequence[Item], work: Callable[[Sequence[Item], int], Result]
    ) -> Iterator[Result]:
        """Do work on items in parts, and yield what each gives.

        Parameters
        ----------
        items
            In the order in which they are taken.
        work
            Takes as many items as fit, or what is left of them, and that number. It must leave
            nothing behind where memory runs out: the same items come again.

        Raises
        ------
        OutOfRoom
            If memory runs out with one item.
        """
        start = 0
        while start < len(items):
            rows = self.rows
            if self._meter is not None:
                self._meter.begin()
            try:
                result = work(items[start : start + rows], rows)
            except (RuntimeError, MemoryError) as error:
                if not is_full(error):
                    raise
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            else:
                self._follow(min(rows, len(items) - start))
                start += rows
                yield result
                continue
            # Here and not above: while an error is handled, its frames hold what has to go.
            if rows == 1:
                raise OutOfRoom(
                    f"memory ran out with one sequence at a time ({reason}); hold the weights in "
                    "fewer bits (--quantize), spread the model (--device-map), make images smaller "
                    "(--image-size), or take another device"
                )
            self.rows = self._most = max(1, min(rows, len(items) - start) // 2)
            free()
            self._tell(
                f"memory ran out with {rows} sequences at once; going on with {self.rows} "
                f"({reason})"
            )

    def _follow(self, done: int) -> None:
        """Change the number by what the last `done` sequences took."""
        taken = None if self._meter is None else self._meter.taken()
        if taken is None or 2 * done < self.rows:  # a rest tells little of a whole batch
            return
        self._each = max(self._each, taken / done)
        fits = self._most if self._each <= 0 else int(SHARE / self._each + 1e-6)
        if fits < self.rows:
            before, self.rows = self.rows, max(1, fits)
            if self.rows < before:
                self._tell(
                    f"{done} sequences at once took {taken:.0%} of the free memory; going on with "
                    f"{self.rows}"
                )
        else:
            self.rows = max(self.rows, min(fits, GROWTH * done, self._most))


def free() -> None:
    """Give back what nobody holds any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
