"""How a run asks, what it masks and how it pools: three pickers of the Run page."""

from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from model_runners.inference import Pooling
from model_runners.prompt import MaskScope
from model_runners.prompt_templates import AnswerStyle
from pages.widgets import state

ANSWERS: dict[AnswerStyle, str] = {
    "letters": "letters",
    "options": "the options' words",
    "yes-no": "Yes and No",
}
SCOPES: dict[MaskScope, str] = {
    "all": "all the user says",
    "question": "the question only",
}
POOLED: dict[Pooling, str] = {
    "mean": "their mean",
    "last": "the last one",
    "max": "the largest of each dimension",
}

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, kw_only=True)
class Manner:
    """What is chosen."""

    answers: AnswerStyle
    mask_scope: MaskScope
    pooling: Pooling


def choose_manner() -> Manner:
    """Draw the pickers."""
    with st.container(horizontal=True, vertical_alignment="top"):
        return Manner(
            answers=_choose(
                "Answers",
                ANSWERS,
                state.RUN_ANSWERS,
                "What is scored: the letter of each option, its own words (the mean log-likelihood "
                "of their tokens), or Yes and No where these are the options.",
            ),
            mask_scope=_choose(
                "Text that is masked",
                SCOPES,
                state.RUN_MASK_SCOPE,
                "All of it hides question, options and instruction; the question only leaves the "
                "options readable. Another choice is another measurement.",
            ),
            pooling=_choose(
                "Embeddings become",
                POOLED,
                state.RUN_POOLING,
                "How the vectors of image and text become one vector each, for estimators that "
                "read embeddings. The certified estimator reads predictions only.",
            ),
        )


def _choose(label: str, words: dict[Choice, str], key: str, help: str) -> Choice:
    chosen = st.selectbox(
        label,
        list(words),
        format_func=lambda value: words[value],
        key=key,
        persist_state="session",
        width=220,
        help=help,
    )
    return chosen or next(iter(words))
