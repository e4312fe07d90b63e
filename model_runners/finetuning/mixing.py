"""Which benchmarks a training mixes, and how many samples of each an epoch takes."""

import math
from collections.abc import Mapping

from model_runners.errors import BadOption


def weights_of(benchmark: str, mix: str | None) -> dict[str, float]:
    """Return the mixing weight of each benchmark that is trained on, the first one's being 1.

    Parameters
    ----------
    benchmark
        The first.
    mix
        The others, `a,b=2`; without a weight it is 1.

    Raises
    ------
    BadOption
        If a weight is no positive number, or a benchmark is named twice.

    >>> weights_of("pope", "mmstar,mmbench=2")
    {'pope': 1.0, 'mmstar': 1.0, 'mmbench': 2.0}
    """
    found = {benchmark: 1.0}
    for part in (mix or "").split(",") if mix is not None else ():
        name, given, weight = part.strip().rpartition("=")
        if not given:
            name, weight = part.strip(), "1"
        try:
            number = float(weight)
        except ValueError:
            number = math.nan
        if not name or not (math.isfinite(number) and number > 0):
            raise BadOption(
                f"--train-on takes benchmarks with weights above 0 such as a,b=2, not {mix!r}"
            )
        if name in found:
            raise BadOption(f"the benchmark {name!r} is trained on twice; name it once")
        found[name] = number
    return found


def mixed_names(mix: str | None) -> tuple[str, ...]:
    """Return the benchmarks of `mix` alone."""
    return tuple(weights_of("", mix))[1:]


def shares(counts: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, int]:
    """Return how many samples of each benchmark an epoch takes, in proportion to the weights.

    As many as there are without taking one twice: the benchmark that is shortest for its weight is
    gone through whole, and the others in part, in every epoch another part.

    Parameters
    ----------
    counts
        Training samples of each benchmark, at least 1.
    weights
        Their mixing weights.

    >>> shares({"a": 100, "b": 1000}, {"a": 1.0, "b": 2.0})
    {'a': 100, 'b': 200}
    """
    unit = min(counts[name] / weights[name] for name in counts)
    return {name: max(1, round(unit * weights[name])) for name in counts}
