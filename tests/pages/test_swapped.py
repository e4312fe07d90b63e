"""Swapped pairs on Spectra: beside the noise, of the same model and question, and nowhere else."""

import dataclasses
import json
from pathlib import Path

import pytest

from data_cache.estimates import INTERVENTIONAL, SpectrumRecord, estimate_key, save_all
from data_cache.records import POINTWISE_SCHEMA
from data_cache.runs import run_key, write_sidecar
from pages.figures import pairing_dots, partner_lines
from tests.pages.caches import build_cache
from tests.pages.spectra import record
from tests.pages.test_spectra import open_page, words

ATOMS = (0.0, 0.1, 0.2, 1.5)


def swapped_record(subset: str = "x", **changes: object) -> SpectrumRecord:
    step = {"redundancy": 0.4, "unique_1": 0.1, "unique_2": 0.1, "synergy": 1.0}
    diagnostics = {
        "correlation_part": 0.25,
        "observed_total": 2.05,
        "convergence": [
            {"rounds": rounds, "plug_in": step, "corrected": {**step, "synergy": 1.5}}
            for rounds in (2, 4, 8)
        ],
    }
    given: dict[str, object] = {
        "atoms": ATOMS,
        "estimator": INTERVENTIONAL,
        "n": 64,
        "d_vision": None,
        "settings": {"draws": 8, "probe": "swap", "tau": 0.3},
        "diagnostics": diagnostics,
        "interval": {"synergy": (1.4, 1.7), "correlation_part": (0.1, 0.4)},
        "accuracy_by_condition": {"full": 0.99},
        "fallback_rate": {"full": 0.0, "swap": 0.0},
        "noise_floor_bits": None,
    }
    return record(subset, **given | changes)  # pyright: ignore[reportArgumentType]


def store(cache: Path, found: SpectrumRecord, **config: object) -> None:
    """Write a spectrum of swapped pairs with its run, whose chunks are elsewhere."""
    about = {
        "model": found.model,
        "family": "llava",
        "benchmark": found.benchmark,
        "benchmark_key": "0" * 16,
        "probe": "swap",
        "partners_within": "subset",
        "seed": 3,
        **config,
    }
    key = run_key(about)
    write_sidecar(cache, key, about, environment={"slice": {"limit": 64}})
    name = estimate_key(
        run_key=key, subset=found.subset, split=found.split, layer=-1, estimator=found.estimator,
        settings=found.settings,
    )  # fmt: skip
    one = dataclasses.replace(found, run_key=key, estimate_key=name)
    save_all(cache, [(one, POINTWISE_SCHEMA.empty_table())])


def test_swapped_pairs_stand_beside_the_noise_of_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "cache"))
    first = [record(subset, atoms=(0.9, 0.3, 0.3, 0.5)) for subset in ("x", "y")]
    cache = build_cache(tmp_path / "cache", first)
    store(cache, swapped_record("x"))
    store(cache, swapped_record("y"), weights="others")
    plain = open_page()
    assert list(plain.dataframe[0].value["Subset"]) == ["x", "y"]
    assert INTERVENTIONAL in plain.selectbox(key="beside").options
    app = open_page(beside=INTERVENTIONAL, settings_open="true")
    said = words(app)
    assert "No swapped pairs: demo/oracle, y." in said
    (found,) = [
        one.value for one in app.dataframe if "Dataset's pairing (bits)" in one.value.columns
    ]
    assert list(found["Row"]) == ["demo/oracle, x"]
    assert found["Synergy, swapped (bits)"][0] == pytest.approx(1.5)
    assert found["Synergy, noise (bits)"][0] == pytest.approx(0.5)
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert any(
        trace.get("name") == "the dataset's pairing" for one in charts for trace in one["data"]
    )


def test_the_pairing_is_drawn_with_its_interval() -> None:
    hostile = swapped_record("x", model="<b>m")
    unknown = swapped_record("y", diagnostics={}, estimate_key="other")
    (trace,) = pairing_dots.pairing_dots([hostile, unknown]).data
    assert list(trace.x) == [0.25]
    assert trace.error_x.array[0] == pytest.approx(0.15)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.15)
    assert "&lt;b&gt;m" in trace.hovertext[0]
    assert pairing_dots.describe([hostile, unknown]).count("bits") == 1


def test_each_atom_settles_over_partners_corrected_and_as_counted() -> None:
    figure = partner_lines.partner_lines(swapped_record())
    synergy = [one for one in figure.data if one.name == "Synergy"]
    assert [list(one.y) for one in synergy] == [[1.5] * 3, [1.0] * 3]
    assert list(synergy[0].x) == [2, 4, 8]
    assert list(synergy[0].error_y.array) == pytest.approx([0, 0, 0.2])
    assert "8 partners: " in partner_lines.describe(swapped_record())
    empty = swapped_record(diagnostics={})
    assert partner_lines.describe(empty) == "No course over partners is stored."
    partner_lines.partner_lines(empty)
