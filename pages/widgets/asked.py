"""How the questions behind the numbers were put: the prompt template, by name and in full."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.queries import RunRow, StoredSample
from model_runners.asking import asking_of_run, asking_of_settings, put
from pages.figures.rows import row_names
from pages.widgets import state

TEMPLATE = "template"
UNKNOWN = "not known"
OF_THE_RUN = ("noise_seed", "mask_scope", "probe", "dtype")
"""Settings that nobody knows of imported predictions."""
IMPORTED = "The predictions were imported; how the questions were put is not known."


def in_words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return an estimate's settings with the template by its name, also where it is the usual one.

    >>> in_words({"tau": 0.3}), in_words({"template": "{question}{options}"})
    ({'tau': 0.3, 'template': 'standard'}, {'template': 'own 7baee2'})
    """
    asking = asking_of_settings(settings)
    open_ones = (name for name in OF_THE_RUN if settings.get(name) is None)
    unknown = dict.fromkeys(open_ones, UNKNOWN) if "imported" in settings else {}
    return {**settings, **unknown, TEMPLATE: UNKNOWN if asking is None else asking.name}


def template_of(settings: Mapping[str, Any]) -> str:
    """Return the text of the template, or that it is not known."""
    asking = asking_of_settings(settings)
    return UNKNOWN if asking is None else asking.text


def template_of_run(run: RunRow) -> str:
    """Return the text of a run's template, or that it is not known."""
    asking = asking_of_run(run.config)
    return UNKNOWN if asking is None else asking.text


def show_templates(records: Sequence[SpectrumRecord]) -> None:
    """Show the text of each template once, with the rows that it belongs to."""
    rows: dict[str, list[str]] = defaultdict(list)
    names = row_names(records)
    for record in records:
        rows[template_of(record.settings)].append(names[record.estimate_key])
    for text, of_text in rows.items():
        if len(rows) == 1:
            st.text("Prompt template")
        else:
            st.text("Prompt template of " + "; ".join(of_text))
        _show(IMPORTED if text == UNKNOWN else text)


def show_template_of_run(run: RunRow | None) -> None:
    """Show the template of a run whose numbers are on the page; nothing where there is no run."""
    if run is not None:
        text = template_of_run(run)
        window = st.expander(
            "Prompt template",
            key=state.TEMPLATE_OF_RUN_OPEN,
            icon=":material/tune:",
            on_change="rerun",
        )
        if window.open:
            with window:
                _show(IMPORTED if text == UNKNOWN else text)


def show_asked(sample: StoredSample, settings: Mapping[str, Any]) -> None:
    """Show the template behind a sample's numbers, and what it makes of this sample."""
    asking = asking_of_settings(settings)
    st.text("Prompt template")
    _show(IMPORTED if asking is None else asking.text)
    if asking is not None:
        st.text("What the user turn said, behind the images")
        _show(put(sample.question, sample.options, asking).text)


def _show(text: str) -> None:
    st.code(text, language=None, wrap_lines=True)
