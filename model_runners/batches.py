"""How the samples of a block go through a model: in batches of similar length that fit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from data_cache.samples import Sample
from model_runners.asking import user_text
from model_runners.bad_samples import BadSamples
from model_runners.inference import BatchResult, BatchRunner
from model_runners.room import Room


def run_batches(
    runner: BatchRunner, samples: Sequence[Sample], room: Room | int, bad: BadSamples
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

    Raises
    ------
    OutOfRoom
        If memory runs out with one sequence at a time.
    """
    asking = runner.candidates.asking
    lengths = {
        sample.id: bad.spare([sample], lambda one: len(user_text(one[0], asking)))
        for sample in samples
    }
    by_length = sorted(
        (sample for sample in samples if sample not in bad),
        key=lambda sample: (lengths[sample.id], sample.id),
    )

    def run(part: Sequence[Sample], rows: int) -> BatchResult | None:
        return bad.spare(part, replace(runner, rows_per_pass=rows).run)

    for result in (room if isinstance(room, Room) else Room(room)).parts(by_length, run):
        if result is not None:
            yield result
