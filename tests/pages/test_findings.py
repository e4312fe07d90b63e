"""The Findings page on real caches: verdicts, the statistics of one finding, steps in size."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.location import derived_directory
from model_runners.deriving import derive
from model_runners.findings import FINDINGS
from tests.pages.caches import build_cache
from tests.pages.many_models import models
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, charts, words


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_findings(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/findings.py").run()
    assert not app.exception, app.exception
    return app


def verdicts(app: AppTest) -> dict[str, str]:
    frame = app.dataframe[0].value
    return dict(zip(frame["Id"], frame["Verdict"], strict=True))


def test_every_finding_has_a_row_and_one_has_its_statistics(cache: Path) -> None:
    build_cache(cache, models(6, benchmark="mmbench"))
    app = open_findings(finding="xiu26-2a", tasks="benchmarks")
    found = verdicts(app)
    assert list(found) == [one.id for one in FINDINGS]
    assert found["xiu26-1"] == "supported"
    assert found["mi26-gating"] == "not enough data"
    frame = app.dataframe[0].value
    rests = dict(zip(frame["Id"], frame["Rests on"], strict=True))
    assert rests["mi26-vision"] == "needs omni runs (video, audio and text)"
    statistics = app.dataframe[1].value
    assert statistics["Of"].tolist() == ["mmbench"]
    assert "Xiu26, Table 2" in statistics["Published"][0]
    names = {trace.get("name") for trace in charts(app)[0]["data"]}
    assert "published: Xiu26" in names
    assert "This takes two sizes of a series" in words(app)
    app.selectbox(key="finding").set_value("xiu26-1").run()
    assert not app.exception
    assert app.dataframe[1].value["Claim"].tolist() == ["above 0.0 points"]


def test_sizes_are_steps_with_what_was_printed_of_them(cache: Path) -> None:
    sizes = {"qwen2.5-vl-3b": 3_750_000_000, "qwen2.5-vl-7b": 8_290_000_000}
    rows = [
        record(
            "all", benchmark="mmbench", model=model, family="Qwen2.5-VL", atoms=(0.1, 0.1, 0.3, s)
        )
        for model, s in zip(sizes, (0.5, 1.0), strict=True)
    ]
    build_cache(cache, rows, parameters=sizes)
    app = open_findings(tasks="benchmarks", finding="<b>", correction="x")
    assert "finding “<b>”" in words(app)
    frame = app.dataframe[-1].value
    assert frame["Changes"].tolist() == [
        "Accuracy",
        "Share of synergy",
        "Share of unique language",
    ]
    assert frame["Here (points)"].tolist() == pytest.approx(
        [0.0, 100 / 1.5 - 50, 20 - 30], abs=1e-9
    )
    assert frame["Published (points)"].tolist() == [1.3, -6.3, 1.0]


def test_what_a_job_computed_is_what_the_page_shows(cache: Path) -> None:
    rows = [
        *models(6, benchmark="mmbench"),
        *models(6, benchmark="mmbench", subset="logic", seed=1),
    ]
    build_cache(cache, rows)
    assert derive(cache) == 1
    (path,) = derived_directory(cache).glob("findings/*.json")
    written = path.stat().st_mtime_ns
    found = verdicts(open_findings())
    assert len(found) == len(FINDINGS)
    # Nothing was computed again: the page asked the question that the job had answered.
    assert [path] == list(derived_directory(cache).glob("*/*.json"))
    assert path.stat().st_mtime_ns == written
