"""What is to be run: the pickers for model, benchmark, samples, draws and device."""

from dataclasses import replace

import streamlit as st

from data_cache.samples import Benchmark
from model_runners.errors import BadOption
from model_runners.models import MODELS, runnable, trained_here
from model_runners.profile import ProfileOptions
from model_runners.registry import own
from pages.widgets import state
from pages.widgets.benchmark_choices import VARIANT, choose_benchmark, show_rows
from pages.widgets.lens_choice import EVERY_LAYER, choose_lens
from pages.widgets.run_loading import choose_loading
from pages.widgets.run_manner import choose_manner
from pages.widgets.run_probe import choose_probe
from pages.widgets.run_template import choose_template

OTHER = "another model"
"""The choice that asks for a folder or a hub id."""
EVERY_SUBSET = "every subset"
SPLITS = ("test", "train", "all")
DEVICES = ("auto", "cpu", "cuda")
READ_OUTS = ("the output", EVERY_LAYER)


def choose_run() -> ProfileOptions | None:
    """Draw the pickers and return what is chosen.

    None while the model has no name yet, or the lens is not trained.

    Raises
    ------
    data_cache.errors.DataError, model_runners.errors.RunnerError
        If a choice makes no sense or cannot be read.
    """
    first_row, second_row, manner_row = (
        st.container(horizontal=True, vertical_alignment="top"),
        st.container(horizontal=True, vertical_alignment="top"),
        st.container(gap="small"),
    )
    with first_row:
        model = choose_model(state.RUN_MODEL, state.RUN_OTHER_MODEL, adapters=True)
        chosen = choose_benchmark(state.RUN_BENCHMARK, manner_row)
        if chosen is None:
            return None
        subset = choose_subset(chosen.benchmark, state.RUN_SUBSET)
    benchmark = chosen.benchmark
    with second_row:
        split = st.segmented_control(
            "Split",
            SPLITS,
            default=SPLITS[0],
            required=True,
            key=state.RUN_SPLIT,
            persist_state="session",
            help="Spectra are estimated from test samples.",
        )
        limit = choose_limit(
            state.RUN_LIMIT,
            help="So many samples of the benchmark's order; empty takes all. "
            "A larger number later goes on from there.",
        )
        probe = choose_probe(state.RUN_DRAWS)
        device = choose_device(state.RUN_DEVICE)
        layers = st.selectbox(
            "Read out",
            READ_OUTS,
            key=state.RUN_LAYERS,
            persist_state="session",
            width=160,
            help="Every layer, for the Layers page: in the same pass, and so many times as much to "
            "store.",
        )
        lens_place = st.container()
    with manner_row:
        manner = choose_manner()
    chosen = show_rows(chosen, state.RUN_BENCHMARK)
    if split not in SPLITS:
        raise BadOption("choose a split")
    (first,) = benchmark.select(subset=subset, split=split, limit=1)
    template = choose_template(manner.answers, benchmark.name, first)
    if not model:
        ask_for_model()
        return None
    options = ProfileOptions(
        model=model,
        benchmark=chosen.choice.name,
        data=chosen.choice.data,
        split_policy=chosen.choice.split_policy,
        circular=chosen.choice.circular,
        frames=chosen.choice.frames,
        max_bad_rows=chosen.max_bad_rows,
        subset=subset,
        split=split,
        limit=limit,
        device=device,
        layers=layers == EVERY_LAYER,
        answers=manner.answers,
        mask_scope=manner.mask_scope,
        pooling=manner.pooling,
        template=template,
        **probe,
        **choose_loading(model).options(),
    )
    if layers != EVERY_LAYER:
        return options
    lens = choose_lens(options, lens_place)
    return None if lens is None else replace(options, lens=lens)


def prepare_lens(key: str, asked: ProfileOptions) -> None:
    """Choose on the Run page what reads a model's layers through a lens; a callback.

    Parameters
    ----------
    key
        Of the lens.
    asked
        The run that it was trained for.
    """
    known = asked.model in runnable()
    st.session_state[state.RUN_MODEL] = asked.model if known else OTHER
    if not known:
        st.session_state[state.RUN_OTHER_MODEL] = asked.model
    name, _, variant = asked.benchmark.partition(":")
    st.session_state[state.RUN_BENCHMARK] = name
    if variant:
        st.session_state[f"{state.RUN_BENCHMARK}{VARIANT}_{name}"] = variant
    st.session_state[state.RUN_LAYERS] = EVERY_LAYER
    st.session_state[state.RUN_LENS] = key
    st.session_state[state.RUN_MASK_SCOPE] = asked.mask_scope
    st.session_state[state.RUN_ANSWERS] = asked.answers


def choose_model(key: str, other_key: str, *, adapters: bool = False) -> str:
    """Draw the pickers for the model; returns a name, a folder, a hub id, or nothing.

    Parameters
    ----------
    key, other_key
        Of the list, and of the field for what is not in it.
    adapters
        Whether adapted models of the cache are offered, too.
    """
    offered = [*runnable(), *(trained_here() if adapters else ())]
    kept = st.session_state.pop(state.KEPT, None)
    if kept in offered:
        st.session_state[key] = kept
    before = st.session_state.get(key)
    if before is not None and before not in (*offered, OTHER):
        st.session_state[key], st.session_state[other_key] = OTHER, before  # says why it cannot be
    chosen = st.selectbox(
        "Model",
        [*offered, OTHER],
        key=key,
        persist_state="session",
        width=260,
        help=_what_is_offered(offered),
    )
    for problem in own().problems:
        st.text(problem)
    if chosen != OTHER:
        return chosen or ""
    text = st.text_input(
        "Folder or hub id",
        key=other_key,
        persist_state="session",
        max_chars=400,
        placeholder="owner/name",
        width=300,
        help="A folder that save_pretrained wrote, or an id such as owner/name. Only safetensors "
        "are read, and no code that comes with a model is run unless you trust it.",
    )
    return (text or "").strip()


def _what_is_offered(offered: list[str]) -> str:
    """Say by family what can be run here, and how many models of the table cannot yet."""
    families: dict[str, list[str]] = {}
    for name in offered:
        entry = MODELS.get(name)
        family = "Adapters" if entry is None else entry.family or "Your own"
        families.setdefault(family, []).append(name)
    lines = [f"- {family}: {', '.join(names)}" for family, names in families.items()]
    rest = len(MODELS) - sum(name in MODELS for name in offered)
    more = f"{rest} more models of the table cannot be run by this version; `list models` says why."
    return "\n".join(lines) + (f"\n\n{more}" if rest else "")


def ask_for_model() -> None:
    """Say what is missing while the model has no name yet."""
    st.text("Give the folder of a model, or its id on the hub, such as owner/name.")


def choose_subset(benchmark: Benchmark, key: str) -> str | None:
    """Draw the picker for a subset; None is every one of them."""
    if st.session_state.get(key) not in (None, EVERY_SUBSET, *benchmark.subsets):
        st.session_state[key] = EVERY_SUBSET  # it is of another benchmark
    chosen = st.selectbox(
        "Subset",
        [EVERY_SUBSET, *benchmark.subsets],
        key=key,
        persist_state="session",
        width=200,
    )
    return None if chosen == EVERY_SUBSET else chosen


def choose_limit(key: str, *, help: str) -> int | None:
    """Draw the field for the first so many samples; None is all of them."""
    return st.number_input(
        "First samples",
        min_value=1,
        value=None,
        step=1,
        placeholder="all",
        key=key,
        persist_state="session",
        width=140,
        help=help,
    )


def choose_device(key: str) -> str:
    """Draw the picker for the device."""
    chosen = st.selectbox(
        "Device",
        DEVICES,
        accept_new_options=True,
        key=key,
        persist_state="session",
        width=140,
        help="auto takes the first GPU, else the CPU. Type cuda:1 for the second GPU.",
    )
    return chosen or DEVICES[0]
