"""A plan is the product of what its file lists; what it cannot mean is one sentence."""

from pathlib import Path

import pytest

from model_runners.errors import BadOption
from model_runners.plans.plan_file import plan_of, read_plan
from model_runners.plans.requests import check_names, options_of, request_of, title_of

PLAN = """
models: [demo/oracle, {model: demo/fusion-small, draws: 2}]
benchmarks:
  - digits_vqa
  - {benchmark: digits_vqa, subset: synergy}
settings:
  - {limit: 8, draws: 1}
  - {limit: 8, layers: true}
devices: [0, 1]
retries: 3
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_plan_is_the_product_of_its_lists(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, PLAN))
    assert len(plan.cells) == 2 * 2 * 2
    assert plan.devices == ("0", "1")
    assert plan.retries == 3
    assert [cell.draws for cell in plan.cells[:4]] == [1, 4, 2, 2]  # the model's own go before
    assert {cell.subset for cell in plan.cells} == {None, "synergy"}
    assert title_of(plan) == "plan: 2 models on digits_vqa, 8 cells"
    check_names(plan)


def test_equal_cells_are_one() -> None:
    plan = plan_of({"models": ["demo/oracle"], "benchmarks": ["digits_vqa", "digits_vqa"]})
    assert len(plan.cells) == 1


def test_a_plan_survives_its_request() -> None:
    plan = plan_of({"models": ["demo/oracle"], "benchmarks": ["digits_vqa"], "devices": "cpu,cpu"})
    again = options_of(request_of(plan))
    assert request_of(again) == request_of(plan)
    assert again.devices == ("cpu", "cpu")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("models: [a", "is no YAML"),
        ("- a", "must be a mapping"),
        ("models: [demo/oracle]", "has no benchmarks"),
        ("models: demo/oracle\nbenchmarks: [digits_vqa]", "has no models"),
        ("models: [demo/oracle]\nbenchmarks: [digits_vqa]\nretrys: 1", "'retrys' is no part"),
        ("models: [demo/oracle]\nbenchmarks: [{name: pope}]", "under benchmarks is none"),
        (
            "models: [demo/oracle]\nbenchmarks: [digits_vqa]\nsettings: [{draw: 1}]",
            "'draw' is no setting of a run; .*draws",
        ),
        ("models: [demo/oracle]\nbenchmarks: [digits_vqa]\nsettings: [{draws: 0}]", "1 or more"),
        ("models: [demo/oracle]\nbenchmarks: [digits_vqa]\ndevices: [gpu0]", "not 'gpu0'"),
        ("models: [demo/oracle]\nbenchmarks: [digits_vqa]\nretries: often", "a whole number"),
    ],
)
def test_what_no_plan_can_say_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadOption, match=sentence):
        read_plan(written(tmp_path, text))


def test_all_cells_that_cannot_be_found_are_named_before_anything_starts() -> None:
    plan = plan_of({"models": ["nobody", "demo/oracle"], "benchmarks": ["digits_vqa", "nothing"]})
    with pytest.raises(BadOption, match=r"cannot be carried out: .*nobody.*; .*nothing"):
        check_names(plan)
