"""The solver takes one BLAS thread, and gives back what it found."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pid_core import estimate
from pid_core.multipliers import MultiplierMethod
from pid_core.threads import one_thread
from tests.pid_core.problems import crossed_case


def blas_threads() -> set[int]:
    """Threads of the library behind numpy's products; scipy.linalg brings one of its own."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    numpy_s = [pool for pool in pools if "numpy" in pool["filepath"]]
    return {pool["num_threads"] for pool in numpy_s or pools}


def test_a_block_has_one_thread_and_the_rest_what_they_had() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with one_thread():
            assert blas_threads() == {1}
        assert blas_threads() == before


def test_an_estimate_solves_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    solve = MultiplierMethod.solve

    def watched(self: MultiplierMethod, *arguments: object) -> object:
        seen.append(blas_threads())
        return solve(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(MultiplierMethod, "solve", watched)
    with threadpool_limits(limits=2, user_api="blas"):
        estimate(crossed_case(40))
    assert seen == [{1}]
