"""Where memory runs out, a run goes on with less at once and gives the same scores."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from data_cache import queries
from data_cache.samples import Benchmark
from model_runners.errors import OutOfRoom
from model_runners.loading import load
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.room import Room, is_full

FITS = 5
"""Sequences for which there is room."""


def crowded(untrained: Path):
    """A model whose first layer asks the allocator for far too much above so many sequences."""
    loaded = load(str(untrained), device="cpu")
    asked: list[int] = []

    def need(_module, args, keywords) -> None:
        rows = len(args[0] if args else keywords["hidden_states"])
        asked.append(rows)
        if rows > FITS:
            torch.empty(2**46, dtype=torch.uint8)  # 64 TiB: a real failure of the allocator

    loaded.stack.layers[0].register_forward_pre_hook(need, with_kwargs=True)
    return loaded, asked


def test_a_run_that_does_not_fit_goes_on_in_halves(
    untrained: Path, digits: Benchmark, tmp_path: Path
) -> None:
    few = dataclasses.replace(digits, samples=digits.samples[:48])
    options = ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=20, draws=1, device="cpu", batch_size=16
    )
    usual = profile(options, tmp_path / "usual", benchmark=few)
    loaded, asked = crowded(untrained)
    told: list[str] = []
    report = profile(
        options,
        tmp_path / "crowded",
        loaded=loaded,
        benchmark=few,
        progress=Progress(tell=told.append),
    )
    assert (report.run_key, report.computed) == (usual.run_key, 20)
    assert report.batch_size == 4, "16, 8, and 4 fit"
    assert usual.batch_size == 16
    assert len(told) == 2, "what fitted once is kept"
    assert "memory ran out with 16 sequences at once; going on with 8" in told[0]
    assert max(asked) == 16
    one, other = (
        queries.predictions(tmp_path / name, report.run_key) for name in ("usual", "crowded")
    )
    assert one.sample_ids.tolist() == other.sample_ids.tolist()
    for condition in one.scores:
        assert np.allclose(one.scores[condition], other.scores[condition], atol=1e-5), condition


def test_every_item_is_done_once_and_in_order() -> None:
    sizes: list[int] = []

    def work(part, rows: int) -> list[int]:
        sizes.append(len(part))
        if len(part) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return list(part)

    done = [item for part in Room(16).parts(list(range(10)), work) for item in part]
    assert done == list(range(10))
    assert sizes == [10, 5, 2, 2, 2, 2, 2], "no more than there are is halved"


def test_one_that_does_not_fit_ends_in_a_sentence() -> None:
    def work(part, rows: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with pytest.raises(OutOfRoom, match=r"one sequence at a time \(CUDA.*--quantize.*--device-map"):
        list(Room(2).parts([1, 2, 3], work))


def test_another_error_is_no_lack_of_room() -> None:
    def work(part, rows: int) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(Room(2).parts([1, 2, 3], work))
    assert is_full(MemoryError())
    assert is_full(RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"))
    assert not is_full(ValueError("out of memory"))


def test_what_failed_is_let_go_before_the_next_try() -> None:
    alive: list[int] = []

    class Big:
        def __init__(self) -> None:
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    def work(part, rows: int) -> int:
        assert not alive, "the frames of the error before still hold their tensors"
        big = Big()
        if len(part) > 1:
            raise torch.OutOfMemoryError(f"no room for {big}")
        return 1

    assert sum(Room(8).parts(list(range(4)), work)) == 4
