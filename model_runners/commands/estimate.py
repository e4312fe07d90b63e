"""`estimate`: turn predictions into information spectra."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.location import cache_directory
from data_cache.records import INTERVENTIONAL
from model_runners.progress import progress

if TYPE_CHECKING:
    from model_runners.estimation import EstimateOptions

LABELS = {"redundancy": "R", "unique_1": "U1", "unique_2": "U2", "synergy": "S"}


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
        "--estimator",
        default="certified",
        help="a name of `list estimators`, or interventional for a run of swapped pairs "
        "(default: certified)",
    )
    parser.add_argument(
        "--given",
        metavar="NAME",
        help="condition on the instruction: question, subset, or an entry of the samples' meta, as "
        "template; nothing leaves it (default: the template in a run of video and audio)",
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
    evidence = parser.add_argument_group("evidence beside the atoms")
    evidence.add_argument(
        "--bootstrap",
        type=int,
        default=0,
        metavar="N",
        help="intervals from N bootstrap samples by group (default: first order, at no cost; of "
        "swapped pairs 50, over images and questions)",
    )
    evidence.add_argument(
        "--resamples",
        type=int,
        default=0,
        metavar="N",
        help="mean and spread over N random batches, as published (50); no interval",
    )
    evidence.add_argument(
        "--batch-size", type=int, default=256, help="samples per batch (default: 256)"
    )
    evidence.add_argument(
        "--null",
        type=int,
        default=0,
        metavar="N",
        help="what is found where there is nothing, from N exchanges of the probes",
    )
    evidence.add_argument(
        "--workers", type=int, default=1, help="processes for bootstrap and batches (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of the records")


def run(arguments: argparse.Namespace) -> int:
    """Estimate, store, and print one line per spectrum or JSON."""
    from model_runners.asking import asking_of_run
    from model_runners.certainty import Evidence
    from model_runners.deriving import derive
    from model_runners.estimation import EstimateOptions, choose_run, estimate_run
    from model_runners.lens_quality import remark

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
        given=arguments.given,
        evidence=Evidence(
            bootstrap=arguments.bootstrap,
            resamples=arguments.resamples,
            batch_size=arguments.batch_size,
            null=arguments.null,
            workers=arguments.workers,
        ),
    )
    if arguments.estimator == INTERVENTIONAL:
        return _swapped(cache, arguments, options)
    chosen = choose_run(
        cache, model=arguments.model, benchmark=arguments.benchmark, run_key=arguments.run
    )
    with progress("estimate", "spectrum") as bar:

        def detail(what: str, done: int, of: int) -> None:
            bar.name(f"estimate, {what} {done}/{of}")

        records = estimate_run(cache, chosen, options, progress=bar.to, detail=detail)
        derive(cache, {chosen.run_key}, say=lambda what: bar.name(f"what pages show: {what}"))
    asking = asking_of_run(chosen.config)
    if arguments.json:
        asked = {"template": None if asking is None else asking.text}
        found = [record.to_dict() | asked for record in records]
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    if asking is not None and asking.template is not None:
        print(f"prompt template: {asking.name} (its text is in --json)")
    for record in records:
        atoms = "  ".join(f"{label} {getattr(record, name):+.3f}" for name, label in LABELS.items())
        shift = "" if record.d_vision is None else f"  D_vision {record.d_vision:+.3f}"
        layer = "" if record.layer == -1 else f"layer {record.layer}  "
        print(
            f"{record.model}  {record.benchmark}/{record.subset}  {layer}n {record.n}  {atoms}  "
            f"total {record.total:.3f} bits  "
            f"gap {record.gap_bits:.1e}  accuracy {record.accuracy:.3f}{shift}"
        )
        if found := record.diagnostics.get("circular"):
            print(f"  {_circular(record.circular_accuracy, found)}")
        for line in _evidence(record.diagnostics, record.interval):
            print(f"  {line}")
        for warning in record.warnings:
            print(f"  warning: {warning}")
    subset = records[0].subset if records else ""
    if said := remark([one for one in records if one.subset == subset], chosen, cache):
        print(f"warning: {said}")
    return 0


def _swapped(cache: Path, arguments: argparse.Namespace, options: "EstimateOptions") -> int:
    """Estimate the interventional spectra of a run of swapped pairs."""
    from model_runners.swap_estimation import choose_swap_run, estimate_swapped

    chosen = choose_swap_run(
        cache, model=arguments.model, benchmark=arguments.benchmark, run_key=arguments.run
    )
    with progress("estimate", "spectrum") as bar:
        records = estimate_swapped(cache, chosen, options, progress=bar.to)
    if arguments.json:
        print(json.dumps([one.to_dict() for one in records], indent=1, ensure_ascii=False))
        return 0
    for record in records:
        atoms = "  ".join(f"{label} {getattr(record, name):+.3f}" for name, label in LABELS.items())
        found = record.diagnostics
        plain = ", ".join(f"{label} {found['plug_in'][name]:.3f}" for name, label in LABELS.items())
        print(
            f"{record.model}  {record.benchmark}/{record.subset}  n {record.n}  "
            f"{record.settings['draws']} partners  {atoms}  total {record.total:.3f} bits  "
            f"gap {record.gap_bits:.1e}  accuracy {record.accuracy:.3f}"
        )
        ends = ", ".join(
            f"{label} {record.interval[name][0]:+.3f} to {record.interval[name][1]:+.3f}"
            for name, label in LABELS.items()
        )
        print(f"  95 % ({record.settings['bootstrap']} samples of images and questions): {ends}")
        print(f"  before the correction for {record.settings['draws']} partners: {plain}")
        if "correlation_part" in found:
            print(
                f"  the dataset's pairing: {found['correlation_part']:+.3f} bits (total "
                f"{found['observed_total']:.3f} with a question's own image)"
            )
        for warning in record.warnings:
            print(f"  warning: {warning}")
    return 0


def _circular(accuracy: float | None, found: Mapping[str, Any]) -> str:
    """Say in how many questions every order of the options is answered right."""
    lacking = found["left_out"]
    left_out = f"; {lacking} questions lack an order and are left out" if lacking else ""
    if accuracy is None:
        return f"right in every order of the options: not known{left_out}"
    whole = found["questions"]
    return f"right in every order of the options: {accuracy:.3f} of {whole} questions{left_out}"


def _evidence(
    diagnostics: Mapping[str, Any], interval: Mapping[str, tuple[float, float]]
) -> list[str]:
    """Return one line for the intervals and one for each thing that was asked for."""
    lines: list[str] = []
    ends = [
        f"{label} {interval[name][0]:+.3f} to {interval[name][1]:+.3f}"
        for name, label in LABELS.items()
        if name in interval
    ]
    found = diagnostics.get("uncertainty")
    if found and ends:
        how = f"{found['replicates']} bootstrap samples" if found["replicates"] else "first order"
        covers = "sampling and bias" if found["quarters"] else f"sampling only: {found['note']}"
        lines.append(f"95 % ({how}, {covers}): {', '.join(ends)}")
    if found := diagnostics.get("resampled"):
        means = ", ".join(
            f"{label} {found['mean'][name]:+.3f} (spread {found['spread'][name]:.3f})"
            for name, label in LABELS.items()
        )
        lines.append(
            f"{found['batches']} batches of {found['batch_size']}: {means}; the spread is no "
            f"interval, and the bias is that of {found['batch_size']} samples"
        )
    for kind, null in (diagnostics.get("null") or {}).items():
        means = ", ".join(
            f"{LABELS[name]} {null['mean'][name]:+.3f} (up to {null['high'][name]:+.3f})"
            for name in null["zero"]
        )
        lines.append(f"null, {kind}: {means}, where there is nothing")
    return lines
