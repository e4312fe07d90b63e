"""`contributions`: whose the unique information is, and how far to trust the answer."""

import argparse
import json
from collections.abc import Sequence
from itertools import groupby

from data_cache.location import cache_directory
from data_cache.plan import OUTPUT_LAYER
from model_runners.contributions import Contribution, ContributionOptions
from model_runners.errors import BadOption
from model_runners.progress import progress
from pid_core.contributions import BY_CHANCE
from pid_core.ipfp import LONELY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model", required=True, help="the name under which the run is stored, see `list runs`"
    )
    parser.add_argument("--benchmark", required=True, help="a name of `list benchmarks`")
    parser.add_argument(
        "--run", metavar="KEY", help="which run, where there are several (default: the newest)"
    )
    parser.add_argument(
        "--by", default="none", choices=["subset", "none"], help="one table per subset, or one"
    )
    parser.add_argument("--subset", help="only one subset")
    parser.add_argument(
        "--split", default="test", choices=["train", "test", "all"], help="default: test"
    )
    parser.add_argument("--limit", type=int, help="only the first N samples of each table")
    parser.add_argument(
        "--clusters",
        metavar="K,K,...",
        help="codes per source (default: 16,64,256; with --noise or --layers: 64)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--noise", action="store_true", help="vary Gaussian noise added to the embeddings"
    )
    what.add_argument(
        "--layers",
        action="store_true",
        help="vary the layer of the embeddings; needs a run with --layer-features",
    )
    parser.add_argument(
        "--hard-answers", action="store_true", help="most likely answers, not distributions"
    )
    parser.add_argument(
        "--tau", type=float, default=0.3, help="least mass of the candidates (default: 0.3)"
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds of k-means (default: 3)")
    parser.add_argument(
        "--permutations",
        type=int,
        default=3,
        help="random answers for the reference by chance (default: 3)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of the rows")


def run(arguments: argparse.Namespace) -> int:
    """Print a table per subset, or JSON."""
    from model_runners.asking import asking_of_run
    from model_runners.contributions import contributions
    from model_runners.estimation import choose_run

    cache = cache_directory(arguments.cache)
    options = ContributionOptions(
        clusters=numbers(arguments.clusters),
        noise=arguments.noise,
        layers=arguments.layers,
        split=arguments.split,
        by=arguments.by,
        subset=arguments.subset,
        limit=arguments.limit,
        tau=arguments.tau,
        hard_answers=arguments.hard_answers,
        seeds=arguments.seeds,
        permutations=arguments.permutations,
    )
    chosen = choose_run(
        cache, model=arguments.model, benchmark=arguments.benchmark, run_key=arguments.run
    )
    with progress("contributions", "table") as bar:
        found = contributions(cache, chosen, options, progress=bar.to)
    if arguments.json:
        asking = asking_of_run(chosen.config)
        asked = {"template": None if asking is None else asking.text}
        rows = [one.to_dict() | asked for one in found]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    for _, of_subset in groupby(found, key=lambda one: one.subset):
        print("\n".join(table(list(of_subset))))
    return 0


def numbers(text: str | None) -> tuple[int, ...] | None:
    """Read `16,64`; None stays None.

    >>> numbers("16, 64")
    (16, 64)
    """
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise BadOption(f"clusters are whole numbers with commas between, not {text!r}") from None


HEADER = (
    f"{'layer':>5} {'k':>4} {'codes':>7} {'noise':>5} {'C1':>6} {'C2':>6} {'spread':>6}  "
    f"{'R':>7} {'U1':>7} {'U2':>7} {'S':>7} {'total':>7}  "
    f"{'U1':>7} {'U2':>7} {'total':>7}  {'alone':>5}"
)


LEGEND = (
    f"  * over {LONELY:.0%} of the samples have a cell of codes for themselves: the total tends to "
    "the most there is, whatever the embeddings say",
    f"  ! random answers give over {BY_CHANCE:.0%} of the unique information: do not read C",
    "  the text comes after the image and can read it, not the other way round: behind the first "
    "layer C leans to the text by position alone",
)


def table(rows: Sequence[Contribution]) -> list[str]:
    """Return the lines of the table of one subset."""
    first = rows[0]
    lines = [
        f"{first.model}  {first.benchmark}/{first.subset}  n {first.n}  "
        f"at most {first.row.ceiling_bits:.3f} bits",
        f"{'found, bits':>85}  {'random answers, bits':>23}",
        HEADER,
    ]
    lines += [line(one) for one in rows]
    if any(one.row.is_lonely for one in rows):
        lines.append(LEGEND[0])
    if any(one.row.is_by_chance for one in rows):
        lines.append(LEGEND[1])
    if any(one.layer != OUTPUT_LAYER for one in rows):
        lines.append(LEGEND[2])
    return [*lines, ""]


def line(one: Contribution) -> str:
    """Return one row of the table."""
    row, found, chance = one.row, one.row.found, one.row.chance
    by_chance = (
        f"{chance.unique_1:7.3f} {chance.unique_2:7.3f} {chance.total:7.3f}"
        if chance
        else f"{'-':>7} {'-':>7} {'-':>7}"
    )
    return (
        f"{'input' if one.layer == OUTPUT_LAYER else one.layer:>5} {row.clusters:>4} "
        f"{f'{row.codes_1}/{row.codes_2}':>7} {row.noise:5.2f} "
        f"{row.contribution_1:6.3f} {row.contribution_2:6.3f} {row.spread:6.3f}  "
        f"{found.redundancy:7.3f} {found.unique_1:7.3f} {found.unique_2:7.3f} "
        f"{found.synergy:7.3f} {found.total:7.3f}  {by_chance}  {row.alone:5.0%}"
        f"{' *' if row.is_lonely else ''}{' !' if row.is_by_chance else ''}"
    )
