"""Progress of long work on stderr: done, rate and remaining time, through tqdm."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Bar:
    """A line on stderr that shows how far one piece of work is."""

    def __init__(self, bar: Any):
        """Wrap a tqdm bar."""
        self._bar = bar

    def to(self, done: int, total: int) -> None:
        """Set the position; another total, or less done than before, begins anew."""
        if self._bar.total != total or done < self._bar.n:
            self._bar.reset(total)
        self._bar.update(done - self._bar.n)

    def name(self, what: str) -> None:
        """Say what is being done now."""
        self._bar.set_description_str(what)

    def tell(self, sentence: str) -> None:
        """Write a sentence above the bar, where it stays."""
        self._bar.write(sentence, file=sys.stderr)

    def note(self, text: str) -> None:
        """Show a short text behind the rate."""
        self._bar.set_postfix_str(text, refresh=False)


@contextmanager
def progress(what: str, unit: str, total: int | None = None) -> Iterator[Bar]:
    """Show progress while the block runs."""
    from tqdm import tqdm

    with tqdm(
        total=total, desc=what, unit=unit, file=sys.stderr, dynamic_ncols=True, mininterval=0.5
    ) as bar:
        yield Bar(bar)
