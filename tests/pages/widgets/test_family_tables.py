"""The tables of the Families page: numbers with their intervals, and published ones beside them."""

import math

from data_cache.published import published_correlations, published_values
from model_runners.family_statistics import correlations, task_shares
from pages.widgets import family_correlations, family_plane, family_tasks
from pid_core.association import spearman
from tests.pages.many_models import models
from tests.pages.spectra import record


def test_a_correlation_is_a_row_with_what_papers_printed_beside_it() -> None:
    cells, printed = correlations(models()), published_correlations("mmbench")
    frame = family_correlations.table(cells, printed)
    row = frame[(frame["Outcome"] == "Accuracy") & (frame["Information"] == "Synergy")].iloc[0]
    assert row["Published rho"] == "0.750 (p < 0.001, 26 models; Xiu26, Table 2)"
    assert row["rho"] == cells[3].found.rho
    both = frame[(frame["Outcome"] == "D_vision") & (frame["Information"] == "Synergy")].iloc[0]
    assert "Xiu26" in both["Published rho"]
    assert "MI26" in both["Published rho"]
    assert "Published rho" not in family_correlations.table(cells)


def test_what_is_left_out_of_correlations_is_said() -> None:
    adapted = record("all", model="org/model-0+pid-0123ab")
    records = [*models(d_vision=None), adapted]
    cells = correlations(records)
    said = " ".join(
        family_correlations.notes(records, cells, published_correlations("pope"), "pope")
    )
    assert "1 adapted model is left out" in said
    assert "0 models have both numbers" in said
    assert "by the t distribution" in said
    assert "COCO 2014, adversarial, 3,000 questions" in said
    assert "a third party's summary" in said


def test_few_models_are_permuted_and_the_note_says_so() -> None:
    few = models(6)
    assert "from all orders" in family_correlations.notes(few, correlations(few), [], "x")[0]


def test_a_printed_value_has_ours_beside_it_where_the_model_was_measured() -> None:
    ours = record("all", model="google/gemma-3-4b-it", atoms=(0.1, 0.1, 0.5, 0.2))
    frame = family_plane.published_table(published_values("mmbench"), [ours])
    found = dict(zip(frame["Published model"], frame["Measured here (bits)"], strict=True))
    assert found["Gemma3-4B"] == 0.2
    assert math.isnan(found["Qwen2.5-VL-7B"])
    assert set(frame["Part"]) == {"Synergy"}


def test_a_task_is_a_row_with_what_papers_call_it() -> None:
    tasks = task_shares({"mmbench": models(), "own": models(3)})
    labels = {"mmbench": "mmbench", "own": "own"}
    frame = family_tasks.table(tasks, labels, with_published=True)
    assert frame["Regime"].tolist() == ["synergy-driven", "too few models"]
    assert frame["Published"].tolist() == ["synergy-driven (Xiu26), synergy-driven (MI26)", ""]
    assert frame["Synergy (%)"].tolist()[0] == 100 * tasks[0].found.synergy.mean
    assert math.isnan(frame["Synergy, low (%)"].tolist()[1])
    assert "Published" not in family_tasks.table(tasks[1:], labels, with_published=True)


def test_stability_is_told_with_its_interval_or_why_there_is_none() -> None:
    many = spearman(range(8), [1, 0, 2, 4, 3, 5, 7, 6])
    said = family_tasks.stability_words("median synergy", many)
    assert "rho between the regimes +0.93 (95 % interval" in said
    assert said.endswith("8 families.")
    same = family_tasks.stability_words("median synergy", spearman([1] * 5, range(5)))
    assert "no order" in same
