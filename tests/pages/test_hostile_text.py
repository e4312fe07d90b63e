"""Texts of benchmarks, models and jobs are shown as they are, on every page and in every chart."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from data_cache import adapters, jobs
from data_cache.adapters import SampleWeight
from data_cache.estimates import SpectrumRecord
from data_cache.samples import Benchmark
from pages.widgets import state
from pages.widgets.lab_choices import RUN
from tests.data_cache.answers import estimated, right, wrong
from tests.data_cache.spools import small_benchmark
from tests.pages.adapters import write_adapter
from tests.pages.markup import HOSTILE, markup, mentions
from tests.pages.test_spectra import APP, ROOT

MODELS = (f"{HOSTILE}/a", f"{HOSTILE}/b")
COUNT = 12
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def hostile() -> Benchmark:
    """Every text that a dataset gives, in two subsets."""
    samples = tuple(
        dataclasses.replace(
            one,
            id=f"{HOSTILE} {one.id}",
            group_id=f"{HOSTILE} {one.group_id}",
            question=f"# {HOSTILE}\n- {HOSTILE}",
            options=(f"1. {HOSTILE}", HOSTILE),
            answer=0,
            subset=f"{HOSTILE} {one.subset}",
            split="test",
            system=HOSTILE,
            meta={HOSTILE: HOSTILE},
        )
        for one in small_benchmark(COUNT).samples
    )
    return Benchmark(name=HOSTILE, samples=samples)


@pytest.fixture(scope="module")
def benchmark_of_it() -> Benchmark:
    return hostile()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, benchmark_of_it: Benchmark) -> Iterator[Path]:
    """Two models with estimates of two subsets and all, with layers; an adapter; jobs."""
    folder = tmp_path_factory.mktemp("hostile") / "cache"
    runs: dict[str, str] = {}
    for model, given in zip(MODELS, (right, wrong), strict=True):
        for subset in (*benchmark_of_it.subsets, "all"):
            ids = [one.id for one in benchmark_of_it.samples if subset in ("all", one.subset)]
            for layer in (-1, 0):
                made: SpectrumRecord = estimated(
                    folder,
                    benchmark_of_it,
                    model=model,
                    answers=given,
                    ids=ids,
                    subset=subset,
                    layer=layer,
                    warnings=(f"of {HOSTILE}",),
                )
                runs[model] = made.run_key
    adapter = write_adapter(
        folder,
        base=MODELS[0],
        name=MODELS[1],
        benchmark=HOSTILE,
        base_run_key=runs[MODELS[0]],
        run_key=runs[MODELS[1]],
    )
    weights = [
        SampleWeight(
            sample_id=one.id, subset=one.subset, role="gap", weight=3.0,
            gap_score=1.0, shortcut=1.0, fusion_potential=1.0, synergy_ratio=1.0,
        )
        for one in benchmark_of_it.samples[:3]
    ]  # fmt: skip
    adapters.write_sample_weights(folder, adapter.key, weights)
    request = {"model": MODELS[0], "benchmark": HOSTILE, "subset": HOSTILE}
    waiting = jobs.open_or_create(folder, "profile", request, f"waiting {HOSTILE}")
    failed = jobs.open_or_create(folder, "profile", request | {"seed": 1}, f"failed {HOSTILE}")
    assert waiting.job_key != failed.job_key
    yield folder
    st.cache_data.clear()


@pytest.fixture(scope="module")
def opened(cache: Path) -> Iterator[AppTest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIDSCOPE_CACHE", str(cache))
        app = AppTest.from_file(APP, default_timeout=120).run()
        assert not app.exception, app.exception
        yield app


def shown(app: AppTest, page: str, **query: str) -> AppTest:
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("page", PAGES)
def test_no_page_takes_a_text_for_markup(opened: AppTest, page: str) -> None:
    app = shown(opened, page)
    assert mentions(app), "the page shows nothing of it"
    assert markup(app) == []


def test_neither_does_a_sample_nor_a_table_of_them(
    opened: AppTest, benchmark_of_it: Benchmark
) -> None:
    assert markup(shown(opened, "samples", view="table")) == []
    app = shown(opened, "samples", sample=benchmark_of_it.samples[0].id)
    assert any(text.value == benchmark_of_it.samples[0].question for text in app.text)
    assert markup(app) == []


def test_nor_does_a_sample_across_models(opened: AppTest, benchmark_of_it: Benchmark) -> None:
    app = shown(opened, "compare", sample=benchmark_of_it.samples[0].id)
    assert any(text.value == benchmark_of_it.samples[0].question for text in app.text)
    assert markup(app) == []


def test_nor_does_the_export(opened: AppTest) -> None:
    for page in ("spectra", "samples"):
        opened.session_state[state.EXPORT] = True
        app = shown(opened, page)
        assert "Reproduce" in [heading.value for heading in app.subheader]
        assert any(code.value.startswith("python -m pages.report") for code in app.code)
        assert markup(app) == []
    app.session_state[state.EXPORT] = False


def test_nor_do_the_lab_on_a_cached_run_and_the_list_of_jobs(opened: AppTest) -> None:
    app = shown(opened, "lab")
    app.selectbox(key="lab").set_value(RUN).run()
    assert "A cached run" in [heading.value for heading in app.subheader]
    assert markup(app) == []
    app = shown(opened, "run")
    assert any(text.value == f"failed {HOSTILE}" for text in app.text)


def test_an_address_is_no_markup_either(opened: AppTest) -> None:
    app = shown(opened, "samples", subset=HOSTILE, sample=HOSTILE, sort=HOSTILE)
    assert markup(app) == []


def test_the_check_finds_what_it_looks_for() -> None:
    def script(text: str) -> None:
        import plotly.graph_objects as go
        import streamlit as st

        st.text(text)
        st.caption(text)
        st.badge(text)
        st.button(text, help=text)
        st.segmented_control("Label", [text])
        st.metric(text, "1")
        with st.expander(text):
            st.selectbox("Label", [text])
        st.dataframe({"a": [text]}, column_config={"a": st.column_config.Column(help=text)})
        st.plotly_chart(go.Figure(go.Bar(x=[text], y=[1], name=text, customdata=[text])))

    app = AppTest.from_function(script, kwargs={"text": HOSTILE}).run()
    kinds = {one.split(":")[0] for one in markup(app)}
    assert kinds == {
        "caption", "markdown", "button", "button_group", "metric", "expander", "dataframe", "chart",
    }  # fmt: skip
