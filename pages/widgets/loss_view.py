"""The loss of a training, drawn while it goes on and after."""

import streamlit as st

from data_cache import adapters as store
from data_cache.adapters import AdapterRecord, LossPoint
from data_cache.jobs import JobRow
from pages.figures.loss_curve import describe, loss_curve
from pages.widgets import state
from pages.widgets.charts import show_figure
from pages.widgets.job_words import is_worked_on
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import adapter_of, read_adapters


def show_losses_of(job: JobRow, reading: Stored) -> None:
    """Draw the loss of a job that is at work, below its progress."""
    adapter = adapter_of(job, read_adapters(reading)) if is_worked_on(job) else None
    if adapter is not None:
        show_losses(adapter, reading, key=f"loss_{job.job_key}")


def show_losses(adapter: AdapterRecord, reading: Stored, *, key: str) -> None:
    """Draw the loss of each step of an adapter so far."""
    points = store.losses(reading.cache, adapter.key)
    if not points:
        return
    st.text(last_step(points[-1], adapter))
    show_figure(
        loss_curve(
            points, log=bool(st.session_state.get(state.LORA_LOG)), total=adapter.total_steps
        ),
        key=key,
        alt=describe(points),
    )


def last_step(point: LossPoint, adapter: AdapterRecord) -> str:
    """Say where a training stands."""
    return (
        f"{adapter.name}: step {point.step:,} of {adapter.total_steps:,}, epoch {point.epoch:.2f}, "
        f"loss {point.loss:.3g} nats, learning rate {point.rate:.2e}."
    )


def choose_axis() -> None:
    """Draw the switch for a logarithmic axis of every loss on the page."""
    st.toggle("Logarithmic loss", key=state.LORA_LOG, persist_state="session")
