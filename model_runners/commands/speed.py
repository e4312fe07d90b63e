"""`doctor --speed`: where the time of runs went, and what would make them shorter."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_cache.errors import CacheError
from data_cache.run_times import timed_runs, times_of
from data_cache.runs import read_sidecar
from model_runners.errors import BadOption
from model_runners.time_advice import advice, said, shares

LISTED = 5
"""Runs that are told of where none is named, those that ended last."""
LEAST = 0.005
"""A smaller share of the time is not worth a line."""


def told(cache: Path, run_key: str | None) -> list[dict[str, Any]]:
    """Return the newest entry of one run, or of the latest ones, with names and advice.

    Raises
    ------
    BadOption
        If the run has none.
    """
    keys = timed_runs(cache)[:LISTED] if run_key is None else [run_key]
    found: list[dict[str, Any]] = []
    for key in keys:
        entries = times_of(cache, key)
        if entries:
            found.append(
                {
                    "run_key": key,
                    **_names(cache, key),
                    **asdict(entries[-1]),
                    "shares": shares(entries[-1]),
                    "advice": advice(entries[-1]),
                    "entries": len(entries),
                }
            )
    if run_key is not None and not found:
        raise BadOption(
            f"nothing says where the time of run {run_key} went; runs note it since this version, "
            "when they compute something (`list runs` has the keys)"
        )
    return found


def show(cache: Path, run_key: str | None, *, as_json: bool) -> int:
    """Print it; returns 0."""
    found = told(cache, run_key)
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    if not found:
        print(f"no run in {cache} has noted where its time went; the next one will")
    for one in found:
        print(
            f"run {one['run_key']}: {one['model']} on {one['benchmark']}, {one['samples']} samples "
            f"in {one['wall']:.1f} s on {one['device']} ({one['device_name']}, {one['dtype']}, "
            f"{one['rows']} sequences at once)"
        )
        for name, share in one["shares"].items():
            if share >= LEAST:
                seconds = one["parts"].get(name, share * one["wall"])
                print(f"  {share:6.1%} {seconds:9.2f} s  {said(name)}")
        if one["beside"]:
            print(f"         {one['beside']:9.2f} s  pre-processing beside the model")
        for sentence in one["advice"]:
            print(f"  {sentence}")
    return 0


def _names(cache: Path, run_key: str) -> dict[str, str]:
    try:
        config = read_sidecar(cache, run_key).config
    except CacheError:  # the run was removed, its note was not
        return {"model": "a model that is not stored any more", "benchmark": "its benchmark"}
    return {"model": str(config["model"]), "benchmark": str(config["benchmark"])}
