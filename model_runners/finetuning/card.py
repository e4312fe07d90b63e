"""The model card of an adapter: what it is of, on what it was trained and how, what came of it."""

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from data_cache import adapters, estimates
from data_cache.adapters import AdapterRecord
from data_cache.atomic import write_atomically
from data_cache.estimates import SpectrumRecord
from data_cache.location import adapter_directory
from model_runners.finetuning.lora import SHARE
from model_runners.strategies import STRATEGIES

CARD_NAME = "README.md"
PACKAGES = ("peft", "transformers", "accelerate", "torch", "safetensors")


def write_card(cache: Path, record: AdapterRecord) -> Path:
    """Write the model card beside an adapter; an earlier one is replaced.

    Parameters
    ----------
    cache
        The cache folder.
    record
        Of the adapter. Once it is measured, the card has accuracies and spectra too.
    """
    weights = adapters.sample_weights(cache, record.key)
    counts = Counter(
        zip(weights["weight"].astype(float).tolist(), weights["role"].tolist(), strict=True)
    )
    spectra: list[SpectrumRecord] = []
    if record.measured:
        spectra = estimates.load(
            cache, models=[record.base, record.name], split="test", estimator="certified"
        )
    text = card(record, counts, spectra)
    return write_atomically(adapter_directory(cache, record.key) / CARD_NAME, text.encode())


def card(
    record: AdapterRecord,
    counts: Mapping[tuple[float, str], int],
    spectra: Sequence[SpectrumRecord],
) -> str:
    """Return the text of a model card, Markdown with the hub's heading.

    Parameters
    ----------
    record
        Of the adapter.
    counts
        Training samples by weight and role.
    spectra
        Of base and adapted model on the test split; those of other runs are passed over.
    """
    options = record.options
    base, _, revision = str(options["model"]).partition("@")
    head = {
        "library_name": "peft",
        "base_model": base,
        "pipeline_tag": "image-text-to-text",
        "tags": ["lora", "pidscope"],
    }
    facts: list[tuple[str, Any]] = [
        ("base", base),
        ("revision of the base", revision or "the one whose weights have the fingerprint below"),
        ("fingerprint of the base's weights", record.base_weights),
        ("trained on", _trained_on(record)),
        ("training samples", f"{record.n_train:,}, of the train split only"),
        ("strategy", f"{record.strategy}: {_summary(record.strategy)}"),
        ("optimiser steps", f"{record.steps:,} of {record.total_steps:,}"),
        (
            "adapted",
            f"every linear map of the last {SHARE:.0%} of the language layers; the base is frozen",
        ),
        ("begun", f"{record.created} (UTC)"),
    ]
    rows = [
        (f"{weight:g}", role if weight else "left out", f"{count:,}")
        for (weight, role), count in sorted(counts.items(), reverse=True)
    ]
    parts = [
        "---",
        *(f"{name}: {json.dumps(value)}" for name, value in head.items()),
        "---",
        "",
        f"# {_plain(record.name)}",
        "",
        "A LoRA adapter, trained by PIDscope. It changes nothing but the base named here, and is "
        "loaded with peft, or as a model of PIDscope by the path of this folder.",
        "",
        *_table(("", ""), facts),
        "",
        "## Weights of the training samples",
        "",
        *_table(("weight", "role", "samples"), rows),
        "",
        f"Mean weight {record.mean_weight:.4f}. A step over B samples minimises "
        "`sum_i w_i CE_i / (B w_mean)`. The samples one by one are in `samples.parquet`.",
        "",
        "## Options",
        "",
        *_table(("option", "value"), sorted(options.items())),
        "",
        "## Before and after",
        "",
        *_before_and_after(record, spectra),
        *(["", "## Warnings", ""] if record.warnings else []),
        *(f"- {_plain(sentence)}" for sentence in record.warnings),
        "",
        "## Versions",
        "",
        *_table(("package", "version"), _versions()),
    ]
    return "\n".join(parts) + "\n"


def _trained_on(record: AdapterRecord) -> str:
    more = record.options.get("mix")
    subset = record.options.get("subset")
    return (
        record.benchmark
        + (f", subset {subset}" if subset else "")
        + (f", with {more}" if more else "")
    )


def _summary(strategy: str) -> str:
    entry = STRATEGIES.get(strategy)
    return "of another PIDscope" if entry is None else entry.summary


def _before_and_after(record: AdapterRecord, spectra: Sequence[SpectrumRecord]) -> list[str]:
    if not record.measured:
        return ["Not measured yet."]
    rows: list[tuple[str, ...]] = []
    for one in record.measured:
        before = {each.subset: each for each in spectra if each.run_key == one.base_run_key}
        after = {each.subset: each for each in spectra if each.run_key == one.run_key}
        for subset in sorted(before.keys() & after.keys()):
            first, second = before[subset], after[subset]
            numbers = [
                f"{100 * first.accuracy:.1f} → {100 * second.accuracy:.1f}",
                *(
                    f"{getattr(first, atom):.3f} → {getattr(second, atom):.3f}"
                    for atom in ("redundancy", "unique_1", "unique_2", "synergy")
                ),
            ]
            rows.append((one.benchmark, subset, f"{second.n:,}", *numbers))
    if not rows:
        return ["Measured, and no spectrum could be made."]
    head = ("benchmark", "subset", "test samples", "accuracy (%)", *(f"{a} (bits)" for a in _ATOMS))
    return _table(head, rows)


_ATOMS = ("R", "U1", "U2", "S")


def _versions() -> list[tuple[str, str]]:
    found = [("python", platform.python_version())]
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows),
    ]


def _plain(value: Any) -> str:
    """Write a value so that Markdown takes it as text, on one line."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}")
    return text
