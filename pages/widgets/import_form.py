"""The form that imports predictions which were computed elsewhere."""

from pathlib import Path
from shlex import split as split_words

import streamlit as st

from data_cache.errors import BenchmarkError
from data_cache.imported import ImportOptions
from model_runners.importing import Imported, import_and_estimate
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.wishes import clicked

LISTED_BAD_ROWS = 10


def show_import(cache: Path) -> None:
    """Draw the form; an import is done at once, with what it is at shown."""
    with st.expander("Import predictions", icon=":material/upload_file:"):
        st.text(
            "Predictions with and without each source, from a Stage-2 JSON of Xiu26 or a table, "
            "become a run without a model. docs/importing-predictions.md names the columns."
        )
        with st.container(horizontal=True, vertical_alignment="top"):
            files = _text("Files", state.IMPORT_FILES, 420, "val.json; several with blanks between")
            model = _text("Model", state.IMPORT_MODEL, 220, "a name for it")
            benchmark = _text("Benchmark", state.IMPORT_BENCHMARK, 220, "pope, or a name")
            family = _text("Family", state.IMPORT_FAMILY, 180, "may stay empty")
            data = _text("Benchmark's files", state.IMPORT_DATA, 260, "found by itself")
        if not clicked("Import", key="import_predictions", icon=":material/upload_file:"):
            return
        with sentence_instead("These predictions cannot be imported."):
            options = ImportOptions(
                files=tuple(Path(word).expanduser() for word in _words(files)),
                model=model,
                benchmark=benchmark,
                family=family or "imported",
                data=data or None,
            )
            with st.status("Importing") as status:
                imported = import_and_estimate(
                    cache, options, stage=lambda what: status.update(label=what.capitalize())
                )
                status.update(label="Imported", state="complete")
            show_outcome(imported)


def show_outcome(imported: Imported) -> None:
    """Say what came of an import, as plain text."""
    report = imported.report
    lines = [
        f"Run {report.run_key}: {report.samples:,} samples of {report.benchmark} through "
        f"{report.model}, from {report.rows:,} rows; {len(imported.spectra)} spectra.",
        *report.notes,
        *(f"Left out: {problem}" for problem in report.bad_rows[:LISTED_BAD_ROWS]),
        *(f"No spectrum of {sentence}" for sentence in imported.refused),
    ]
    more = len(report.bad_rows) - LISTED_BAD_ROWS
    if more > 0:
        lines.append(f"And {more:,} bad rows more.")
    st.text("\n".join(lines))


def _words(text: str) -> list[str]:
    """Take file names apart as a shell does: quotes hold a name with blanks together."""
    try:
        return split_words(text)
    except ValueError as error:
        raise BenchmarkError(f"the list of files cannot be read: {error}") from error


def _text(label: str, key: str, width: int, placeholder: str) -> str:
    text = st.text_input(
        label,
        key=key,
        persist_state="session",
        max_chars=1000,
        placeholder=placeholder,
        width=width,
    )
    return (text or "").strip()
