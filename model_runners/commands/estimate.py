"""`estimate`: turn predictions into information spectra."""

import argparse
import json

from data_cache.location import cache_directory
from model_runners.progress import progress


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
        "--by", default="none", choices=["subset", "none"], help="one spectrum per subset, or one"
    )
    parser.add_argument("--subset", help="only one subset")
    parser.add_argument(
        "--split", default="test", choices=["train", "test", "all"], help="default: test"
    )
    parser.add_argument(
        "--estimator", default="certified", help="a name of `list estimators` (default: certified)"
    )
    depth = parser.add_mutually_exclusive_group()
    depth.add_argument(
        "--layer", type=int, default=-1, help="a layer of the logit lens; -1 is the model's output"
    )
    depth.add_argument(
        "--layers", action="store_true", help="the model's output and every layer that the run has"
    )
    parser.add_argument(
        "--tau", type=float, default=0.3, help="least mass of the candidates (default: 0.3)"
    )
    parser.add_argument(
        "--draws", type=int, help="how many of the run's draws to use (default: all)"
    )
    parser.add_argument("--limit", type=int, help="only the first N samples of each spectrum")
    parser.add_argument(
        "--marginals",
        default="calibrate",
        choices=["calibrate", "couple", "reference"],
        help="how probes are moved to the answer's marginal (default: calibrate)",
    )
    parser.add_argument(
        "--pointwise",
        default="own",
        choices=["own", "half", "x1"],
        help="how atoms are shared among samples",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of estimators that draw (default: 0)"
    )
    parser.add_argument(
        "--clusters", type=int, default=64, help="codes per source, for `ipfp` (default: 64)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of the records")


def run(arguments: argparse.Namespace) -> int:
    """Estimate, store, and print one line per spectrum or JSON."""
    from model_runners.estimation import EstimateOptions, choose_run, estimate_run

    cache = cache_directory(arguments.cache)
    options = EstimateOptions(
        estimator=arguments.estimator,
        split=arguments.split,
        by=arguments.by,
        subset=arguments.subset,
        layer=arguments.layer,
        layers=arguments.layers,
        tau=arguments.tau,
        draws=arguments.draws,
        limit=arguments.limit,
        marginals=arguments.marginals,
        pointwise=arguments.pointwise,
        seed=arguments.seed,
        clusters=arguments.clusters,
    )
    chosen = choose_run(
        cache, model=arguments.model, benchmark=arguments.benchmark, run_key=arguments.run
    )
    with progress("estimate", "spectrum") as bar:
        records = estimate_run(cache, chosen, options, progress=bar.to)
    if arguments.json:
        print(json.dumps([record.to_dict() for record in records], indent=1, ensure_ascii=False))
        return 0
    for record in records:
        atoms = "  ".join(
            f"{label} {getattr(record, name):+.3f}"
            for label, name in (
                ("R", "redundancy"),
                ("U1", "unique_1"),
                ("U2", "unique_2"),
                ("S", "synergy"),
            )
        )
        shift = "" if record.d_vision is None else f"  D_vision {record.d_vision:+.3f}"
        layer = "" if record.layer == -1 else f"layer {record.layer}  "
        print(
            f"{record.model}  {record.benchmark}/{record.subset}  {layer}n {record.n}  {atoms}  "
            f"total {record.total:.3f} bits  "
            f"gap {record.gap_bits:.1e}  accuracy {record.accuracy:.3f}{shift}"
        )
        for warning in record.warnings:
            print(f"  warning: {warning}")
    return 0
