"""Estimators side by side: errors against truths, refusals in a row, and rows with keys."""

import dataclasses
import json
from pathlib import Path

import pytest

from data_cache import queries
from data_cache.ingest import ingest
from data_cache.queries import RunRow
from model_runners.__main__ import main
from model_runners.audit import (
    SOLVER,
    AuditOptions,
    AuditRow,
    digest,
    held_to,
    problem_tasks,
    published_rows,
    side_by_side,
    truth_of,
    why_not,
)
from model_runners.audit_runs import FEATURES, run_tasks
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.sensitivity import MEANINGS, Over, plan_sensitivity, sensitivity
from pid_core import ATOMS, Channels, UnknownName
from pid_core.bank import Problem, family, gates, get, predictive_cases
from tests.data_cache.spools import profile, small_benchmark

BOTH = ("certified", "ipfp")
MODEL = "demo/soft"
ALL = EstimateOptions(split="all")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 64 samples with two draws, whose scores are soft."""
    folder = tmp_path_factory.mktemp("cache")
    profile(folder, small_benchmark(64), draws=2, model=MODEL, mask_scope="all")
    ingest(folder)
    return folder


def chosen(cache: Path) -> RunRow:
    return choose_run(cache, model=MODEL, benchmark="small")


def one_row(problem: Problem | Channels, estimator: str = SOLVER) -> AuditRow:
    (row,) = side_by_side(problem, [estimator])
    return row


def test_each_estimator_has_a_row_with_its_error() -> None:
    rows = side_by_side(get("gate/sum"), BOTH)
    assert [row.estimator for row in rows] == list(BOTH)
    for row in rows:
        assert row.error_bits is not None
        assert row.error_bits < 1e-4
        assert row.samples == 1024
        assert row.seconds is not None
        assert row.seconds > 0


def test_an_estimator_that_is_wrong_has_an_error() -> None:
    problem = dataclasses.replace(gates(64)[0], truth=dict.fromkeys(ATOMS, 0.0))
    assert one_row(problem).error_bits == pytest.approx(1.0)


def test_progress_is_told_row_by_row() -> None:
    told: list[tuple[int, int]] = []
    side_by_side(gates(64)[0], BOTH, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_an_estimator_that_refuses_says_so_in_its_row() -> None:
    full = gates(64)[0].make()
    bare = Channels(full=full.full, only_1=full.only_1, only_2=full.only_2)
    solved, refused = side_by_side(bare, BOTH)
    assert solved.refusal is None
    assert refused.atoms is None
    assert refused.refusal is not None
    assert "features_1" in refused.refusal


def test_channels_of_ones_own_have_no_truth() -> None:
    assert one_row(gates(64)[0].make()).error_bits is None


def test_policies_are_compared_for_the_solver_only() -> None:
    options = AuditOptions(policies=("calibrate", "reference"))
    problem = get("prior/text-always-a")
    rows = side_by_side(problem, BOTH, options)
    assert [row.label for row in rows] == ["certified, calibrate", "certified, reference", "ipfp"]
    right, wrong = (row.error_bits for row in rows[:2])
    assert right == pytest.approx(0.0, abs=1e-4)
    assert wrong == pytest.approx(1.75, abs=0.02)


def test_a_truth_that_is_not_written_down_is_solved_for() -> None:
    problem = predictive_cases(64)[4]
    assert problem.truth is None
    truth = truth_of(problem, problem.make())
    assert truth is not None
    assert 0 <= truth.within <= 2e-4
    row = one_row(problem)
    assert row.error_bits is not None
    assert row.error_bits <= 1e-3 + truth.within


def test_where_nothing_is_identifiable_there_is_no_error() -> None:
    row = one_row(get("prior/text-skewed"))
    assert row.error_bits is None
    assert row.kept_share < 0.5
    assert row.prior_shift_bits == pytest.approx(0.59, abs=0.01)
    assert any("not identifiable" in warning for warning in row.warnings)


def test_the_published_numbers_stand_beside_the_computed_ones() -> None:
    rows = published_rows(get("predictive/redundant"))
    assert [row.estimator for row in rows] == ["certified", "batch"]
    assert rows[1].error_bits == pytest.approx(0.298, abs=0.001)
    assert all(row.is_published and row.seconds is None for row in rows)


def test_a_key_changes_with_what_the_row_depends_on_and_with_nothing_else() -> None:
    problem = gates(64)[0]

    def key(problem: Problem, options: AuditOptions | None = None) -> str:
        return problem_tasks(problem, [SOLVER], options)[0].key

    assert key(problem) == key(gates(64)[0])
    others = {
        key(problem, AuditOptions(seed=1)),
        key(problem, AuditOptions(tolerance_bits=1e-4)),
        key(problem, AuditOptions(policies=("couple",))),
        key(gates(128)[0]),
        key(gates(64)[1]),
        problem_tasks(problem, ["ipfp"])[0].key,
    }
    assert len(others) == 6
    assert key(problem) not in others


def test_channels_that_differ_in_one_number_have_another_digest() -> None:
    one = gates(64)[0].make()
    features = one.features_1
    assert features is not None
    other = Channels(
        full=one.full,
        only_1=one.only_1,
        only_2=one.only_2,
        features_1=features + 1e-12,
        features_2=one.features_2,
    )
    assert digest(one) != digest(other)


def test_an_unknown_estimator_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'certified'"):
        side_by_side(get("gate/xor"), ["certifid"])


def test_what_stands_in_the_way_of_an_estimator_is_said() -> None:
    assert why_not("certified", has_features=False) is None
    assert why_not("ipfp", has_features=True) is None
    for name in ("ipfp", "batch"):
        assert "embeddings" in (why_not(name, has_features=False) or "")


def test_a_row_becomes_json_with_its_trace() -> None:
    row = one_row(family(n=256))
    assert row.trace
    loaded = json.loads(json.dumps(row.to_dict()))
    assert loaded["trace"][0]["step"] == 1
    assert held_to(row, None) == row


def test_a_row_of_a_run_is_what_estimate_finds(cache: Path) -> None:
    run = chosen(cache)
    options = EstimateOptions(split="all", by="none", subset="left")
    (record,) = estimate_run(cache, run, options)
    (task,) = run_tasks(cache, run, [options])
    row = task.work()
    assert row.atoms == pytest.approx({name: getattr(record, name) for name in ATOMS}, abs=1e-9)
    assert row.samples == record.n


def test_a_setting_is_varied_over_its_values(cache: Path) -> None:
    values: dict[Over, list[str]] = {
        "tau": ["0.2", "0.3", "0.4"],
        "samples": ["32", "64"],
        "draws": ["1", "2"],
        "marginals": ["calibrate", "couple", "reference"],
        "clusters": ["16", "64", "256"],
    }
    for over, settings in values.items():
        plan = plan_sensitivity(cache, chosen(cache), over=over, options=ALL)
        name = "ipfp" if over == "clusters" else "certified"
        assert [task.label for task in plan.tasks] == [f"{name}, {value}" for value in settings]
        assert len({task.key for task in plan.tasks}) == len(settings)


@pytest.mark.parametrize("over", ["samples", "clusters"])
def test_what_moved_is_said_in_a_sentence(cache: Path, over: Over) -> None:
    told: list[tuple[int, int]] = []
    found = sensitivity(
        cache,
        chosen(cache),
        "left",
        over=over,
        options=ALL,
        progress=lambda done, total: told.append((done, total)),
    )
    assert all(row.atoms is not None for row in found.rows)
    assert told[-1] == (len(found.rows), len(found.rows))
    assert found.meaning == MEANINGS[over]
    assert found.rows[0].estimator == ("ipfp" if over == "clusters" else SOLVER)


def test_pooling_cannot_move_the_solver_and_moves_what_reads_embeddings(cache: Path) -> None:
    run = chosen(cache)
    found = sensitivity(cache, run, "left", over="pooling", options=ALL)
    solved = [row.atoms for row in found.rows if row.estimator == SOLVER]
    assert len(solved) == len(FEATURES)
    assert solved[0] == solved[1] == solved[2]
    assert f"{SOLVER}: nothing moves at all." in found.verdict
    clustered = [row.atoms for row in found.rows if row.estimator == "ipfp"]
    assert clustered[0] != clustered[2]


def test_another_mask_scope_is_taken_from_the_cache_or_its_command_is_named(
    cache: Path, tmp_path: Path
) -> None:
    plan = plan_sensitivity(cache, chosen(cache), over="mask_scope", options=ALL)
    assert len(plan.tasks) == 1
    assert plan.missing == "The cache has only runs whose text mask is: all."
    assert plan.remedy == "profile --model demo/soft --benchmark small --mask-scope question"
    for scope, draws in (("question", 1), ("all", 2)):
        profile(tmp_path, small_benchmark(32), draws=draws, model=MODEL, mask_scope=scope)
    ingest(tmp_path)
    run = next(one for one in queries.runs(tmp_path) if one.config["mask_scope"] == "question")
    found = sensitivity(tmp_path, run, over="mask_scope", options=ALL)
    assert [row.setting for row in found.rows] == ["question", "all"]
    assert found.rows[0].atoms != found.rows[1].atoms
    assert found.missing is None


def test_a_run_of_other_answers_is_no_other_mask_scope(tmp_path: Path) -> None:
    for scope, answers in (("all", "letters"), ("question", "options")):
        profile(tmp_path, small_benchmark(32), model=MODEL, mask_scope=scope, candidates=answers)
    ingest(tmp_path)
    run = next(one for one in queries.runs(tmp_path) if one.config["mask_scope"] == "question")
    plan = plan_sensitivity(tmp_path, run, over="mask_scope", options=ALL)
    assert len(plan.tasks) == 1
    assert plan.remedy == (
        "profile --model demo/soft --benchmark small --mask-scope all --answers options"
    )


@pytest.mark.slow
def test_an_estimator_that_trains_is_run_on_a_cached_run(cache: Path) -> None:
    options = dataclasses.replace(ALL, by="none", subset="left", estimator="batch")
    (task,) = run_tasks(cache, chosen(cache), [options])
    row = task.work()
    assert row.refusal is None
    assert row.gap_bits is not None
    (same,) = run_tasks(cache, chosen(cache), [options], features="every other dimension")
    assert same.key != task.key


def test_nothing_else_can_be_varied(cache: Path) -> None:
    run = chosen(cache)
    with pytest.raises(BadOption, match="did you mean 'tau'"):
        plan_sensitivity(cache, run, over="tua")


def test_the_gates_are_a_table_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "gates", "--estimators", "certified"]) == 0
    told = capsys.readouterr()
    header, *lines = told.out.splitlines()
    assert header.split() == [
        *("problem", "estimator", "R", "U1", "U2", "S", "error", "gap", "seconds")
    ]
    assert [line.split()[0] for line in lines] == [gate.name for gate in gates()]
    assert lines[0].split()[2:6] == ["0.0000", "0.0000", "0.0000", "1.0000"]
    assert "row" in told.err


def test_the_priors_are_reproduced_on_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lab", "priors", "--estimators", "certified", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    found = {(row["problem"], row["label"]): row["atoms"] for row in rows}
    assert found["prior/text-always-a", "certified, calibrate"]["redundancy"] == pytest.approx(0)
    wrong = found["prior/text-always-a", "certified, reference"]
    published = found["prior/text-always-a", "batch_reference, published"]
    assert wrong["redundancy"] == pytest.approx(published["redundancy"], abs=0.02)


def test_a_setting_of_a_run_is_varied_on_the_command_line(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--model", MODEL, "--benchmark", "small", "--cache", str(cache)]
    assert main(["lab", "run", *where, "--subset", "left", "--over", "clusters"]) == 0
    told = capsys.readouterr()
    assert [line.split()[1:3] for line in told.out.splitlines() if "ipfp" in line] == [
        ["ipfp,", "16"],
        ["ipfp,", "64"],
        ["ipfp,", "256"],
    ]
    assert MEANINGS["clusters"] in told.err
    assert main(["lab", "run", *where, "--estimators", "certified", "--subset", "left"]) == 0
    assert "small/left" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "needs --model"),
        (["gates", "--estimators", "certifid"], "did you mean 'certified'"),
        (["gates", "--marginals", "calibrat"], "did you mean 'calibrate'"),
    ],
)
def test_what_the_lab_cannot_do_is_one_sentence(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", *arguments, "--cache", str(tmp_path / "none")]) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]
