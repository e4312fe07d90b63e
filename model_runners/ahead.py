"""The next batch is decoded and tokenised on a thread of its own while the model reads this one.

It pays where the model leaves a core free: on a GPU, or where torch takes fewer threads than there
are cores. What comes out is the same in any case, and at most two batches wait.
"""

import copy
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from data_cache.samples import Sample
from model_runners.stopwatch import Stopwatch

if TYPE_CHECKING:
    from model_runners.encoding import EncodedBatch
    from model_runners.inference import BatchRunner

log = logging.getLogger(__name__)

WAITING = 2
"""Batches that may wait to be taken."""

Asked = tuple[tuple[str, ...], bool, bool]
"""Sample ids, with the image, with the sound."""


class Ahead:
    """Batches that are being encoded before somebody asks for them."""

    def __init__(self, runner: "BatchRunner"):
        """Copy the processor: a tokenizer must not be used by two threads at once.

        Parameters
        ----------
        runner
            Whose batches are encoded.
        """
        loaded = runner.loaded
        own = replace(loaded, processor=copy.deepcopy(loaded.processor))
        self._runner = replace(runner, loaded=own, watch=Stopwatch(), ahead=None)
        self._watch = runner.watch
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pidscope-ahead")
        self._waiting: OrderedDict[tuple[str, ...], dict[Asked, Future[EncodedBatch]]] = (
            OrderedDict()
        )

    def close(self) -> None:
        """End the thread and drop what nobody has taken; it ends with this object, too."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._waiting.clear()

    def expect(self, samples: Sequence[Sample]) -> None:
        """Begin with a batch that is likely to be asked for next."""
        ids = tuple(sample.id for sample in samples)
        if not ids or ids in self._waiting:
            return
        while len(self._waiting) >= WAITING:
            _, dropped = self._waiting.popitem(last=False)
            for future in dropped.values():
                future.cancel()
        kinds = [(True, True), *((one, other) for one, other in self._runner.removed_sources)]
        self._waiting[ids] = {
            (ids, *kind): self._pool.submit(self._encode, list(samples), *kind) for kind in kinds
        }

    def take(self, samples: Sequence[Sample], *, image: bool, sound: bool) -> "EncodedBatch | None":
        """Return an expected batch, waiting for it; None where it was not, or cannot be made."""
        ids = tuple(sample.id for sample in samples)
        futures = self._waiting.get(ids, {})
        future = futures.pop((ids, image, sound), None)
        if not futures:
            self._waiting.pop(ids, None)
        if future is None:
            return None
        with self._watch.part("waiting"):
            # Of a batch that fails, the one who asks is told by the same failure in his own thread.
            return None if future.exception() is not None else future.result()

    def _encode(self, samples: list[Sample], image: bool, sound: bool) -> "EncodedBatch":
        started = time.perf_counter()
        try:
            return self._runner.encode(samples, with_image=image, with_sound=sound)
        finally:
            self._watch.beside += time.perf_counter() - started


def ahead_of(runner: "BatchRunner") -> Ahead | None:
    """Return what encodes ahead, where that pays and the model's processor can be copied."""
    if not pays(runner):
        return None
    try:
        return Ahead(runner)
    except Exception as error:  # noqa: BLE001 - a processor may come with a model, code and all
        log.info("batches are not encoded ahead: %s", error)
        return None


def pays(runner: "BatchRunner") -> bool:
    """Whether the model leaves a core to pre-processing."""
    import torch

    if runner.loaded.device.type != "cpu":
        return (os.cpu_count() or 1) > 1
    return (os.cpu_count() or 1) > torch.get_num_threads()
