"""The words around a question: choose a template, edit it, and see what it makes of a sample."""

import streamlit as st

from data_cache.samples import Sample
from model_runners.asking import Asking, user_text
from model_runners.errors import BadSample
from model_runners.prompt_templates import TEMPLATES, AnswerStyle, named, names_for
from pages.widgets import state

FIELDS = {
    "letters": "{question} and {options} stand once each for what the benchmark says.",
    "options": "{question} and {options} stand once each for what the benchmark says.",
    "yes-no": "{question} stands once for what the benchmark asks.",
}


def choose_template(answers: AnswerStyle, benchmark: str, sample: Sample) -> str | None:
    """Draw the picker, the field and the preview; None is the standard template.

    Each benchmark has a choice of its own.

    Parameters
    ----------
    answers
        What counts as an answer.
    benchmark
        The name of the benchmark.
    sample
        One of those that would be run.

    Raises
    ------
    model_runners.errors.BadOption
        If the text is no template.
    """
    of = f"{benchmark}_{answers}"
    with st.expander("Prompt template", icon=":material/edit_note:"):
        written, read = st.columns(2, gap="large")
        with written:
            name = st.selectbox(
                "Begin with",
                names_for(answers),
                format_func=lambda one: f"{one}: {TEMPLATES[one].summary}",
                key=f"{state.RUN_TEMPLATE}_{of}",
                persist_state="session",
            )
            text = st.text_area(
                "Text",
                named(name, answers),
                key=f"{state.RUN_TEMPLATE}_text_{of}_{name}",
                persist_state="session",
                height=200,
                help="Another text is another measurement: the template is part of the run and "
                "shown with its numbers. Blanks at its ends are dropped.",
            )
            st.caption(FIELDS[answers])
        asking = Asking(answers=answers, template=text)
        with read:
            _show_preview(asking, sample)
    return asking.template


def _show_preview(asking: Asking, sample: Sample) -> None:
    """Show what the user turn would say of a sample, as plain text."""
    st.text(f"Sample {sample.id} by the template {asking.name}, behind its images")
    try:
        said = user_text(sample, asking)
    except BadSample as error:
        st.text(str(error))
        return
    st.code(said, language=None, wrap_lines=True)
    if sample.system is not None:
        st.text("System message")
        st.code(sample.system, language=None, wrap_lines=True)
