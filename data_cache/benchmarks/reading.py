"""How a benchmark's files become samples: bad rows listed, splits made, one fixed order."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from data_cache.benchmarks.finding import NotFound, find
from data_cache.benchmarks.source import Circular, Context, Found, Source
from data_cache.benchmarks.splits import SplitPolicy, divide
from data_cache.errors import BenchmarkError
from data_cache.formats.rows import BadRow, LeftOut, Row
from data_cache.image_store import ImageStore
from data_cache.order import fixed_order
from data_cache.samples import Benchmark, RowProblem, Sample

MAX_BAD_SHARE = 0.05
"""A run refuses to start where a larger share of the rows is bad, unless it is told otherwise."""


class Loader(Protocol):
    """What the module of a benchmark holds."""

    SOURCE: Source

    def rows(self, context: Context) -> Iterator[Row]:
        """Yield the rows of the files that were found."""
        ...

    def sample_of(self, row: Row, context: Context) -> Sample:
        """Return the sample that a row is, its split not set yet.

        Raises
        ------
        BadRow
            If it is none.
        LeftOut
            If it is left out on purpose.
        """
        ...


def locate(loader: Loader, name: str, variant: str, data: str | None) -> Found:
    """Return where the files of a benchmark are.

    Raises
    ------
    BenchmarkError
        If they are nowhere; the message says where it was looked and what to do.
    """
    found = find(loader.SOURCE, name, variant, data)
    if isinstance(found, NotFound):
        looked = " and ".join(found.looked_in)
        raise BenchmarkError(
            f"{loader.SOURCE.title} ({variant}) is not on this machine"
            + (f" (looked for {looked})" if looked else "")
            + f"; {found.advice}"
        )
    return found


def read(
    loader: Loader,
    *,
    name: str,
    variant: str,
    found: Found,
    cache: Path,
    split_policy: SplitPolicy = "group",
    circular: Circular = "all",
    frames: int = 4,
) -> Benchmark:
    """Read the files of a benchmark.

    Parameters
    ----------
    loader
        Its module.
    name
        What the benchmark is called from now on.
    variant
        Which part of it.
    found
        Where its files are.
    cache
        The cache folder, whose image store takes images that lie inside tables.
    split_policy, circular, frames
        As in `BenchmarkChoice`.

    Raises
    ------
    BenchmarkError
        If a file cannot be read at all, or no row of it is a sample.
    """
    source = loader.SOURCE
    samples: list[Sample] = []
    bad: list[RowProblem] = []
    left_out: Counter[str] = Counter()
    rows_of: dict[str, tuple[Path, int]] = {}
    count = 0
    with ImageStore(cache) as store:
        context = Context(
            variant=variant, found=found, store=store, circular=circular, frames=frames
        )
        for row in loader.rows(context):
            count += 1
            try:
                samples.append(_sample(loader, row, context, rows_of))
            except BadRow as error:
                bad.append(error.problem)
            except LeftOut as choice:
                left_out[choice.reason] += 1
    if not samples:
        raise BenchmarkError(_nothing(name, found, bad, left_out))
    return Benchmark(
        name=name,
        samples=fixed_order(divide(samples, split_policy)),
        description=source.summary,
        rows=count,
        bad_rows=tuple(bad),
        left_out=dict(left_out),
        origin=found.origin,
        circular=source.circular and circular == "all",
    )


def _sample(
    loader: Loader, row: Row, context: Context, rows_of: dict[str, tuple[Path, int]]
) -> Sample:
    if row.problem is not None:
        raise BadRow(row.problem)
    try:
        sample = loader.sample_of(row, context)
    except BadRow:
        raise
    except BenchmarkError as error:  # of an image, or of the sample as a whole
        column = "image" if "image" in str(error) or "video" in str(error) else ""
        raise row.bad(column, str(error)) from error
    file, number = rows_of.setdefault(sample.id, (row.file, row.number))
    if (file, number) != (row.file, row.number):
        where = "" if file == row.file else f" of {file}"
        raise row.bad("id", f"the id {sample.id!r} is that of row {number}{where}, too")
    return sample


def _nothing(name: str, found: Found, bad: list[RowProblem], left_out: Counter[str]) -> str:
    where = ", ".join(map(str, found.files[:3]))
    if bad:
        return f"no row of {name} is a sample ({where}); the first: {bad[0]}"
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    return f"no row of {name} is a sample ({where}): {reasons or 'there are none'}"


def refuse_many_bad_rows(benchmark: Benchmark, share: float = MAX_BAD_SHARE) -> None:
    """Refuse a benchmark of which too much cannot be read.

    Parameters
    ----------
    benchmark
        As it was read.
    share
        Of the rows that should be samples, 0 to 1.

    Raises
    ------
    BenchmarkError
        With the number and the first of them.
    """
    if benchmark.bad_share <= share or not benchmark.bad_rows:
        return
    bad = len(benchmark.bad_rows)
    raise BenchmarkError(
        f"{bad} of {bad + len(benchmark.samples)} rows of {benchmark.name} are bad, more than "
        f"{share:.0%}; mend them or allow more (--max-bad-rows). The first: {benchmark.bad_rows[0]}"
    )


def as_loader(module: object) -> Loader:
    """Return a module as the loader that it is."""
    return cast(Loader, module)
