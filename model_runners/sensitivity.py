"""What the spectrum of a cached run owes to a choice: tau, samples, draws, margins or pooling."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from model_runners.asking import asking_of_run
from model_runners.audit import (
    SOLVER,
    AuditRow,
    AuditTask,
    Report,
    perform,
)
from model_runners.audit_runs import FEATURES, run_tasks
from model_runners.benchmark_choice import arguments_of
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, chosen_of
from pid_core import ATOMS, ESTIMATORS
from pid_core.errors import did_you_mean
from pid_core.margins import Marginals
from pid_core.registry import ON_FEATURES, TRAINED

if TYPE_CHECKING:
    from data_cache.queries import RunRow

Over = Literal["tau", "samples", "draws", "marginals", "clusters", "mask_scope", "pooling"]
"""What can be varied."""

TAUS = (0.2, 0.3, 0.4)
"""Xiu26 has 0.3."""
CLUSTERS = (16, 64, 256)
FEWEST_SAMPLES = 32
"""Halving stops here: fewer say more about themselves than about the model."""
OTHER_SCOPE = {"all": "question", "question": "all"}

MEANINGS: dict[Over, str] = {
    "tau": "Below this mass on the options a prediction counts as no answer and is replaced by the "
    "uniform distribution. Atoms that move with it rest on rows that hardly answer.",
    "samples": "The first half of the samples, its half, and so on. From few samples I* comes out "
    "too large: unique atoms too high, redundancy and synergy too low. Where the last halving "
    "still moves an atom, more samples would move it too.",
    "draws": "How many draws of masking noise are averaged. From three on the noise is taken out "
    "by jackknife; atoms that still move need more draws.",
    "marginals": "How the masked probes are moved to the answer frequencies of the joint run. "
    "calibrate keeps as much of a probe as can be kept, couple keeps the least: the truth lies "
    "between them if it is identifiable at all. reference is what the published code does.",
    "clusters": "How many codes the embeddings are cut into. With many codes few samples share a "
    "cell, and everything looks explained.",
    "mask_scope": "Which text is masked: the whole user turn, or the question alone, with the "
    "options left readable. Another scope is another measurement, and needs a run of its own.",
    "pooling": "How the embeddings of a source are made one vector. The certified estimator never "
    "looks at embeddings: I* depends only on the predictions, so its row cannot move, and any "
    "change in a published table that varies the pooling is an estimator that has not come to "
    "rest. Estimators on embeddings move as they like.",
}
"""What a panel answers, for a person."""


@dataclass(frozen=True, kw_only=True)
class SensitivityPlan:
    """The rows of one panel, still to be computed."""

    over: Over
    tasks: tuple[AuditTask, ...]
    missing: str | None = None
    """What is not there to compare with."""
    remedy: str | None = None
    """What the command line has to do to make it."""


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """The rows of one panel."""

    over: Over
    rows: tuple[AuditRow, ...]
    missing: str | None = None
    remedy: str | None = None

    @property
    def meaning(self) -> str:
        """What the panel answers."""
        return MEANINGS[self.over]

    @property
    def verdict(self) -> str:
        """How much moved, in a sentence per estimator."""
        return verdict(self.rows)


def sensitivity(
    cache: Path,
    run: "RunRow",
    subset: str | None = None,
    *,
    over: str = "tau",
    options: EstimateOptions | None = None,
    progress: Report | None = None,
) -> Sensitivity:
    """Estimate a cached run again and again, with one setting varied. Nothing is stored.

    Parameters
    ----------
    cache
        The cache folder.
    run
        A row of `choose_run`.
    subset
        One subset; None takes all samples as one.
    over
        A name of `Over`.
    options
        Everything that is not varied.
    progress
        Called with rows done and in all.

    Raises
    ------
    BadOption
        If there is nothing of that name to vary.
    """
    plan = plan_sensitivity(cache, run, subset, over=over, options=options)
    return Sensitivity(
        over=plan.over,
        rows=tuple(perform(plan.tasks, progress=progress)),
        missing=plan.missing,
        remedy=plan.remedy,
    )


def plan_sensitivity(
    cache: Path,
    run: "RunRow",
    subset: str | None = None,
    *,
    over: str = "tau",
    options: EstimateOptions | None = None,
) -> SensitivityPlan:
    """Cut `sensitivity` into tasks."""
    for name in get_args(Over):
        if name == over:
            return _plan(cache, run, _fixed(subset, options), name)
    raise BadOption(f"nothing is called {over!r} to vary; {did_you_mean(over, get_args(Over))}")


def verdict(rows: Sequence[AuditRow]) -> str:
    """Say for each estimator how far its atoms moved over the rows.

    >>> def row(r): return AuditRow(
    ...     estimator="certified", label="", atoms=dict.fromkeys(ATOMS, 0.0) | {"redundancy": r})
    >>> verdict([row(0.5), row(0.4)])
    'certified: redundancy moves most, by 0.100 bits.'
    >>> verdict([row(0.5), row(0.5)])
    'certified: nothing moves at all.'
    """
    sentences: list[str] = []
    for name in dict.fromkeys(row.estimator for row in rows):
        found = [row.atoms for row in rows if row.estimator == name and row.atoms is not None]
        if len(found) < 2:
            continue
        moves = {
            atom: max(one[atom] for one in found) - min(one[atom] for one in found)
            for atom in ATOMS
        }
        most = max(moves, key=lambda atom: moves[atom])
        if moves[most] == 0.0:
            sentences.append(f"{name}: nothing moves at all.")
        else:
            sentences.append(f"{name}: {most} moves most, by {moves[most]:.3f} bits.")
    return " ".join(sentences)


def _fixed(subset: str | None, options: EstimateOptions | None) -> EstimateOptions:
    return replace(options or EstimateOptions(), by="none", subset=subset, layers=False)


def _plan(cache: Path, run: "RunRow", fixed: EstimateOptions, over: Over) -> SensitivityPlan:
    on_features = [name for name in ESTIMATORS if name in ON_FEATURES]
    if over == "mask_scope":
        return _mask_scopes(cache, run, fixed)
    if over == "pooling":
        readers = [*on_features, *(name for name in (fixed.estimator,) if name in TRAINED)]
        asked = [replace(fixed, estimator=name) for name in (SOLVER, *readers)]
        tasks = [
            task
            for features in FEATURES
            for task in run_tasks(
                cache, run, asked, settings=[features] * len(asked), features=features
            )
        ]
        return SensitivityPlan(over=over, tasks=tuple(tasks))
    if over == "clusters":
        name = fixed.estimator if fixed.estimator in ON_FEATURES else on_features[0]
        varied = {str(k): replace(fixed, estimator=name, clusters=k) for k in CLUSTERS}
    elif over == "tau":
        varied = {f"{tau:g}": replace(fixed, tau=tau) for tau in TAUS}
    elif over == "marginals":
        varied = {policy: replace(fixed, marginals=policy) for policy in get_args(Marginals)}
    elif over == "draws":
        counts = range(1, (fixed.draws or run.draws) + 1)
        varied = {str(draws): replace(fixed, draws=draws) for draws in counts}
    else:
        counts = halvings(samples_of(cache, run, fixed))
        varied = {str(n): replace(fixed, limit=n) for n in counts}
    tasks = run_tasks(cache, run, varied.values(), settings=list(varied))
    return SensitivityPlan(over=over, tasks=tuple(tasks))


def _mask_scopes(cache: Path, run: "RunRow", fixed: EstimateOptions) -> SensitivityPlan:
    """One row per scope that the cache has a run of, the newest of each."""
    from data_cache import queries

    if "imported" in run.config:
        missing = "These predictions were imported; which text was masked is not known."
        return SensitivityPlan(
            over="mask_scope", tasks=tuple(run_tasks(cache, run, [fixed])), missing=missing
        )
    own = str(run.config.get("mask_scope"))
    runs = [
        one
        for one in queries.runs(cache)
        if (one.model, one.benchmark_key) == (run.model, run.benchmark_key)
        and chosen_of(one) == chosen_of(run)
        and "imported" not in one.config
    ]
    newest = {str(one.config.get("mask_scope")): one for one in runs} | {own: run}
    tasks = [
        task
        for scope, one in sorted(newest.items(), key=lambda pair: pair[0] != own)
        for task in run_tasks(cache, one, [fixed], settings=[scope])
    ]
    missing = remedy = None
    if len(newest) < 2:
        missing = f"The cache has only runs whose text mask is: {own}."
        remedy = (
            f"profile --model {shlex.quote(run.model)} "
            f"{arguments_of(run.benchmark, run.environment)} "
            f"--mask-scope {OTHER_SCOPE.get(own, 'question')}"
            + "".join(
                f" --{name.replace('_', '-')} {shlex.quote(str(value))}"
                for name, value in _as_options(run).items()
                if name not in run.environment.get("asked", {})
            )
        )
    return SensitivityPlan(over="mask_scope", tasks=tuple(tasks), missing=missing, remedy=remedy)


def _as_options(run: "RunRow") -> dict[str, Any]:
    """Return what `profile` has to be told so that it asks as a run did."""
    asking = asking_of_run(run.config)
    if asking is None or asking.template is None:
        return chosen_of(run)
    return {**chosen_of(run), "template": asking.given}


def samples_of(cache: Path, run: "RunRow", options: EstimateOptions) -> int:
    """Return how many samples an estimate of a run has."""
    from data_cache import queries

    part = queries.predictions(
        cache,
        run.run_key,
        split=options.split,
        subset=None if options.subset in {None, "all"} else options.subset,
        layer=options.layer,
        limit=options.limit,
    )
    return len(part.sample_ids)


def halvings(n: int) -> list[int]:
    """Return n, half of it and so on, down to `FEWEST_SAMPLES`, smallest first.

    >>> halvings(352), halvings(20)
    ([44, 88, 176, 352], [20])
    """
    counts = [n]
    while counts[-1] // 2 >= FEWEST_SAMPLES:
        counts.append(counts[-1] // 2)
    return counts[::-1]
