"""Printed numbers: their places, which benchmarks and models they are about, and their units."""

import json

import pytest

from data_cache.benchmarks import BENCHMARKS
from data_cache.published import (
    FILE,
    find_value,
    published_benchmark,
    published_bounds,
    published_correlations,
    published_regimes,
    published_shifts,
    published_steps,
    published_tunings,
    published_values,
    same_model,
    settings_of,
)

CONTENT = json.loads(FILE.read_text(encoding="utf-8"))


def test_every_number_names_its_study_its_place_and_a_known_benchmark() -> None:
    for kind in ("correlations", "regimes", "values", "scaling", "tunings", "bounds", "shifts"):
        for row in CONTENT[kind]:
            assert row["study"] in CONTENT["studies"], row
            assert row["at"], row
            assert row.get("benchmark", "mmbench") in CONTENT["benchmarks"], row
    assert all(-1 <= row["rho"] <= 1 for row in CONTENT["correlations"])


def test_the_paper_of_26_models_printed_four_correlations_on_four_benchmarks() -> None:
    for name in ("mmbench", "pope", "reefknot", "pmc_vqa"):
        assert name in BENCHMARKS
        rows = [one for one in published_correlations(name) if one.study.key == "xiu26"]
        assert [one.quantity for one in rows if one.outcome == "accuracy"] == [
            "synergy",
            "unique_2",
            "total",
            "coinformation",
        ]
        assert [one.quantity for one in rows if one.outcome == "d_vision"] == ["synergy"]
        assert {one.n for one in rows} == {26}


def test_rho_of_synergy_and_coinformation_have_opposite_signs() -> None:
    """R - S falls as S grows: a slip of the pen in the file would show here."""
    for name in ("mmbench", "pope", "reefknot", "pmc_vqa"):
        found = {
            one.quantity: one.rho
            for one in published_correlations(name)
            if one.outcome != "d_vision"
        }
        assert found["synergy"] > 0 > found["coinformation"]
        assert abs(found["synergy"] + found["coinformation"]) < 0.2


def test_what_was_read_in_a_summary_says_so() -> None:
    found = [one for one in published_correlations("mmstar") if one.study.key == "mi26"]
    assert [(one.quantity, one.rho) for one in found] == [("synergy", 0.862), ("unique_2", -0.548)]
    assert {one.study.seen for one in found} == {"summary"}
    assert "order" in found[1].note
    assert all("summary" in one.at for one in found)


def test_other_variants_are_other_benchmarks() -> None:
    assert published_correlations("pope:popular") == []
    assert published_correlations("digits_vqa") == []
    assert published_benchmark("PMC-VQA") == "pmc_vqa"
    assert settings_of("digits_vqa", "xiu26") == ""


def test_papers_agree_on_the_regimes_of_what_both_measured() -> None:
    for name in CONTENT["benchmarks"]:
        assert len({one.regime for one in published_regimes(name)}) == 1


def test_a_hub_id_finds_the_short_name_of_the_paper() -> None:
    values = published_values("mmbench")
    found = find_value(values, model="Qwen/Qwen2.5-VL-72B-Instruct", quantity="synergy")
    assert found is not None
    assert (found.bits, found.at) == (1.088, "Table 4")
    assert find_value(values, model="Qwen/Qwen2.5-VL-72B-Instruct", quantity="unique_2") is None


@pytest.mark.parametrize(
    "ours", ["Qwen/Qwen2-VL-7B-Instruct", "Qwen/Qwen2.5-VL-7B-Instruct+pid-0123ab", "my-7B"]
)
def test_other_models_are_not_mistaken_for_it(ours: str) -> None:
    assert not same_model(ours, "Qwen2.5-VL-7B")


def test_the_table_of_sizes_has_five_families_of_two_steps() -> None:
    steps = published_steps()
    assert [one.family for one in steps[::2]] == [one.family for one in steps[1::2]]
    assert len(steps) == 10
    assert all(one.larger == two.smaller for one, two in zip(steps[::2], steps[1::2], strict=True))
    found = next(one for one in steps if one.models == ("InternVL2.5-2B", "InternVL2.5-8B"))
    assert (found.accuracy, found.synergy_share, found.unique_2_share) == (7.3, 36.8, -55.6)
    assert same_model("OpenGVLab/InternVL2_5-8B", found.models[1])


def test_what_fine_tuning_gained_is_printed_for_three_benchmarks() -> None:
    gains = [
        round(one.pid - one.uniform, 1)
        for name in ("mmstar", "mmbench", "pope")
        for one in published_tunings(name)
    ]
    assert gains == [2.3, 1.1, 1.3]
    assert published_tunings("mmmu") == []
    assert [one.at_most for one in published_bounds(outcome="d_vision", quantity="total")] == [
        0.118
    ]
    assert [(one.before, one.after) for one in published_shifts("synergy_share")] == [(67.5, 73.9)]
