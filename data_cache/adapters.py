"""What is kept of an adapter: its record, the loss of every step, the weight of every sample.

`<cache>/adapters/<key>/` holds `record.json`, `losses.jsonl`, `samples.parquet`, and peft's own
`adapter_config.json` and `adapter_model.safetensors`, the last good state. The folder is a model
for `--model`, and can be moved.
"""

import json
import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from data_cache.arrow import Table, pa, parquet_bytes, pq
from data_cache.atomic import write_atomically
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import adapter_directory
from data_cache.permission import require_writing

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] -- it ships none

RECORD_NAME = "record.json"
RECORD_VERSION = 1
LOSSES_NAME = "losses.jsonl"
SAMPLES_NAME = "samples.parquet"

AdapterState = Literal["training", "trained", "profiled", "diverged"]
"""`profiled`: the runs of before and after are in the cache, with their spectra."""
STATES: tuple[AdapterState, ...] = ("training", "trained", "profiled", "diverged")

_SAMPLES = pa.schema(
    [
        *((name, pa.string()) for name in ("sample_id", "subset", "role", "benchmark")),
        *((name, pa.float64()) for name in ("weight", "gap_score", "shortcut")),
        *((name, pa.float64()) for name in ("fusion_potential", "synergy_ratio")),
        *((name, pa.float64()) for name in ("answer", "answer_without_image", "audio_unique")),
    ]
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Before and after on the test split of one benchmark."""

    benchmark: str
    """Its name, as the runs store it."""
    base_run_key: str
    """The run of before."""
    run_key: str
    """The run of after."""


@dataclass(frozen=True, kw_only=True)
class AdapterRecord:
    """How an adapter came to be, and how far it is."""

    key: str
    """16 hexadecimal digits: hash of base weights, benchmark, strategy and what else decides it."""
    name: str
    """The name under which the results of the adapted model are stored."""
    base: str
    """The name under which those of the base are."""
    base_weights: str
    """Fingerprint of the base's files."""
    benchmark: str
    strategy: str
    options: dict[str, Any]
    """Everything that was asked for, JSON values."""
    n_train: int
    n_gap: int
    n_shortcut: int
    mean_weight: float
    """Over the training samples."""
    steps: int
    """Optimiser steps of the adapter on disk."""
    total_steps: int
    state: AdapterState
    base_run_key: str | None = None
    """The run of before, once it is known."""
    run_key: str | None = None
    """The run of after, once it is known."""
    measured: tuple[Measured, ...] = ()
    """One for each benchmark that it was measured on, that which it was trained on first."""
    warnings: tuple[str, ...] = ()
    created: str = ""
    """When the training began, ISO 8601, UTC."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            **asdict(self),
            "measured": [asdict(one) for one in self.measured],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, kw_only=True)
class LossPoint:
    """One optimiser step."""

    step: int
    """From 1."""
    epoch: float
    """Passes over the training samples so far."""
    loss: float
    """The weighted objective of the step, in nats."""
    rate: float
    """Learning rate of the step."""
    held_out: float | None = None
    """Mean cross entropy after the step on the samples that are held out, in nats; None where
    those were not looked at."""


@dataclass(frozen=True, kw_only=True)
class SampleWeight:
    """What one training sample weighs, and why; scores are None where the strategy needs none."""

    sample_id: str
    subset: str
    weight: float
    role: Literal["gap", "shortcut", "rest"]
    gap_score: float | None = None
    shortcut: float | None = None
    fusion_potential: float | None = None
    synergy_ratio: float | None = None
    answer: float | None = None
    """Probability of the right answer among the options, 0 to 1."""
    answer_without_image: float | None = None
    audio_unique: float | None = None
    """What only the audio tells, in bits, of models that hear."""
    benchmark: str | None = None
    """Its name; None in files of before November 2026, which know one benchmark."""


def write_record(cache: Path, record: AdapterRecord) -> Path:
    """Write the record of an adapter; an earlier one is replaced."""
    content = {"schema_version": RECORD_VERSION, **record.to_dict()}
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    return write_atomically(adapter_directory(cache, record.key) / RECORD_NAME, text.encode())


def read_record(folder: Path) -> AdapterRecord | None:
    """Read the record in an adapter's folder; None where there is none: PIDscope did not train it.

    Raises
    ------
    CacheError
        If it is there and is no record.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    path = folder / RECORD_NAME
    try:
        content = cast(dict[str, Any], json.loads(path.read_text("utf-8")))
        version = int(content.pop("schema_version"))
        if version > RECORD_VERSION:
            raise SchemaTooNew(
                f"{path} was written by a newer PIDscope (schema {version}, this one reads "
                f"{RECORD_VERSION}); upgrade"
            )
        known = {f.name for f in fields(AdapterRecord)}
        if not isinstance(content["key"], str) or content["state"] not in STATES:
            raise TypeError("key or state")
        content["warnings"] = tuple(content["warnings"])
        content["measured"] = _measured(content)
        return AdapterRecord(**{name: content[name] for name in known & set(content)})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CacheError(
            f"{path} is no record of an adapter ({error}); remove the folder and train again"
        ) from error


def _measured(content: dict[str, Any]) -> tuple[Measured, ...]:
    """Read where an adapter was measured; earlier records know one benchmark only."""
    there = content.get("measured")
    if there:
        return tuple(Measured(**one) for one in there)
    before, after = content.get("base_run_key"), content.get("run_key")
    if before is None or after is None:
        return ()
    return (Measured(benchmark=content["benchmark"], base_run_key=before, run_key=after),)


def adapter(cache: Path, key: str) -> AdapterRecord | None:
    """Return the adapter with a key, or None."""
    return read_record(adapter_directory(cache, key))


def adapters(cache: Path) -> list[AdapterRecord]:
    """Return the adapters, newest first; a broken folder is passed over with a line in the log."""
    found: list[AdapterRecord] = []
    folder = adapter_directory(cache)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            record = read_record(path)
        except CacheError as error:
            log.warning("an adapter is passed over: %s", error)
            continue
        if record is not None and record.key == path.name:
            found.append(record)
    return sorted(found, key=lambda record: record.created, reverse=True)


def append_loss(cache: Path, key: str, point: LossPoint) -> None:
    """Add one step; readers see whole lines only."""
    require_writing("train an adapter")
    path = adapter_directory(cache, key) / LOSSES_NAME
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(point)) + "\n")
    except OSError as error:
        raise CacheError(
            f"{path} could not be written ({error.strerror}); free some space and resume"
        ) from error


def losses(cache: Path, key: str) -> list[LossPoint]:
    """Return the loss of every step so far, also while the training goes on."""
    try:
        text = (adapter_directory(cache, key) / LOSSES_NAME).read_text("utf-8")
    except FileNotFoundError:
        return []
    points: list[LossPoint] = []
    for line in text.splitlines(keepends=True):
        try:
            points.append(LossPoint(**json.loads(line)))
        except (ValueError, TypeError):
            continue  # a line that a killed process or a full disk left half-written
    return points


def keep_losses(cache: Path, key: str, *, up_to: int) -> list[LossPoint]:
    """Forget the steps after a given one, which are about to be done again; returns the others."""
    kept = [point for point in losses(cache, key) if point.step <= up_to]
    text = "".join(json.dumps(asdict(point)) + "\n" for point in kept)
    write_atomically(adapter_directory(cache, key) / LOSSES_NAME, text.encode())
    return kept


def write_sample_weights(cache: Path, key: str, rows: list[SampleWeight]) -> Path:
    """Write what every training sample weighs."""
    table: Table = pa.Table.from_pylist([asdict(row) for row in rows], schema=_SAMPLES)
    path = adapter_directory(cache, key) / SAMPLES_NAME
    return write_atomically(path, parquet_bytes(table, {}))


def sample_weights(cache: Path, key: str) -> "pd.DataFrame":
    """Return what every training sample weighs and why, in the benchmark's order.

    Columns: sample_id, subset, weight, role, gap_score, shortcut, fusion_potential, synergy_ratio,
    and in files since November 2026 answer and answer_without_image, the probability of the right
    answer, audio_unique in bits, and benchmark; the scores are NaN where the strategy needs none. A
    sample of weight 0 was scored and not trained on.

    Raises
    ------
    CacheError
        If the adapter has no such file: its samples have not been weighed yet.
    """
    path = adapter_directory(cache, key) / SAMPLES_NAME
    if not path.is_file():
        raise CacheError(f"the adapter {key} in {cache} has no weights of samples yet")
    return pq.read_table(path).to_pandas()
