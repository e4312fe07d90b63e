"""One BLAS thread while a solver runs.

Its products are thin: thousands of rows by a handful of classes. More threads hardly speed them up,
and on a machine with other work the threads wait for each other at every product: measured with one
busy core out of two, 15 s instead of 2 s for 1,024 samples.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs]


@cache
def _controller() -> Any:
    # Looks for the libraries once, which takes milliseconds. numpy's is there by now; one that is
    # loaded later (scipy.linalg's) has no part in the solvers' products.
    return cast("Any", ThreadpoolController)()


def one_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread until the block ends; what was set before comes back."""
    return _controller().limit(limits=1, user_api="blas")
