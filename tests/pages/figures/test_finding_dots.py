"""Figures of findings and of steps in size: places, intervals, published marks, hostile names."""

from pathlib import Path
from typing import Any

import pytest

from data_cache.published import published_steps
from model_runners.findings import find, material_of
from model_runners.findings.report import Found
from model_runners.scaling import Sized, Step, StepChanges
from pages.figures import finding_dots, step_dots
from pid_core.scaling import mean_change
from tests.pages.many_models import models


def found(name: str, *, benchmark: str = "mmbench", lead: str = "synergy") -> Found:
    held = material_of(
        Path("nowhere"),
        [],
        models(12, benchmark=benchmark, lead=lead),
        split="test",
        estimator="certified",
    )
    return find(held, only=[name])[0]


def test_a_statistic_stands_with_its_interval_and_the_published_mark() -> None:
    one = found("xiu26-2a")
    figure = drawn(finding_dots.finding_dots(one))
    ours, printed = figure.data
    evidence = one.parts[0].part.evidence
    assert (ours.name, ours.x[0]) == ("supported", pytest.approx(evidence.value))
    assert ours.x[0] + ours.error_x.array[0] == pytest.approx(evidence.interval[1])
    assert (printed.x[0], printed.y[0]) == (0.75, ours.y[0])
    assert "Spearman's rho of synergy" in figure.layout.xaxis.title.text.replace("<br>", " ")
    assert "Supported. mmbench: +" in finding_dots.describe(one)


def test_verdicts_differ_in_colour_and_symbol() -> None:
    against = drawn(finding_dots.finding_dots(found("xiu26-1", lead="unique_2"))).data[0]
    assert (against.name, against.marker.symbol) == ("contradicted", "x")
    looks = finding_dots.LOOKS.values()
    assert len({colour for colour, _ in looks}) == len({symbol for _, symbol in looks}) == 3


def test_names_of_others_are_text() -> None:
    one = found("xiu26-2a", benchmark="<b>x</b>")
    figure = drawn(finding_dots.finding_dots(one))
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;x&lt;/b&gt;",)
    assert "<b>&lt;b&gt;x" in figure.data[0].hovertext[0]


def drawn(figure) -> Any:
    """The figure, whose traces have no types."""
    return figure


def step(smaller: str = "InternVL3-2B", larger: str = "InternVL3-8B") -> StepChanges:
    sized = [
        Sized(model=name, family="F", parameters=size)
        for name, size in ((smaller, 2.0), (larger, 8.0))
    ]
    changes = {
        name: mean_change([value, value + 2.0], [1.0, 1.0])
        for name, value in (("accuracy", 3.0), ("synergy_share", -4.0), ("unique_2_share", 1.0))
    }
    return StepChanges(
        step=Step(series="F: m", family="F", smaller=sized[0], larger=sized[1]),
        tasks=("one", "two"),
        by_task={},
        mean=changes,
    )


def test_a_step_has_three_dots_and_what_was_printed_beside_them() -> None:
    figure = drawn(step_dots.step_dots([step(), step("<i>a-2b", "<i>a-8b")]))
    ours, printed = figure.data[:3], figure.data[3:]
    assert [trace.x[0] for trace in ours] == [4.0, -3.0, 2.0]
    assert ours[0].error_x.array[0] == pytest.approx(1.96 * 2**0.5 / 2, abs=1e-3)
    theirs = next(one for one in published_steps() if one.models[0] == "InternVL3-2B")
    assert [trace.x for trace in printed] == [
        (theirs.accuracy,),
        (theirs.synergy_share,),
        (theirs.unique_2_share,),
    ]
    assert [trace.y[0] for trace in printed] == [trace.y[0] for trace in ours]
    assert "&lt;i&gt;" in figure.layout.yaxis.ticktext[1]
    assert "<i>" not in "".join(figure.layout.yaxis.ticktext)
    assert "InternVL3-2B to InternVL3-8B: accuracy +4.0 points" in step_dots.describe([step()])
