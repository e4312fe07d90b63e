"""The table of benchmarks: one line per entry, loaded only when asked for."""

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data_cache.benchmarks.reading import Loader, as_loader, locate, read
from data_cache.benchmarks.source import CIRCULAR, Circular, Source
from data_cache.benchmarks.splits import SPLIT_POLICIES, SplitPolicy
from data_cache.errors import BenchmarkError
from data_cache.location import cache_directory
from data_cache.samples import Benchmark
from pid_core.errors import did_you_mean


@dataclass(frozen=True, kw_only=True)
class BenchmarkEntry:
    """One line of the table."""

    module: str
    """Module with a function `load() -> Benchmark`, or one that is a `Loader`."""
    summary: str
    """One sentence for lists and pickers."""
    built_in: bool = False
    """Whether its module makes it, so that no file is needed."""


BENCHMARKS: dict[str, BenchmarkEntry] = {
    "digits_vqa": BenchmarkEntry(
        module="data_cache.benchmarks.digits_vqa",
        summary="handwritten digits 0-7 with four subsets of 2 bits of one known atom each",
        built_in=True,
    ),
    "digits_av": BenchmarkEntry(
        module="data_cache.benchmarks.digits_av",
        summary="moving digits and four tones, seen and heard, with four subsets of 2 bits each",
        built_in=True,
    ),
    "mmbench": BenchmarkEntry(
        module="data_cache.benchmarks.mmbench",
        summary="20 abilities, one image and 2 to 4 options; each question in rotations",
    ),
    "mmmu": BenchmarkEntry(
        module="data_cache.benchmarks.mmmu",
        summary="college examinations in 30 subjects, several images, 2 to 9 options",
    ),
    "pope": BenchmarkEntry(
        module="data_cache.benchmarks.pope",
        summary="is an object in the image, yes or no; half of them are not",
    ),
    "reefknot": BenchmarkEntry(
        module="data_cache.benchmarks.reefknot",
        summary="how two things in an image are related, 4 options",
    ),
    "pmc_vqa": BenchmarkEntry(
        module="data_cache.benchmarks.pmc_vqa",
        summary="figures of medical papers, 4 options",
    ),
    "mmstar": BenchmarkEntry(
        module="data_cache.benchmarks.mmstar",
        summary="questions that need their image, 6 abilities, 4 options",
    ),
    "music_avqa": BenchmarkEntry(
        module="data_cache.benchmarks.music_avqa",
        summary="videos of people playing instruments, seen and heard, 2 to 22 options",
    ),
}

FORMATS: dict[str, str] = {
    ".tsv": "data_cache.benchmarks.vlmeval_tsv",
    ".jsonl": "data_cache.benchmarks.jsonl",
    ".json": "data_cache.benchmarks.jsonl",
    ".csv": "data_cache.benchmarks.jsonl",
    ".parquet": "data_cache.benchmarks.vlmeval_tsv",
}
"""Which module reads a person's own file, by the end of its name."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkChoice:
    """Which benchmark, from where, and what of it."""

    name: str
    """`pope`, `pope:popular` for another variant than the first, or the path of a file."""
    data: str | None = None
    """A file or folder that holds it; None looks in $LMUData and the hub's cache."""
    split_policy: SplitPolicy = "group"
    circular: Circular = "all"
    frames: int = 4
    """Pictures that are taken of a video."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.split_policy not in SPLIT_POLICIES:
            raise BenchmarkError(
                f"the split policy must be one of {', '.join(SPLIT_POLICIES)}, not "
                f"{self.split_policy!r}"
            )
        if self.circular not in CIRCULAR:
            raise BenchmarkError(
                f"circular must be one of {', '.join(CIRCULAR)}, not {self.circular!r}"
            )
        if not 1 <= self.frames <= 64:
            raise BenchmarkError(f"1 to 64 frames are taken of a video, not {self.frames}")

    @property
    def is_file(self) -> bool:
        """Whether it names a file of the person's own."""
        return Path(self.name).suffix.lower() in FORMATS

    @property
    def base(self) -> str:
        """The name in the table."""
        return self.name.partition(":")[0]

    @property
    def title(self) -> str:
        """What it is called on pages and in results."""
        return Path(self.name).stem if self.is_file else self.name


def load_benchmark(choice: str | BenchmarkChoice, *, cache: Path | None = None) -> Benchmark:
    """Load a benchmark.

    Parameters
    ----------
    choice
        A name or a path alone stands for the defaults of everything else.
    cache
        The cache folder that keeps images which lie inside tables; None is the default one.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark, its files are not here, or they cannot be read.
    """
    if isinstance(choice, str):
        choice = BenchmarkChoice(name=choice)
    if not choice.is_file and entry_of(choice.name).built_in:
        return _built_in(choice)
    loader, variant = loader_of(choice.name)
    data = choice.name if choice.is_file else choice.data
    return read(
        loader,
        name=choice.title,
        variant=variant,
        found=locate(loader, choice.base, variant, data),
        cache=cache_directory(None) if cache is None else cache,
        split_policy=choice.split_policy,
        circular=choice.circular,
        frames=choice.frames,
    )


def entry_of(name: str) -> BenchmarkEntry:
    """Return the line of a benchmark.

    Raises
    ------
    BenchmarkError
        If there is none; the message has the nearest name and the list.
    """
    base = name.partition(":")[0]
    entry = BENCHMARKS.get(base)
    if entry is None:
        raise BenchmarkError(
            f"there is no benchmark {base!r}; {did_you_mean(base, BENCHMARKS)}; a file of your own "
            f"ends in {', '.join(FORMATS)}"
        )
    return entry


def loader_of(name: str) -> tuple[Loader, str]:
    """Return the module that reads a benchmark or an own file, and the variant that is meant.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark or variant.
    """
    suffix = Path(name).suffix.lower()
    if suffix in FORMATS:
        loader = as_loader(importlib.import_module(FORMATS[suffix]))
        return loader, loader.SOURCE.default
    loader = as_loader(importlib.import_module(entry_of(name).module))
    variant = name.partition(":")[2] or loader.SOURCE.default
    if variant not in loader.SOURCE.variants:
        raise BenchmarkError(
            f"{loader.SOURCE.title} has no variant {variant!r}; "
            f"{did_you_mean(variant, loader.SOURCE.variants)}"
        )
    return loader, variant


def source_of(name: str) -> Source:
    """Return what a benchmark of the table that is read from files declares.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark.
    """
    return loader_of(name)[0].SOURCE


def _built_in(choice: BenchmarkChoice) -> Benchmark:
    plain = BenchmarkChoice(name=choice.base)
    if (choice.data, choice.split_policy) != (plain.data, plain.split_policy):
        raise BenchmarkError(
            f"{choice.base} is made by PIDscope, with its own split; leave out --data and "
            "--split-policy"
        )
    if choice.name != choice.base:
        raise BenchmarkError(f"{choice.base} has no variants; ask for {choice.base!r}")
    return _made(entry_of(choice.name).module)


@cache
def _made(module: str) -> Benchmark:
    """Make a benchmark once a process; it cannot be changed, and takes half a second."""
    return importlib.import_module(module).load()
