"""How the samples of a block go through a model: in batches of similar length that fit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from data_cache.samples import Sample
from model_runners.asking import user_text
from model_runners.bad_samples import BadSamples
from model_runners.inference import BatchResult, BatchRunner
from model_runners.room import Room
from model_runners.swap_runner import SwapRunner


def run_batches(
    runner: BatchRunner | SwapRunner,
    samples: Sequence[Sample],
    room: Room | int,
    bad: BadSamples,
    *,
    following: Sequence[Sample] = (),
) -> Iterator[BatchResult]:
    """Run a block in batches of similar prompt length, so that little is spent on padding.

    Parameters
    ----------
    runner
        Its `rows_per_pass` gives way to the room.
    samples
        Of one block.
    room
        How many sequences at once; a number is where a room of its own begins.
    bad
        Where samples that cannot be run are noted.
    following
        What is likely to come after them: where the runner encodes ahead, it begins with these.

    Raises
    ------
    OutOfRoom
        If memory runs out with one sequence at a time.
    """
    room = room if isinstance(room, Room) else Room(room)
    ordered = in_order(runner, samples, bad)
    place = {sample.id: number for number, sample in enumerate(ordered)}
    ahead = runner.ahead if isinstance(runner, BatchRunner) else None
    later = in_order(runner, following, bad) if ahead is not None else []

    def run(part: Sequence[Sample], rows: int) -> BatchResult | None:
        if ahead is not None:
            after = place[part[-1].id] + 1
            ahead.expect((ordered[after:] or later)[:rows])
        return bad.spare(part, replace(runner, rows_per_pass=rows).run)

    for result in room.parts(ordered, run):
        if result is not None:
            yield result


def in_order(
    runner: BatchRunner | SwapRunner, samples: Sequence[Sample], bad: BadSamples
) -> list[Sample]:
    """Return the samples that can be run, those of similar length beside each other.

    Where a runner reads what prompts begin with once, questions about an image go together.
    """
    asking = runner.candidates.asking
    lengths = {
        sample.id: bad.spare([sample], lambda one: len(user_text(one[0], asking)))
        for sample in samples
    }
    first: dict[tuple[str, ...], int] = {}
    if isinstance(runner, BatchRunner) and runner.shares:
        for number, sample in enumerate(samples):
            first.setdefault(_images(sample), number)
    return sorted(
        (sample for sample in samples if sample not in bad),
        key=lambda sample: (first.get(_images(sample), 0), lengths[sample.id], sample.id),
    )


def _images(sample: Sample) -> tuple[str, ...]:
    return tuple(image.digest for image in sample.images)
