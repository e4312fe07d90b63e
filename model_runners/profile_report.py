"""What a run says while it goes on, and what it did."""

from collections.abc import Callable
from dataclasses import dataclass

from model_runners.selftest import SelfTestReport
from model_runners.unwatched import ignore


@dataclass(frozen=True, kw_only=True)
class ProfileReport:
    """What a run did."""

    run_key: str
    model: str
    benchmark: str
    samples: int
    """Samples asked for."""
    computed: int
    """Samples computed now; the others were there already."""
    passes: int
    """Sequences through the text stack."""
    inference_seconds: float
    """Without loading, self-test, statistics and ingest."""
    setup_seconds: float
    """Loading, self-test and statistics."""
    device: str
    """For example `cpu` or `cuda:0`."""
    dtype: str
    batch_size: int
    """Sequences in one pass of the text stack."""
    self_test: SelfTestReport
    bad_samples: tuple[dict[str, str], ...] = ()
    """Id and reason of each sample asked for that could not be run; the next run tries it again."""

    @property
    def samples_per_second(self) -> float | None:
        """Rate of what was computed now; None where nothing was."""
        return self.computed / self.inference_seconds if self.computed else None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where progress goes."""

    statistics: Callable[[int, int], None] = ignore
    """Samples of the noise statistics: done, total."""
    samples: Callable[[int, int], None] = ignore
    """Samples of the run that have their predictions: done, total."""
    computed: Callable[[int, float], None] = ignore
    """Samples computed now, and the seconds since the first of them was begun."""
    stage: Callable[[str], None] = ignore
    """What begins, a few words."""
    tell: Callable[[str], None] = ignore
    """A sentence that is worth keeping."""
    note: Callable[[str], None] = ignore
    """A few words beside the position, for example the loss."""


SILENT = Progress()
