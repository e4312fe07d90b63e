"""What the papers' own procedure gives on the same inputs, defects and all (Liang23, Xiu26).

For reproducing a published figure and for seeing what its defects do; to learn something about a
model use ``certified``, or ``batch``. The procedure, as its code runs it:

- p(y) is the mean of the *training* samples' joint run and stands in for every prior, so a probe
  with other answer frequencies gains KL(mean p_m || p(y)) bits out of nothing.
- Pairs of a batch are scaled to both probes' rows, class by class, until no entry misses by more
  than 0.01 or 500 sweeps have passed. A probe with another prior cannot be reached: the sweeps then
  end on source 1, and I_Q is no information of anything.
- 256 samples make one coupling, those left over are not looked at (``drop_last``), and values are
  averaged over batches, anchored at source 1.
- Negative averages become 0, so the atoms do not add up to the total.
- Everything is float32, features are not scaled, 1e-8 is added inside logarithms, candidate sets
  are pooled, and a row that is uniform over fewer candidates becomes uniform over all.

The random numbers are PyTorch's own stream after ``torch.manual_seed(42)``: weights, then the order
of each epoch, as the published scripts draw them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from pid_core.batch_inputs import check_widths, features_of, needs_torch
from pid_core.channels import Channels
from pid_core.errors import ChannelError, NotConverged
from pid_core.information import row_divergence, to_bits
from pid_core.spectrum import ATOMS, Diagnostics, Spectrum, TraceStep

if TYPE_CHECKING:
    from pid_core.certified import Settings

SEED = 42
"""The published scripts' seed; ours is added to it, so the default is theirs."""
BATCH = 256
"""Samples of one coupling, in training and in evaluation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Float32Channels:
    """Distributions and features as the published procedure holds them."""

    full: Float[np.ndarray, "samples classes"]
    only_1: Float[np.ndarray, "samples classes"]
    only_2: Float[np.ndarray, "samples classes"]
    features_1: Float[np.ndarray, "samples width_1"]
    features_2: Float[np.ndarray, "samples width_2"]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.full)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceRun:
    """What one run of the procedure measured. Nats, as in the network."""

    p_y: Float[np.ndarray, " classes"]
    information: Float[np.ndarray, "evaluated 4"]
    """Per evaluated sample: KL of its rows 1, 2 and 12 to p_y, and its part of I_Q."""
    margin_error: float
    """Largest distance of a column margin of an evaluated coupling from p(y|x2)."""
    unmet: int
    """Class margins of evaluated batches that 500 sweeps did not bring within 0.01."""
    fitted: int
    """Class margins of evaluated batches."""
    trace: tuple[TraceStep, ...]
    """I_Q of the training batches after each epoch."""


def estimate_batch_reference(channels: Channels, settings: Settings) -> Spectrum:
    """Run the published procedure: train on `settings.train`, evaluate full batches of 256.

    Without `settings.train` the samples themselves are trained on. `marginals`, `pointwise` and
    `pool_candidates` have no effect: the procedure has its own answers to these questions.

    Returns
    -------
    Spectrum
        Atoms clamped at 0, which do *not* add up to `total`; `diagnostics.plugin` has them before.
        `pointwise` are the values before clamping, nan for samples that were left over, which do
        not move the atoms (`influence`). `gap_bits` is infinite: nothing bounds the error.

    Raises
    ------
    ChannelError
        No features, or fewer than 256 samples to train on or to evaluate.

    References
    ----------
    Liang et al. 2023 (BATCH); Xiu, Luo, Nakayama 2026, appendix A.2 and table 6, and the behaviour
    of its published code. Written anew.

    Examples
    --------
    Both probes always say "A" and know nothing; the joint run knows 2 bits. All is synergy, and the
    procedure calls it redundancy.

    >>> from pid_core.certified import Settings
    >>> truth, always_a = np.eye(4)[np.arange(256) % 4], np.tile([1.0, 0.0, 0.0, 0.0], (256, 1))
    >>> blank = np.zeros((256, 1))
    >>> channels = Channels(
    ...     full=truth, only_1=always_a, only_2=always_a, features_1=blank, features_2=blank
    ... )
    >>> found = estimate_batch_reference(channels, Settings())
    >>> {name: round(bits, 3) for name, bits in found.atoms.items()}
    {'redundancy': 2.0, 'unique_1': 0.0, 'unique_2': 0.0, 'synergy': 0.0}
    """
    given = channels if settings.train is None else settings.train
    classes = max(channels.n_candidates, given.n_candidates)
    test, train = as_published(channels, classes), as_published(given, classes)
    check_widths((test.features_1, test.features_2), (train.features_1, train.features_2))
    for what, part in (("train on", train), ("evaluate", test)):
        if len(part) < BATCH:
            raise ChannelError(
                f"the published procedure works on full batches of {BATCH} samples and would "
                f"{what} none of these {len(part)}; use 'batch' or 'certified'"
            )
    loop = needs_torch("pid_core.batch_reference_loop")
    run: ReferenceRun = loop.run_reference(train, test, seed=SEED + settings.seed)
    return spectrum_of_run(channels, test, run, settings)


def as_published(channels: Channels, classes: int) -> Float32Channels:
    """Return float32 rows over `classes` candidates, with the published treatment of uniform rows.

    A row that is uniform over fewer candidates (to the tolerance of ``numpy.allclose``; it need not
    have fallen back) becomes uniform over all of them.
    """
    features_1, features_2 = features_of(channels, "batch_reference")
    padding = ((0, 0), (0, classes - channels.n_candidates))
    valid = np.pad(channels.valid, padding)

    def widened(rows: np.ndarray) -> np.ndarray:
        return uniform_over_all(np.pad(rows, padding), valid).astype(np.float32)

    return Float32Channels(
        full=widened(channels.full),
        only_1=widened(channels.only_1),
        only_2=widened(channels.only_2),
        features_1=features_1.astype(np.float32),
        features_2=features_2.astype(np.float32),
    )


def uniform_over_all(
    rows: Float[np.ndarray, "samples classes"], valid: Bool[np.ndarray, "samples classes"]
) -> Float[np.ndarray, "samples classes"]:
    """Spread rows that are uniform over their candidates over all columns.

    >>> rows, valid = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0]]), np.array([[1, 1, 0]] * 2) > 0
    >>> uniform_over_all(rows, valid).round(3).tolist()
    [[0.333, 0.333, 0.333], [0.9, 0.1, 0.0]]
    """
    uniform = valid / valid.sum(axis=1, keepdims=True)
    alike: np.ndarray = np.all(np.isclose(rows, uniform), axis=1)
    return np.where(alike[:, None], 1.0 / rows.shape[1], rows)


def spectrum_of_run(
    channels: Channels, test: Float32Channels, run: ReferenceRun, settings: Settings
) -> Spectrum:
    """Average a run of the procedure over its samples, clamp, and say what that means."""
    mi_1, mi_2, mi_12, mi_q = run.information.T
    evaluated, n = len(run.information), len(test)
    rows = np.stack([mi_1 + mi_2 - mi_q, mi_q - mi_2, mi_q - mi_1, mi_12 - mi_q], axis=1)
    rows = to_bits(1.0) * rows
    raw = {name: float(value) for name, value in zip(ATOMS, rows.mean(axis=0), strict=True)}
    clamped = {name: max(value, 0.0) for name, value in raw.items()}
    pointwise = np.full((n, 4), np.nan)
    pointwise[:evaluated] = rows
    atoms = np.array(list(clamped.values()))
    influence = np.tile(atoms, (n, 1))
    influence[:evaluated] += n / evaluated * (rows - rows.mean(axis=0))
    probes = (test.only_1[:evaluated], test.only_2[:evaluated])
    means = [probe.astype(np.float64).mean(axis=0) for probe in probes]
    shift = [to_bits(float(row_divergence(mean[None, :], run.p_y)[0])) for mean in means]
    own = [
        to_bits(float(row_divergence(probe.astype(np.float64), mean).mean()))
        for probe, mean in zip(probes, means, strict=True)
    ]
    information = [to_bits(float(values.mean())) for values in (mi_1, mi_2, mi_12)]
    warnings = _warnings(raw, shift, run, evaluated, n)
    if settings.throw:
        raise NotConverged(
            "nothing bounds the error of the published procedure, so it never converges in our "
            "sense; use 'certified'"
        )
    return Spectrum(
        redundancy=clamped["redundancy"],
        unique_1=clamped["unique_1"],
        unique_2=clamped["unique_2"],
        synergy=clamped["synergy"],
        total=information[2],
        information_1=information[0],
        information_2=information[1],
        pointwise=pointwise,
        influence=influence,
        clusters=channels.clusters,
        diagnostics=Diagnostics(
            method=f"published procedure, {len(run.trace)} epochs",
            gap_bits=math.inf,
            plugin_gap_bits=math.inf,
            converged=False,
            iterations=len(run.trace),
            residual=run.margin_error,
            prior_shift_1=shift[0],
            prior_shift_2=shift[1],
            own_information_1=own[0],
            own_information_2=own[1],
            kept_information_1=information[0],
            kept_information_2=information[1],
            plugin=MappingProxyType(raw),
            warnings=tuple(warnings),
            trace=run.trace,
        ),
    )


def _warnings(
    raw: dict[str, float], shift: list[float], run: ReferenceRun, evaluated: int, n: int
) -> list[str]:
    warnings = [
        "this is the published procedure with its defects, for comparison: nothing bounds its "
        "error; 'certified' solves the same problem"
    ]
    if evaluated < n:
        warnings.append(
            f"{evaluated} of {n} samples were evaluated: the procedure leaves out what does not "
            f"fill a batch of {BATCH}"
        )
    negative = {name: value for name, value in raw.items() if value < 0.0}
    if negative:
        listed = ", ".join(f"{name} {value:.3f}" for name, value in negative.items())
        warnings.append(
            f"negative averages were set to 0, so the atoms do not add up to the total (before: "
            f"{listed} bits)"
        )
    for source, bits in enumerate(shift, start=1):
        if bits > 0.01:
            warnings.append(
                f"{bits:.2f} bits of what source {source} seems to tell are only its other answer "
                "frequencies"
            )
    if run.unmet:
        warnings.append(
            f"{run.unmet} of {run.fitted} class margins were not met after 500 sweeps (one is "
            f"{run.margin_error:.2f} away): I_Q is not the information of any distribution with "
            "these margins"
        )
    return warnings
