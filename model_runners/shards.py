"""One part of a run for each task of a job array: every n-th block, agreed on by counting alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from data_cache.plan import block_of
from data_cache.samples import Benchmark, Sample
from model_runners.errors import BadOption

MOST = 100_000


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    def part(self, benchmark: Benchmark, wanted: Sequence[Sample]) -> tuple[Sample, ...]:
        """Return the wanted samples of this shard: those of every n-th block that has any.

        Counted over the blocks that are wanted, so that shards of a subset are alike in size.
        """
        ids = {sample.id for sample in wanted}
        place = {s.id: at for at, s in enumerate(benchmark.samples) if s.id in ids}
        blocks = sorted({block_of(at) for at in place.values()})
        mine = set(blocks[self.number - 1 :: self.of])
        return tuple(sample for sample in wanted if block_of(place[sample.id]) in mine)


def shard_from(text: str) -> Shard:
    """Read `i/n`.

    Raises
    ------
    BadOption
        If it is no part of a whole.

    Examples
    --------
    >>> shard_from("2/8")
    Shard(number=2, of=8)
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of <= MOST:
        raise BadOption(
            f"a shard is i/n with i from 1 to n, for example 3/8, not {text!r}; in a job array, "
            "i is the task's number counted from 1"
        )
    return Shard(number=number, of=of)
