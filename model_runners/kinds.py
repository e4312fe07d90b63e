"""The table of kinds of jobs: one line each, loaded only when a job of that kind is met."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.errors import BadOption
from model_runners.profile import Progress
from model_runners.reporter import Reporter
from pid_core.errors import did_you_mean


@dataclass(frozen=True, kw_only=True)
class KindEntry:
    """One line of the table."""

    requests: str
    """Module that turns options into the request of a job and back, see `Requests`."""
    work: str
    """Module that does a job, see `Work`."""
    keeps: str
    """What is kept of a job that was stopped."""
    unit: str = "sample"
    """What its position counts, in the singular."""
    wants_device: bool = True
    """Whether it waits until a device is its own."""


KINDS: dict[str, KindEntry] = {
    "profile": KindEntry(
        requests="model_runners.requests",
        work="model_runners.profile_job",
        keeps="finished chunks",
    ),
    "lens": KindEntry(
        requests="model_runners.lens_requests",
        work="model_runners.lens_job",
        keeps="noise statistics",
    ),
    "patch": KindEntry(
        requests="model_runners.patch_requests",
        work="model_runners.patch_job",
        keeps="finished blocks",
    ),
    "selftest": KindEntry(
        requests="model_runners.examine_requests",
        work="model_runners.examine_job",
        keeps="nothing",
    ),
    "finetune": KindEntry(
        requests="model_runners.finetuning.requests",
        work="model_runners.finetuning.job",
        keeps="finished chunks and training steps",
    ),
    "study": KindEntry(
        requests="model_runners.finetuning.study_requests",
        work="model_runners.finetuning.study_job",
        keeps="finished trainings, chunks and training steps",
    ),
    "plan": KindEntry(
        requests="model_runners.plans.requests",
        work="model_runners.plans.supervisor",
        keeps="finished cells and chunks",
        unit="cell",
        wants_device=False,
    ),
}


class Options(Protocol):
    """What was asked for; its class says which kind of job does it."""

    kind: ClassVar[str]
    """A line of `KINDS`."""


class Requests(Protocol):
    """How the options of a kind become the JSON that the job's key is made of, and back."""

    request_of: Callable[[Any], dict[str, Any]]
    options_of: Callable[[Mapping[str, Any]], Any]
    title_of: Callable[[Any], str]
    check_names: Callable[[Any], None]


class Work(Protocol):
    """What a process does with a job of a kind that it has claimed."""

    work: Callable[[Path, JobRow, Reporter, Progress, Benchmark | None], dict[str, Any]]
    """Do it; returns the result, JSON values."""
    outcome: Callable[[dict[str, Any]], str]
    """One line about a result."""


def kind_entry(kind: str) -> KindEntry:
    """Return the line of a kind.

    Raises
    ------
    BadOption
        If this PIDscope has none.
    """
    entry = KINDS.get(kind)
    if entry is None:
        raise BadOption(
            f"a job of kind {kind!r} was opened by another version of PIDscope; "
            f"{did_you_mean(kind, KINDS)}"
        )
    return entry


def requests_of(kind: str) -> Requests:
    """Return the module that reads and writes the requests of a kind."""
    return cast("Requests", importlib.import_module(kind_entry(kind).requests))


def work_of(kind: str) -> Work:
    """Return the module that does the jobs of a kind."""
    return cast("Work", importlib.import_module(kind_entry(kind).work))
