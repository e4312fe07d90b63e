"""Which benchmark a job asks for: its options as a choice, as samples, and by a lasting name."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from data_cache.benchmarks import BenchmarkChoice, entry_of, load_benchmark, loader_of
from data_cache.benchmarks.reading import MAX_BAD_SHARE, locate, refuse_many_bad_rows
from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from data_cache.samples import Benchmark
from model_runners.errors import BadOption
from model_runners.unwatched import ignore

LISTED_BAD_ROWS = 100
"""A job's row has so many of them."""

FRAMES = 4
"""Pictures that are taken of a video, where nobody says how many."""
LATER: dict[str, Any] = {
    "data": None,
    "split_policy": "group",
    "circular": "all",
    "frames": FRAMES,
    "max_bad_rows": MAX_BAD_SHARE,
}
"""Options that jobs of an earlier PIDscope did not have, and what they were then."""


class AsksBenchmark(Protocol):
    """What the options of every kind of job say about their benchmark."""

    @property
    def benchmark(self) -> str:
        """A name of the table, with a variant behind a colon, or the path of a file."""
        ...

    @property
    def data(self) -> str | None:
        """The file or folder that holds it; None looks where its kit and the hub put it."""
        ...

    @property
    def split_policy(self) -> SplitPolicy:
        """How samples are divided into train and test."""
        ...

    @property
    def circular(self) -> Circular:
        """Which orders of a question's options are asked."""
        ...

    @property
    def frames(self) -> int:
        """Pictures that are taken of a video."""
        ...

    @property
    def max_bad_rows(self) -> float:
        """Share of bad rows above which nothing is run, 0 to 1."""
        ...


def choice_of(options: AsksBenchmark) -> BenchmarkChoice:
    """Return which benchmark is asked for, from where, and what of it.

    Raises
    ------
    BenchmarkError
        If a choice makes no sense.
    """
    return BenchmarkChoice(
        name=options.benchmark,
        data=options.data,
        split_policy=options.split_policy,
        circular=options.circular,
        frames=options.frames,
    )


def check_choice(options: AsksBenchmark) -> None:
    """Refuse options that make no sense, before anything is looked for.

    Raises
    ------
    BadOption, BenchmarkError
        If there is no such policy, or the share is none.
    """
    if not 0 <= options.max_bad_rows <= 1:
        raise BadOption(f"the share of bad rows must be 0 to 1, not {options.max_bad_rows}")
    choice_of(options)


def check_there(options: AsksBenchmark) -> None:
    """Refuse a benchmark that is not known or not on this machine; no row is read.

    Raises
    ------
    BenchmarkError
        With the nearest name, or with where it was looked and what would put it there.
    """
    choice = choice_of(options)
    if not choice.is_file and entry_of(choice.name).built_in:
        load_benchmark(choice)  # made in milliseconds; refuses what its maker does not offer
        return
    loader, variant = loader_of(choice.name)
    locate(loader, choice.base, variant, choice.name if choice.is_file else choice.data)


def load_asked(
    options: AsksBenchmark, cache: Path, *, seen: Callable[[Benchmark], None] = ignore
) -> Benchmark:
    """Load the benchmark that is asked for.

    Parameters
    ----------
    options
        What is asked for.
    cache
        The cache folder, which keeps the images of benchmarks.
    seen
        Told of the benchmark before it may be refused for its bad rows.

    Raises
    ------
    BenchmarkError
        If it cannot be read, or more of its rows are bad than the options allow.
    """
    benchmark = load_benchmark(choice_of(options), cache=cache)
    seen(benchmark)
    refuse_many_bad_rows(benchmark, options.max_bad_rows)
    return benchmark


def lasting_request(request: dict[str, Any]) -> dict[str, Any]:
    """Return a job's request so that its benchmark means the same in every working directory.

    What is as it always was is left out, so that a job without such choices keeps its key.
    """
    request = dict(request)
    for name in ("benchmark", "data"):
        said = request[name]
        if said is not None and (name == "data" or BenchmarkChoice(name=said).is_file):
            request[name] = str(Path(said).expanduser().absolute())
    for name, default in LATER.items():
        if request[name] == default:
            del request[name]
    return request


def asked_again(options: AsksBenchmark) -> dict[str, Any]:
    """Return what asks for the same benchmark from any working directory, for a run's record."""
    return lasting_request({name: getattr(options, name) for name in ("benchmark", *LATER)})


def asked_in(environment: Mapping[str, Any], benchmark: str) -> dict[str, Any]:
    """Return how a run asked for its benchmark, as options of `profile`, and nothing else.

    A record may have come in a bundle from anywhere. So an option that runs a program or trusts
    code, put among these, does not come through, nor does a value of another kind.

    Parameters
    ----------
    environment
        Of the run; runs of an earlier PIDscope do not say where their benchmark was.
    benchmark
        What the run calls it.

    >>> asked_in({"asked": {"benchmark": "pope", "frames": 8, "worker": "/tmp/python"}}, "pope")
    {'benchmark': 'pope', 'frames': 8}
    """
    said: object = environment.get("asked")
    given = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    kinds: dict[str, tuple[type, ...]] = {"benchmark": (str,), "data": (str,)}
    kinds |= {
        name: (float, int) if isinstance(usual, float) else (type(usual),)
        for name, usual in LATER.items()
        if name not in kinds
    }
    known = {name: value for name, value in given.items() if type(value) in kinds.get(name, ())}
    return {"benchmark": benchmark} | known


def arguments_of(benchmark: str, environment: Mapping[str, Any]) -> str:
    """Return the arguments of `profile` that name a run's benchmark again.

    Parameters
    ----------
    benchmark
        What the run calls it.
    environment
        Of the run; runs of an earlier PIDscope do not say where their benchmark was.

    >>> arguments_of("mine", {"asked": {"benchmark": "/data/mine.tsv", "split_policy": "random"}})
    '--benchmark /data/mine.tsv --split-policy random'
    """
    return " ".join(
        f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in asked_in(environment, benchmark).items()
    )


def in_words(options: AsksBenchmark) -> list[str]:
    """Return what a title says of the choices, a few words each; nothing of the usual ones."""
    said = [
        None if options.split_policy == "group" else f"split: {options.split_policy}",
        None if options.circular == "all" else "first order of the options only",
        None if options.frames == FRAMES else f"{options.frames} frames of a video",
    ]
    return [words for words in said if words]


def rows_read(benchmark: Benchmark) -> dict[str, Any]:
    """Return what a job's result says about the rows of its benchmark; JSON values.

    Nothing where it was not read from rows.
    """
    if benchmark.rows is None:
        return {}
    return {
        "rows": benchmark.rows,
        "bad_rows": [str(problem) for problem in benchmark.bad_rows[:LISTED_BAD_ROWS]],
        "bad_row_count": len(benchmark.bad_rows),
        "left_out_rows": dict(benchmark.left_out),
        "origin": benchmark.origin,
    }
