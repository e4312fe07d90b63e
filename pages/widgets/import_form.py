"""Predictions that were computed elsewhere: which file, whose, on what; and what came of it."""

from pathlib import Path

import streamlit as st

from data_cache.benchmarks import BENCHMARKS
from data_cache.imported import ImportOptions
from data_cache.permission import refusal
from model_runners.importing import described, import_and_estimate
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.stored import Stored
from pages.widgets.wishes import acted


def show_import(reading: Stored) -> None:
    """Draw the fields and the button; what an import did is shown until the next one."""
    if refusal() is not None:  # the fields read files of this machine
        return
    with st.expander("Import predictions", icon=":material/upload_file:"):
        st.text(
            "Any model's distributions over the options, with both sources and with each alone, "
            "can be browsed and decomposed here: Stage-2 JSON of Xiu26, or a table (.csv, .tsv, "
            ".parquet, .json, .jsonl)."
        )
        files = st.text_area(
            "Files",
            key=state.IMPORT_FILES,
            persist_state="session",
            placeholder="/path/to/val/model.json",
            height=80,
            help="Paths on the machine that the dashboard runs on, one a line; several are one "
            "run, for example of train and val.",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            model = st.text_input(
                "Model", key=state.IMPORT_MODEL, persist_state="session", width=220
            )
            benchmark = st.text_input(
                "Benchmark",
                key=state.IMPORT_BENCHMARK,
                persist_state="session",
                width=220,
                help=f"One of {', '.join(BENCHMARKS)}: its samples are then found by their ids. "
                "Any other name keeps the file's own questions under it.",
            )
            family = st.text_input(
                "Family", key=state.IMPORT_FAMILY, width=180, placeholder="imported"
            )
            images = st.text_input(
                "Folder of images",
                key=state.IMPORT_IMAGES,
                width=260,
                placeholder="that of the file",
                help="What paths of images in the file are relative to.",
            )
            data = st.text_input(
                "Benchmark's files",
                key=state.IMPORT_DATA,
                width=260,
                placeholder="found by themselves",
                help="Where the benchmark is, if not in $LMUData or the hub's cache.",
            )
            wanted = acted("Import", key="import_predictions", icon=":material/upload:")
        if wanted:
            with sentence_instead("This cannot be imported."):
                st.session_state.pop(state.IMPORTED, None)
                options = ImportOptions(
                    files=tuple(_path(line) for line in files.splitlines() if line.strip()),
                    model=model.strip(),
                    benchmark=benchmark.strip(),
                    family=family.strip() or "imported",
                    images=_path(images) if images.strip() else None,
                    data=data.strip() or None,
                )
                _import(reading.cache, options)
                st.rerun()
        for line in st.session_state.get(state.IMPORTED, ()):
            st.text(line)


def _import(cache: Path, options: ImportOptions) -> None:
    with st.status("Importing") as status:
        done = import_and_estimate(cache, options, stage=lambda text: status.update(label=text))
    st.session_state[state.IMPORTED] = described(done, cache)


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser()
