"""Steps in size: which models follow each other, and what a step changes."""

from datetime import datetime
from pathlib import Path

import pytest

from data_cache.queries import RunRow
from model_runners.scaling import Sized, parameters_of, published_step, scaling, series_of, steps_of
from tests.data_cache.answers import estimated, wrong
from tests.data_cache.spools import small_benchmark
from tests.pages.spectra import record


def sized(*models: tuple[str, float], family: str = "F") -> list[Sized]:
    return [Sized(model=name, family=family, parameters=size) for name, size in models]


def test_a_step_leads_to_the_next_larger_model_of_a_series() -> None:
    found = steps_of(
        sized(("demo/fusion-large", 9.0), ("demo/fusion-small", 3.0), ("demo/oracle", 4.0))
        + sized(("demo/language-small", 1.0), ("demo/language-large", 5.0))
    )
    assert [(one.smaller.model, one.larger.model) for one in found] == [
        ("demo/fusion-small", "demo/fusion-large"),
        ("demo/language-small", "demo/language-large"),
    ]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Qwen/Qwen2.5-VL-3B-Instruct", "qwen2.5-vl-72b"),
        ("llava-hf/llava-1.5-7b-hf", "llava-1.5-13b"),
        ("OpenGVLab/InternVL2_5-8B", "InternVL2_5-78B"),
        ("demo/language-llava-small", "demo/language-llava-large"),
    ],
)
def test_size_is_not_part_of_a_series(one: str, two: str) -> None:
    assert series_of(one) == series_of(two)


def test_versions_and_lines_are_series_of_their_own() -> None:
    names = ("qwen2-vl-7b", "qwen2.5-vl-7b", "demo/fusion-llava-small", "demo/fusion-qwen-small")
    assert len({series_of(name) for name in names}) == 4


def test_models_of_one_size_are_no_step_and_families_do_not_mix() -> None:
    assert steps_of(sized(("a-7b", 7.0), ("a-7b-chat", 7.0))) == []
    assert steps_of(sized(("a-7b", 7.0)) + sized(("a-13b", 13.0), family="G")) == []


def test_a_printed_step_stands_beside_the_sizes_between() -> None:
    found = steps_of(
        sized(("qwen2.5-vl-7b", 7.0), ("qwen2.5-vl-32b", 32.0), ("qwen2.5-vl-72b", 72))
    )
    assert [(one.smaller.parameters, one.larger.parameters, one.is_next) for one in found] == [
        (7.0, 32.0, True),
        (7.0, 72, False),
        (32.0, 72, True),
    ]
    assert [one.published is not None for one in found] == [False, True, False]
    printed = published_step("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5-vl-72b")
    assert printed is not None
    assert (printed.accuracy, printed.synergy_share) == (2.5, 5.5)


def test_changes_are_averaged_over_the_tasks_that_have_both_sizes(tmp_path: Path) -> None:
    one, two = small_benchmark(16, "one"), small_benchmark(16, "two")
    tasks = {
        benchmark.name: [
            estimated(
                tmp_path,
                benchmark,
                model=f"org/m-{size}b",
                family="F",
                answers=wrong,
                numbers={
                    "redundancy": [0.1] * 16,
                    "unique_1": [0.1] * 16,
                    "unique_2": [0.5 + i / 100 for i in range(16)],
                    "synergy": [0.5 * size + place + i / 100 for i in range(16)],
                },
                influences=True,
            )
            for size in sizes
        ]
        for place, (benchmark, sizes) in enumerate(((one, (1, 2)), (two, (1, 2))))
    }
    other = [record("all", model="org/m-4b", family="F")]
    known = {"org/m-1b": 1e9, "org/m-2b": 2e9, "org/m-4b": 4e9}
    found = scaling(tmp_path, tasks | {"three": other}, known)
    assert [(one.step.larger.model, one.tasks) for one in found] == [("org/m-2b", ("one", "two"))]
    change = found[0].mean["synergy_share"]
    shares = [[100 * record.synergy / record.total for record in rows] for rows in tasks.values()]
    by_hand = sum(row[1] - row[0] for row in shares) / 2
    assert change.value == pytest.approx(by_hand)
    assert change.over_samples[0] < by_hand < change.over_samples[1]
    width = change.over_samples[1] - change.over_samples[0]
    assert change.over_benchmarks[1] - change.over_benchmarks[0] > width
    assert scaling(tmp_path, tasks, {"org/m-1b": 1e9}) == []


def run(model: str, **environment: object) -> RunRow:
    return RunRow(
        run_key="0" * 16,
        model=model,
        family="F",
        benchmark="one",
        benchmark_key="0" * 16,
        n_samples=1,
        draws=1,
        layers=(-1,),
        config={},
        self_test={},
        environment=environment,
        ingested_at=datetime(2026, 11, 22),
    )


def test_a_size_is_what_was_counted_and_else_what_the_table_of_models_says() -> None:
    counted = run("qwen2.5-vl-7b", parameters=8_292_166_656)
    found = parameters_of([counted, run("qwen2.5-vl-72b"), run("org/unknown", parameters=True)])
    assert found == {"qwen2.5-vl-7b": 8_292_166_656, "qwen2.5-vl-72b": 72e9}
