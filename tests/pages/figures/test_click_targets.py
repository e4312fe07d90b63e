"""Where a set of samples stands behind a mark, the mark says which; where a family does, which."""

from collections.abc import Callable

import plotly.graph_objects as go
import pytest

from model_runners.audit import AuditRow
from model_runners.family_statistics import strategies, task_shares
from pages.figures.accuracy_dots import accuracy_dots
from pages.figures.before_after import Pair, accuracy_before_after, atoms_before_after
from pages.figures.estimator_bars import estimator_bars
from pages.figures.family_scatter import FAMILY
from pages.figures.family_styles import family_styles
from pages.figures.layer_trajectories import atom_trajectories, quality_trajectories
from pages.figures.model_styles import model_styles
from pages.figures.regime_pairs import regime_pairs
from pages.figures.sensory_plane import sensory_plane
from pages.figures.spectrum_bars import spectrum_bars
from pages.figures.training_curves import atoms_figure, training_figure
from pages.widgets.drill_down import estimate_of
from tests.pages.layers import trajectory
from tests.pages.many_models import models
from tests.pages.spectra import ATOMS, record
from tests.pages.trainings import curve

ONE = record("x", estimate_key="one")
TWO = record("x", estimate_key="two", model="demo/b")
LAYERS = trajectory("a")
STYLES = model_styles(["a"])
TRAINING = curve("a")
TRAINED = {record.estimate_key for record in TRAINING.records}
LAB = AuditRow(estimator="batch", label="batch", atoms=dict.fromkeys(ATOMS, 0.5))

FIGURES: dict[str, tuple[Callable[[], go.Figure], set[str]]] = {
    "bars": (lambda: spectrum_bars([ONE, TWO]), {"one", "two"}),
    "accuracies": (lambda: accuracy_dots([ONE, TWO]), {"one", "two"}),
    "layers": (lambda: atom_trajectories([LAYERS], STYLES), {LAYERS.output.estimate_key}),
    "quality": (lambda: quality_trajectories([LAYERS], STYLES), {LAYERS.output.estimate_key}),
    "training": (lambda: training_figure(TRAINING, span=[0, 1]), TRAINED),
    "trainings by atom": (lambda: atoms_figure([TRAINING], STYLES), TRAINED),
    "sensory plane": (
        lambda: sensory_plane([ONE, TWO], model_styles([ONE.model, TWO.model])),
        {"one", "two"},
    ),
    "before and after": (lambda: atoms_before_after([Pair(before=ONE, after=TWO)]), {"one", "two"}),
    "accuracies before and after": (
        lambda: accuracy_before_after([Pair(before=ONE, after=TWO)]),
        {"one", "two"},
    ),
    "lab": (lambda: estimator_bars([LAB], leads_to="one"), {"one"}),
}


def marks(figure: go.Figure) -> list[dict]:
    """Traces that answer the pointer and can be clicked: bars and markers with a text."""
    return [
        trace
        for trace in figure.to_dict()["data"]
        if trace.get("hovertext") is not None
        and (trace["type"] == "bar" or "markers" in trace.get("mode", ""))
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_every_mark_leads_to_the_samples_of_its_estimate(name: str) -> None:
    draw, keys = FIGURES[name]
    found = marks(draw())
    assert found
    led = {
        estimate_of({"selection": {"points": [{"customdata": data}]}})
        for trace in found
        for data in trace["customdata"]
    }
    assert led == keys
    assert all(len(trace["customdata"]) == len(trace["x"]) for trace in found)


def test_estimates_that_are_not_stored_lead_nowhere() -> None:
    assert all("customdata" not in trace for trace in marks(estimator_bars([LAB])))


def test_a_mark_of_a_family_under_a_regime_leads_to_the_family() -> None:
    records = [*models(8), *models(8, subset="left", lead="unique_2")]
    tasks = task_shares(
        {name: [one for one in records if one.subset == name] for name in ("all", "left")}
    )
    found = strategies(tasks)
    assert found is not None
    families = sorted({one.family for one in records})
    figure = regime_pairs(found, family_styles(families), unit="bits")
    led = {tuple(data) for trace in marks(figure) for data in trace["customdata"]}
    assert led == {(FAMILY, name) for name in families}
