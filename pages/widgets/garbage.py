"""Keep the search for garbage short that Streamlit makes after every run of a page.

It looks at every object of the process, and thousands of stored spectra and the libraries are some
hundred thousand: a tenth of a second or more, after each click. What has survived a long search is
left out of the next ones; every fiftieth looks at everything again, so that nothing is lost.
"""

import gc
import time
from typing import Any

LONG_SECONDS = 0.02
WHOLE_EVERY = 50
"""Searches, of which one looks at everything."""


class Watch:
    """Told by Python of the beginning and the end of every search."""

    def __init__(self) -> None:
        """Begin with a whole search."""
        self._began = 0.0
        self._since_whole = 0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """Leave out what survived a long search, and take it in again for every fiftieth."""
        if info["generation"] < 2:
            return
        if phase == "start":
            self._since_whole += 1
            if self._since_whole >= WHOLE_EVERY:
                self._since_whole = 0
                gc.unfreeze()
            self._began = time.thread_time()
        elif time.thread_time() - self._began > LONG_SECONDS:
            gc.freeze()


def keep_searches_short() -> None:
    """Watch the searches of this process; to be called once a run, and does nothing again."""
    if not any(isinstance(one, Watch) for one in gc.callbacks):
        gc.callbacks.append(Watch())
