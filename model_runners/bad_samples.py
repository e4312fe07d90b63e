"""Samples that cannot be run: a run goes on without them, lists them, and tries them again.

The list lies beside a run's chunks. It is a note for people: what is computed and what is missing
is read from the chunks alone, so losing the file loses nothing.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from data_cache.atomic import write_atomically
from data_cache.samples import Sample
from model_runners.errors import BadSample, UnsupportedModel

FILE_NAME = "bad_samples.json"
Result = TypeVar("Result")


class BadSamples:
    """Those that one run has met, with the reason of each."""

    def __init__(self) -> None:
        """Begin with none."""
        self.reasons: dict[str, str] = {}
        """Reason by sample id, in the order in which they were met."""

    def __contains__(self, sample: Sample) -> bool:
        """Whether a sample is known to be bad."""
        return sample.id in self.reasons

    def spare(
        self, samples: Sequence[Sample], work: Callable[[list[Sample]], Result]
    ) -> Result | None:
        """Do work on samples, again without each one that turns out to be bad.

        Parameters
        ----------
        samples
            Those that are known to be bad are left out from the start.
        work
            Takes one sample or more and raises `BadSample` for the first that it cannot take.

        Returns
        -------
        Result or None
            What the work gave for the good ones; None where there were none.
        """
        left = [sample for sample in samples if sample not in self]
        while left:
            try:
                return work(left)
            except BadSample as error:
                good = [sample for sample in left if sample.id != error.sample_id]
                if len(good) == len(left):
                    raise  # of a sample that is not in hand: trying again would not help
                self.reasons[error.sample_id] = error.reason
                left = good
        return None

    def among(self, samples: Iterable[Sample]) -> list[dict[str, str]]:
        """Return id and reason of the bad ones among samples, in their order; JSON values."""
        return [
            {"sample_id": sample.id, "reason": self.reasons[sample.id]}
            for sample in samples
            if sample in self
        ]

    def require_one_good(self, samples: Sequence[Sample]) -> None:
        """Refuse to go on where every sample is bad: then something else is wrong.

        Raises
        ------
        UnsupportedModel
            With the reason of the first.
        """
        bad = self.among(samples)
        if bad and len(bad) == len(samples):
            raise UnsupportedModel(
                f"none of the {len(samples)} samples could be run; the first, "
                f"{bad[0]['sample_id']!r}: {bad[0]['reason']}"
            )


def note(run_folder: Path, tried: Iterable[Sample], bad: BadSamples) -> None:
    """Bring the list of a run's bad samples up to date; no file where there are none.

    Parameters
    ----------
    run_folder
        The folder of the run's chunks.
    tried
        What was asked for now; what was noted of other samples stays.
    bad
        Those of them that are bad.

    Raises
    ------
    CacheError
        If the disk is full.
    """
    asked = list(tried)
    ids = {sample.id for sample in asked}
    before = read(run_folder)
    now = [one for one in before if one["sample_id"] not in ids] + bad.among(asked)
    path = run_folder / FILE_NAME
    if now == before:
        return
    if now:
        content = json.dumps({"schema_version": 1, "samples": now}, indent=1, ensure_ascii=False)
        write_atomically(path, f"{content}\n".encode())
    else:
        path.unlink(missing_ok=True)


def read(run_folder: Path) -> list[dict[str, str]]:
    """Return id and reason of each bad sample of a run; nothing where the list cannot be read."""
    try:
        content: Any = json.loads((run_folder / FILE_NAME).read_text("utf-8"))
        return [
            {"sample_id": str(one["sample_id"]), "reason": str(one["reason"])}
            for one in content["samples"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
