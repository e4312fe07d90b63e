"""BATCH with margins that exist: bounds, gates, odd inputs, and the slope that training follows."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from pid_core import ChannelError, Channels, NotConverged, PidError, Spectrum, estimate
from pid_core.bank import Problem, gates, hard_cases, predictive_cases
from pid_core.batch import Training, estimate_batch
from pid_core.batch_network import PairNetwork, epoch_order
from pid_core.certified import Settings
from pid_core.pair_coupling import Kernel, PairCoupling, batch_margins, scale, slope, solution_of

SHORT = Training(epochs=2)
N = 128


def case(name: str, n: int = N) -> Channels:
    (found,) = [one for one in predictive_cases(n) if one.name == f"predictive/{name}"]
    return found.make()


def trained(channels: Channels, training: Training = SHORT, **settings: object) -> Spectrum:
    return estimate_batch(channels, Settings(**settings), training)  # type: ignore[arg-type]


def with_features(
    full: np.ndarray, only_1: np.ndarray, only_2: np.ndarray, **more: object
) -> Channels:
    rng = np.random.default_rng(0)
    return Channels(
        full=full,
        only_1=only_1,
        only_2=only_2,
        features_1=only_1 + 0.1 * rng.normal(size=only_1.shape),
        features_2=only_2 + 0.1 * rng.normal(size=only_2.shape),
        **more,
    )


@pytest.mark.parametrize("name", ["xor", "unique", "redundant", "blackwell", "soft", "confident"])
def test_what_it_gives_for_i_star_is_never_below_the_certified_bound(name: str) -> None:
    channels = case(name)
    exact = estimate(channels, tolerance_bits=1e-4)
    found = trained(channels)
    star, least = found.total - found.synergy, exact.total - exact.synergy
    assert star >= least - exact.diagnostics.gap_bits - 1e-9
    assert star - found.diagnostics.gap_bits <= least + 1e-9, "the gap reaches down to I*"
    assert found.total == pytest.approx(sum(found.atoms.values()), abs=1e-9)
    assert found.pointwise.mean(0) == pytest.approx(list(found.atoms.values()), abs=1e-9)
    assert (found.total, found.information_1, found.information_2) == pytest.approx(
        (exact.total, exact.information_1, exact.information_2), abs=1e-9
    )


@pytest.mark.parametrize("problem", gates(N), ids=lambda one: one.name)
def test_gates_whose_probes_know_all_or_nothing_come_out_and_others_within_the_gap(
    problem: Problem,
) -> None:
    found = trained(problem.make())
    wrong = problem.error_of(found.atoms)
    assert wrong is not None
    assert wrong <= found.diagnostics.gap_bits + 1e-6
    if problem.name not in {"gate/and", "gate/or", "gate/sum"}:
        assert wrong < 1e-3


def test_the_dual_value_closes_a_gap_that_data_processing_leaves_open() -> None:
    (pairs,) = [one for one in hard_cases(N) if one.name == "unique/pairs-confident"]
    channels = pairs.make()
    found, exact = trained(channels, Training(epochs=10)), estimate(channels)
    star = found.total - found.synergy
    processed = max(found.information_1, found.information_2)
    assert found.diagnostics.gap_bits < 0.5 * (star - processed)
    assert star - found.diagnostics.gap_bits <= exact.total - exact.synergy + 1e-9


def test_training_brings_the_bound_nearer() -> None:
    channels = case("soft", 256)
    short, long = (trained(channels, Training(epochs=epochs)) for epochs in (0, 60))
    assert long.diagnostics.gap_bits < short.diagnostics.gap_bits - 0.05
    steps = long.diagnostics.trace
    assert [step.step for step in steps] == list(range(1, 61))
    assert steps[-1].upper_bits < steps[0].upper_bits - 0.05
    assert all(step.lower_bits is None for step in steps)
    assert short.diagnostics.trace == ()


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_global_generator_alone() -> None:
    channels = case("soft")
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    one, two, other = (trained(channels, seed=seed) for seed in (3, 3, 4))
    assert one.pointwise.tobytes() == two.pointwise.tobytes()
    assert one.influence.tobytes() == two.influence.tobytes()
    assert one.pointwise.tobytes() != other.pointwise.tobytes()
    assert torch.equal(before, torch.get_rng_state())
    assert threads == torch.get_num_threads()


def test_a_gap_is_said_in_words_and_raised_when_asked_for() -> None:
    channels = case("redundant")
    found = trained(channels)
    assert not found.diagnostics.converged
    assert any("'certified' closes the gap" in sentence for sentence in found.diagnostics.warnings)
    with pytest.raises(NotConverged, match="after 2 epochs"):
        trained(channels, throw=True)


def test_other_samples_can_be_trained_on_and_all_samples_are_evaluated() -> None:
    channels, others = case("soft", 96), case("soft", 304)
    alone, taught = trained(channels), trained(channels, train=others)
    assert alone.atoms != taught.atoms
    assert taught.pointwise.shape == (96, 4)
    assert np.isfinite(taught.pointwise).all()
    assert estimate(channels, "batch", train=others).total == pytest.approx(alone.total, abs=1e-9)


def test_each_candidate_set_has_its_own_network_and_prior() -> None:
    rows = {2: np.array([[0.5, 0.5, 0, 0]]), 4: np.full((1, 4), 0.25)}
    full = np.vstack([rows[2]] * 5 + [rows[4]] * 15)
    found = trained(with_features(full, full, full, valid=full > 0))
    assert found.diagnostics.n_groups == 2
    assert found.diagnostics.trace == ()
    assert list(found.atoms.values()) == pytest.approx([0.0] * 4, abs=1e-4)
    pooled = trained(with_features(full, full, full, valid=full > 0), pool_candidates=True)
    assert pooled.diagnostics.n_groups == 1
    assert pooled.information_1 > 0.1


def test_candidates_that_no_training_sample_offers_are_trained_on_where_they_are() -> None:
    soft = case("soft", 32)
    pairs = np.pad(np.random.default_rng(0).dirichlet(np.ones(2), 8), ((0, 0), (0, 2)))
    rows = np.vstack([soft.only_1, pairs])
    channels = with_features(rows, rows, rows, valid=rows > 0)
    found = trained(channels, train=channels.at(np.arange(32)))
    assert any("8 of the 40 samples" in sentence for sentence in found.diagnostics.warnings)


@pytest.mark.parametrize("k", [2, 3, 26])
def test_any_number_of_candidates(k: int) -> None:
    rng = np.random.default_rng(k)
    rows = rng.dirichlet(np.ones(k), (3, 40))
    channels = with_features(rows[0], rows[1], rows[2])
    exact, found = estimate(channels), trained(channels)
    assert found.synergy <= exact.synergy + exact.diagnostics.gap_bits + 1e-9
    assert found.total == pytest.approx(exact.total)


def one_hot(n: int) -> np.ndarray:
    return np.eye(4)[np.arange(n) % 4]


@pytest.mark.parametrize(
    ("rows", "atoms"),
    [
        (one_hot(20), (2.0, 0.0, 0.0, 0.0)),
        (np.pad(one_hot(20)[:, :3], ((0, 0), (0, 1))), None),
        (np.tile([0.7, 0.2, 0.1, 0.0], (9, 1)), (0.0, 0.0, 0.0, 0.0)),
        (np.array([[0.7, 0.2, 0.1, 0.0]]), (0.0, 0.0, 0.0, 0.0)),
        (0.999999999997 * one_hot(20) + 7.5e-13, (2.0, 0.0, 0.0, 0.0)),
    ],
    ids=[
        "one-hot rows",
        "a class that no row uses",
        "all rows equal",
        "a single sample",
        "nearly certain",
    ],
)
def test_odd_rows(rows: np.ndarray, atoms: tuple[float, ...] | None) -> None:
    rows = rows[rows.sum(axis=1) > 0]
    channels = with_features(rows, rows, rows)
    found = trained(channels)
    wanted = list(estimate(channels).atoms.values()) if atoms is None else atoms
    assert list(found.atoms.values()) == pytest.approx(wanted, abs=1e-4)
    assert np.isfinite(found.influence).all()


def test_constant_features_and_probes_with_other_priors_are_taken() -> None:
    always_a = np.tile([0.97, 0.01, 0.01, 0.01], (20, 1))
    full = 0.96 * one_hot(20) + 0.01
    blank = np.zeros((20, 3))
    channels = Channels(
        full=full, only_1=always_a, only_2=always_a, features_1=blank, features_2=blank
    )
    found = trained(channels)
    assert found.information_1 == pytest.approx(0.0, abs=1e-9)
    assert found.synergy == pytest.approx(found.total, abs=1e-6)
    assert found.diagnostics.prior_shift_1 > 1.0


def test_rounding_fills_both_margins_exactly() -> None:
    rng = np.random.default_rng(0)
    joint_1, joint_2 = rng.dirichlet(np.ones(3), (2, 30)) / 30
    joint_2 = joint_2 * joint_1.sum(0) / joint_2.sum(0)
    kernel = Kernel.of(np.exp(rng.normal(size=(3, 30, 30))))
    rough = scale(kernel, joint_1.T, joint_2.T, tolerance=0.5)
    assert rough.error > 1e-4, "the scaling stopped early"
    q = PairCoupling.rounded(kernel, rough, joint_1.T, joint_2.T).rows(0, 30)
    assert np.abs(q.sum(1) - joint_1).max() < 1e-15
    assert np.abs(q.sum(0) - joint_2).max() < 1e-15
    assert (q >= 0).all()


def test_a_kernel_that_is_too_large_to_keep_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    joint = rng.dirichlet(np.ones(3), 40) / 40
    scores = rng.normal(size=(3, 40, 40))
    kept = solution_of(lambda part: scores[:, part], joint, joint, tolerance=1e-3)
    monkeypatch.setattr("pid_core.pair_coupling.DENSE_ENTRIES", 10)
    monkeypatch.setattr("pid_core.pair_coupling.BLOCK_ENTRIES", 1000)
    anew = solution_of(lambda part: scores[:, part], joint, joint, tolerance=1e-3)
    assert anew.information == pytest.approx(kept.information, abs=1e-12)
    assert anew.lower == pytest.approx(kept.lower, abs=1e-9)


def test_the_slope_is_that_of_i_q_through_the_scaling() -> None:
    rng = np.random.default_rng(2)
    rows = rng.dirichlet(np.ones(3), (2, 12))
    rows[0, 0] = [1.0, 0.0, 0.0]
    _, a, b = batch_margins(rows[0], rows[1], np.array([0.2, 0.3, 0.5]))
    scores, direction = rng.normal(size=(2, 3, 12, 12))
    found = slope(scores, a, b, tolerance=1e-13)
    up, down = (
        slope(scores + step * direction, a, b, tolerance=1e-13).information
        for step in (1e-5, -1e-5)
    )
    assert np.vdot(found.gradient, direction) == pytest.approx((up - down) / 2e-5, rel=1e-6)


def test_weights_and_orders_are_those_of_pytorch() -> None:
    """So that the published scripts' random stream can be repeated without the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(42)
        layers = [
            torch.nn.Linear(inputs, outputs)
            for width in (5, 7)
            for inputs, outputs in ((width, 32), (32, 32), (32, 32), (32, 32), (32, 40))
        ]
        loader = torch.utils.data.DataLoader(range(600), batch_size=200, shuffle=True)
        orders = [torch.cat(list(loader)).tolist() for _ in range(2)]
    generator = torch.Generator().manual_seed(42)
    network = PairNetwork((5, 7), 4, Training(), generator, torch.float32)
    wanted = [tensor for layer in layers for tensor in (layer.weight, layer.bias)]
    for mine, theirs in zip(network.parameters, wanted, strict=True):
        assert torch.equal(mine, theirs)
    assert [epoch_order(600, generator).tolist() for _ in range(2)] == orders


def test_influence_predicts_what_leaving_out_samples_does_to_the_same_network() -> None:
    channels = case("soft", 256)
    fixed = Training(epochs=0)  # the network depends on the training samples by their scale only
    whole = trained(channels, fixed, train=channels)
    for left_out in (np.arange(0, 4), np.arange(100, 104)):
        kept = np.setdiff1d(np.arange(256), left_out)
        fewer = trained(channels.at(kept), fixed, train=channels)
        moved = np.array(list(fewer.atoms.values())) - np.array(list(whole.atoms.values()))
        expected = whole.influence[kept].mean(0) - whole.influence.mean(0)
        assert np.corrcoef(moved, expected)[0, 1] > 0.95
        assert moved == pytest.approx(expected, abs=0.25 * np.abs(expected).max() + 1e-4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"features_1": None}, "hand in features_1 and features_2"),
        ({"marginals": "reference"}, "'batch_reference'"),
        ({"wider": True}, "features_1 have 4 columns and those of the training samples 5"),
    ],
)
def test_what_it_cannot_use_is_said(change: dict[str, object], sentence: str) -> None:
    channels = case("soft", 16)
    parts = {name: getattr(channels, name) for name in ("full", "only_1", "only_2", "features_2")}
    settings = {}
    if change.pop("wider", False):
        wide = np.pad(channels.features_1, ((0, 0), (0, 1)))
        settings["train"] = Channels(**parts, features_1=wide)
    settings |= {name: value for name, value in change.items() if name == "marginals"}
    features_1 = None if "features_1" in change else channels.features_1
    with pytest.raises((ChannelError, PidError), match=sentence):
        trained(Channels(**parts, features_1=features_1), **settings)
    with pytest.raises(PidError, match="embedding must be at least 2"):
        Training(embedding=1)


def test_without_torch_the_command_that_installs_it_is_named() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import pid_core\n"
        "half = [[0.5, 0.5]] * 4\n"
        "channels = pid_core.Channels(full=half, only_1=half, only_2=half,\n"
        "                             features_1=half, features_2=half)\n"
        "assert all(map(callable, pid_core.ESTIMATORS.values()))\n"
        "try:\n"
        "    pid_core.estimate(channels, 'batch')\n"
        "except pid_core.PidError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "pip install torch" in done.stdout
