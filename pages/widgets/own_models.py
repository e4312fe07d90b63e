"""A model that was given by folder or hub id is kept in the list under a name; nothing is coded."""

import json
import re
from pathlib import Path
from typing import Any

import streamlit as st

from model_runners.cost import hub_folder
from model_runners.models import MODELS, ModelSource, resolve_model
from model_runners.registry import add_own, own_file
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.visitors import is_own
from pages.widgets.wishes import acted

LONGEST_NAME = 64


def offer_to_keep(model: str) -> None:
    """Offer to write a model into the person's own file, unless it is listed already.

    Raises
    ------
    model_runners.errors.RunnerError
        If there is no such model.
    """
    if model in MODELS:
        return
    source = resolve_model(model)
    if source.adapter is not None or source.location in {e.load_id for e in MODELS.values()}:
        return
    with st.expander("Keep this model in the list", icon=":material/bookmark_add:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                "Name",
                value=suggested_name(source),
                key=f"{state.KEEP_NAME}_{source.location}",
                max_chars=LONGEST_NAME,
                width=260,
                help="It is listed and its results are stored under this name.",
            )
            family = st.text_input(
                "Family",
                key=f"{state.KEEP_FAMILY}_{source.location}",
                max_chars=40,
                width=200,
                placeholder="may stay empty",
                help="As papers write it, for example LLaVA-1.5; models are grouped by it.",
            )
            trusts = (
                brings_code(source)
                and is_own()
                and st.checkbox(
                    "Trust its code",
                    key=f"{state.KEEP_TRUST}_{source.location}",
                    help="This model brings Python code, which can do anything that you can. It is "
                    "run only for a model that you trust; read it first.",
                )
            )
            wanted = acted("Add", key="keep_model", icon=":material/add:")
        st.text(f"It is written into {own_file()}, where you can change it.")
        if wanted:
            with sentence_instead("This model cannot be added."):
                add_own(
                    name.strip(),
                    source.location,
                    family=family.strip(),
                    model_type=known_type(source),
                    trust_remote_code="yes" if trusts else "",
                )
                st.session_state[state.KEPT] = name.strip()
                st.rerun()


def suggested_name(source: ModelSource) -> str:
    """Return the last part of a hub id or folder, with the characters that a name may have.

    >>> suggested_name(ModelSource(name="a/My model", location="a/My model", is_local=False))
    'My-model'
    """
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", source.name.rpartition("/")[2])
    return last.lstrip("._-")[:LONGEST_NAME]


def known_type(source: ModelSource) -> str:
    """Return a model's type where its config.json is on this machine, else nothing."""
    return str(_config(source).get("model_type", ""))


def brings_code(source: ModelSource) -> bool:
    """Whether a model's config.json, if it is on this machine, names code beside the weights."""
    return "auto_map" in _config(source)


def _config(source: ModelSource) -> dict[str, Any]:
    folder = Path(source.location) if source.is_local else hub_folder(source.location)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8")) if folder else {}
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
