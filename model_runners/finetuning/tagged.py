"""Which samples a tag lifts in a training: those of the train split, as they are at its start."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_cache import selections, tags
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark, Sample
from data_cache.selections import Selection
from model_runners.errors import NoGapSamples
from model_runners.finetuning.options import FinetuneOptions

STRATEGY = "tag"


@dataclass(frozen=True, kw_only=True)
class Lifted:
    """What of a tag is lifted."""

    sample_ids: frozenset[str]
    """Of the samples that are trained on."""
    of: int
    """Samples of the tag."""
    left_out: tuple[str, ...]
    """Sentences, without a full stop, about those that are not."""


def with_tag(
    options: FinetuneOptions, name: str, cache: Path, benchmark: Benchmark, *, keep: bool = True
) -> FinetuneOptions:
    """Return options that lift the samples which carry a tag now.

    Parameters
    ----------
    options
        Their strategy is replaced.
    name
        The tag.
    cache
        The cache folder.
    benchmark
        As the options ask for it.
    keep
        Write down which samples these are, so that the training can be started.

    Raises
    ------
    BenchmarkError
        If no sample of the benchmark, as it is read here, carries the tag.
    CacheError
        If the cache folder cannot be read or written.
    """
    selection = Selection.of(benchmark.key, tagged_ids(name, cache, benchmark))
    if keep:
        selections.keep(cache, selection)
    return replace(options, strategy=STRATEGY, lift_tag=name, lifted=selection.key)


def tagged_ids(name: str, cache: Path, benchmark: Benchmark) -> tuple[str, ...]:
    """Return the ids of the samples of a benchmark that carry a tag.

    Raises
    ------
    BenchmarkError
        If there are none; the message tells a benchmark that was read in another way.
    """
    ids = tags.tagged(cache, name, benchmark.key)
    if ids:
        return ids
    there = tags.tags(cache)
    if any((tag.name, tag.benchmark) == (name, benchmark.name) for tag in there):
        raise BenchmarkError(
            f"the tag {name!r} is on samples of {benchmark.name} as it was read for another run, "
            "with another split or content; give the same --data and --split-policy as then, or "
            "tag the samples of a run with this one"
        )
    names = ", ".join(tag.name for tag in there if tag.benchmark_key == benchmark.key)
    raise BenchmarkError(
        f"no sample of {benchmark.name} carries the tag {name!r}; its tags are {names or 'none'}"
    )


def lifted(
    options: FinetuneOptions, cache: Path, benchmark: Benchmark, samples: Sequence[Sample]
) -> Lifted:
    """Return what is lifted by options that were made with `with_tag`.

    Parameters
    ----------
    options
        What to train.
    cache
        The cache folder.
    benchmark
        As the options ask for it.
    samples
        That are trained on.

    Raises
    ------
    CacheError
        If it is not known any more which samples were chosen.
    BenchmarkError
        If they are of another benchmark.
    NoGapSamples
        If none of them is trained on.
    """
    assert options.lifted is not None
    chosen = selections.read(cache, options.lifted)
    if chosen.benchmark_key != benchmark.key:
        raise BenchmarkError(
            f"the samples of the tag {options.lift_tag!r} were chosen from another content of "
            f"{benchmark.name}; choose them again and start anew"
        )
    return lifted_of(options.lift_tag or "", chosen.sample_ids, benchmark, samples)


def lifted_of(
    name: str, sample_ids: Sequence[str], benchmark: Benchmark, samples: Sequence[Sample]
) -> Lifted:
    """Return which of the samples of a tag are lifted, and why the others are not.

    Raises
    ------
    NoGapSamples
        If none is.
    """
    ids = set(sample_ids)
    trained = ids & {sample.id for sample in samples}
    test = ids & {sample.id for sample in benchmark.samples if sample.split == "test"}
    other = len(ids) - len(trained) - len(test)
    whose = f"of the {len(ids):,} samples of the tag {name!r}"
    left_out: list[str] = []
    if test:
        left_out.append(
            f"{len(test):,} {whose} {_are(len(test))} of the test split and never trained on"
        )
    if other:
        left_out.append(
            f"{other:,} {whose} {_are(other)} not among the {len(samples):,} that are trained on"
        )
    if not trained:
        raise NoGapSamples(
            f"nothing is left to lift: {'; '.join(left_out)}; tag samples of the train split, or "
            "take --strategy pid"
        )
    return Lifted(sample_ids=frozenset(trained), of=len(ids), left_out=tuple(left_out))


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
