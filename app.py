"""The dashboard: which pages there are, and what they are called."""

from pathlib import Path

import streamlit as st

from pages.widgets.first_address import open_overview
from pages.widgets.visitors import admit

ICON = Path(__file__).parent / ".streamlit" / "icon.png"

st.set_page_config(page_title="PIDscope", page_icon=str(ICON), layout="wide")

st.logo(str(ICON), size="large")
admit()
page = st.navigation(
    [
        st.Page(
            "pages/overview.py",
            title="Overview",
            icon=":material/grid_view:",
            url_path="home",
            default=True,
            help="What is measured, what is at work, and what can be done next.",
        ),
        st.Page(
            "pages/spectra.py",
            title="Spectra",
            icon=":material/stacked_bar_chart:",
            url_path="spectra",
            help="Redundancy, unique information and synergy of each model on each subset.",
        ),
        st.Page(
            "pages/samples.py",
            title="Samples",
            icon=":material/image_search:",
            url_path="samples",
            help="The questions behind a spectrum, and what carried each answer.",
        ),
        st.Page(
            "pages/layers.py",
            title="Layers",
            icon=":material/layers:",
            url_path="layers",
            help="In which layer of a model the information arises.",
        ),
        st.Page(
            "pages/training.py",
            title="Training",
            icon=":material/timeline:",
            url_path="training",
            help="When in the course of a training the information arises.",
        ),
        st.Page(
            "pages/families.py",
            title="Families",
            icon=":material/scatter_plot:",
            url_path="families",
            help="Where model families stand, and where they move as they grow.",
        ),
        st.Page(
            "pages/sensory.py",
            title="Sensory",
            icon=":material/movie:",
            url_path="sensory",
            help="What models that watch and listen owe to video, to audio, and to both.",
        ),
        st.Page(
            "pages/findings.py",
            title="Findings",
            icon=":material/fact_check:",
            url_path="findings",
            help="What the papers found, held to what is stored here, and what size changes.",
        ),
        st.Page(
            "pages/compare.py",
            title="Compare",
            icon=":material/compare_arrows:",
            url_path="compare",
            help="Two to four models side by side, and the samples that they see differently.",
        ),
        st.Page(
            "pages/lab.py",
            title="Estimator lab",
            icon=":material/science:",
            url_path="lab",
            help="Which estimator to trust: held to known atoms, and to other settings.",
        ),
        st.Page(
            "pages/lora.py",
            title="LoRA-PID",
            icon=":material/model_training:",
            url_path="lora",
            help="Train an adapter on samples that lack fusion, and see what it changed.",
        ),
        st.Page(
            "pages/benchmarks.py",
            title="Benchmarks",
            icon=":material/dataset:",
            url_path="benchmarks",
            help="What is on this machine, what it holds, and how the rest is had.",
        ),
        st.Page(
            "pages/run.py",
            title="Run",
            icon=":material/play_circle:",
            url_path="run",
            help="Measure a model: start a run, watch it, stop it, go on with it.",
        ),
        # The first page lies at the address without a path, and those who type its name mean it.
        st.Page(open_overview, title="Overview", url_path="overview", visibility="hidden"),
    ],
    expanded=True,
)

# The sidebar is on screen by now. What draws a page is read afterwards: on a fresh server that
# takes a second, in which Streamlit would list the files of pages/ by their names.
from pages.widgets.shell import show  # noqa: E402

show(page)
