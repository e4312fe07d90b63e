"""How a run's model comes into memory: fewer bits, several devices, its own code, a worker.

Bits and devices are in the address. What runs somebody's code is not: a link must not choose it,
and where a dashboard is shared only the person's own file of models may.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from model_runners.cost import hub_folder
from model_runners.errors import RunnerError
from model_runners.external.spec import ADAPTERS
from model_runners.models import MODELS, ModelSource, resolve_model
from model_runners.placement import DeviceMap
from model_runners.quantisation import Quantisation
from model_runners.remote_code import code_fingerprint
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.own_models import brings_code
from pages.widgets.visitors import is_own

WEIGHTS: dict[str, Quantisation | None] = {"as stored": None, "8 bits": "8bit", "4 bits": "4bit"}
SPREADS: dict[str, DeviceMap | None] = {
    "one device": None,
    "all devices": "auto",
    "all, each as much": "balanced",
    "all, less on the first": "balanced_low_0",
    "one after the other": "sequential",
}
LISTED_FILES = 12
Choice = TypeVar("Choice")


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What is chosen, by the names of a run's options."""

    device_map: str | None = None
    quantise: str | None = None
    trust_remote_code: bool = False
    worker: str | None = None
    worker_adapter: str | None = None
    worker_code: str | None = None

    def options(self) -> dict[str, Any]:
        """Return them as a run's options take them."""
        return asdict(self)


def choose_loading(model: str) -> Loading:
    """Draw the pickers, folded.

    Parameters
    ----------
    model
        A name of the table, a folder or a hub id.
    """
    source = _source(model)
    with st.expander("How the model is loaded", icon=":material/memory:"):
        with st.container(horizontal=True, vertical_alignment="top"):
            quantise = _choose(
                "Weights",
                WEIGHTS,
                state.RUN_WEIGHTS,
                "In fewer bits (LLM.int8, NF4) a model takes less memory and answers a little "
                "differently: it is another run. The head stays as it is.",
            )
            device_map = _choose(
                "Spread over",
                SPREADS,
                state.RUN_SPREAD,
                "A model that is larger than a device can lie on all of them, then in main memory "
                "and on the disk. The scores are those of one device. Leave the device at auto.",
            )
        trusted = source is not None and _trust(source)
        worker = _worker(model) if is_own() else {}
    return Loading(
        quantise=quantise,
        device_map=device_map,
        trust_remote_code=trusted,
        **worker,
    )


def _choose(label: str, values: dict[str, Choice], key: str, help: str) -> Choice:
    note_unknown(key, values)
    chosen = st.selectbox(label, list(values), key=key, bind="query-params", width=220, help=help)
    return values[chosen or next(iter(values))]


def _trust(source: ModelSource) -> bool:
    """Ask whether the code beside this one model may be run, where it brings some."""
    if source.trusted or not brings_code(source):
        return False
    folder = Path(source.location) if source.is_local else hub_folder(source.location)
    files = sorted(path.name for path in folder.glob("*.py")) if folder is not None else []
    more = f" and {len(files) - LISTED_FILES} more" if len(files) > LISTED_FILES else ""
    listed = f": {', '.join(files[:LISTED_FILES])}{more}" if files else ""
    st.text(
        f"{source.name} brings Python code of its own{listed}. It can do anything that you can. "
        "It is not run unless you say so, for this model and this code."
    )
    if not is_own():
        st.text(
            "This dashboard is shared, so that only its owner can trust code, in models.yaml of "
            "the cache folder."
        )
        return False
    code = code_fingerprint(folder) if folder is not None else ""
    return st.checkbox(
        "I have read this code, and trust it",
        key=f"{state.RUN_TRUST}_{source.location}_{code}",
        persist_state="session",
        help="Other code is another run, and has to be trusted anew.",
    )


def _worker(model: str) -> dict[str, str | None]:
    """Ask for another environment to run the model in, where its entry names none."""
    entry = MODELS.get(model)
    if entry is not None and entry.worker is not None:
        st.text(f"It runs in an environment of its own: {entry.worker}")
        return {}
    if entry is not None and entry.origin != "own":
        return {}
    with st.container(horizontal=True, vertical_alignment="top"):
        python = _text(
            "Python of another environment",
            state.RUN_WORKER,
            "empty: this one",
            "For a model whose code is not in transformers: the path of the python that its "
            "repository's packages are installed for. docs/external-worker.md says how.",
        )
        if not python:
            return {}
        adapter = _text(
            "Takes its inputs as",
            state.RUN_WORKER_ADAPTER,
            ", ".join(ADAPTERS),
            "One of these names, or the path of a Python file; behind a colon the name of the "
            "conversation template.",
        )
        code = _text(
            "Folder of its code",
            state.RUN_WORKER_CODE,
            "may stay empty",
            "Of the repository; empty where it is installed in that environment.",
        )
    return {"worker": python, "worker_adapter": adapter, "worker_code": code}


def _text(label: str, key: str, placeholder: str, help: str) -> str | None:
    said = st.text_input(
        label,
        key=key,
        persist_state="session",
        max_chars=400,
        placeholder=placeholder,
        width=240,
        help=help,
    )
    return (said or "").strip() or None


def _source(model: str) -> ModelSource | None:
    try:
        return resolve_model(model)
    except RunnerError:  # the cost of the run says what is wrong
        return None
