"""The samples that are listed, as a file: a benchmark with its images, or a table of numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from data_cache import samples_view, tags
from data_cache.estimates import SpectrumRecord
from data_cache.location import exports_directory
from data_cache.runs import hash_text
from data_cache.samples_view import SampleOrder
from data_cache.slice_export import Exported, write_benchmark
from data_cache.slice_scores import write_scores
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.sample_choices import Listing
from pages.widgets.sample_filter import benchmark_keys
from pages.widgets.sample_list import PER_PAGE
from pages.widgets.stored import Stored
from pages.widgets.stored_samples import read_page
from pages.widgets.wishes import acted

BENCHMARK = "Benchmark (TSV)"
ENDINGS = {BENCHMARK: ".tsv", "Numbers (CSV)": ".csv", "Numbers (Parquet)": ".parquet"}
MEANINGS = {
    ".tsv": "Questions, options, answers, groups and the original images in VLMEvalKit's form. It "
    "loads as a benchmark: on the Run page as another file, or with --benchmark FILE.tsv "
    "--split-policy own.",
    ".csv": "Scores and atoms in bits, answers, tags, and the distribution of every condition; "
    "lists are written as JSON.",
    ".parquet": "Scores and atoms in bits, answers, tags, and the distribution of every condition.",
}
MOST_SENT = 50_000_000
"""Bytes; a larger file stays in the cache folder: a download is held in the server's memory."""
NAMED_SAMPLES = 3
"""Samples that were left out and are told one by one."""
LONGEST_NAME = 60


@dataclass(frozen=True, kw_only=True)
class Written:
    """The file that was written last in this session."""

    order: SampleOrder
    ending: str
    file: Exported


def show_files(reading: Stored, records: Sequence[SpectrumRecord], listing: Listing) -> None:
    """Draw the button that opens the window; nothing in it is read before."""
    window = st.popover(
        "Save as file", icon=":material/download:", key=state.SLICE_FILES, on_change="rerun"
    )
    if not window.open:
        return
    with window:
        total = read_page(reading, listing.order, limit=PER_PAGE[listing.view], offset=0).total
        keys = sorted(benchmark_keys(reading, records))
        if not total or len(keys) != 1:
            st.text(
                "No sample is listed."
                if not total
                else "These samples come from several versions of the benchmark; choose one subset."
            )
            return
        _show_choices(reading, records, listing, total, keys[0])
        _show_whole_tag(reading, listing, total, keys[0])


def _show_choices(
    reading: Stored,
    records: Sequence[SpectrumRecord],
    listing: Listing,
    total: int,
    benchmark_key: str,
) -> None:
    wanted = st.segmented_control(
        f"The {total:,} samples of this list as",
        list(ENDINGS),
        default=BENCHMARK,
        required=True,
        key=state.SLICE_FORMAT,
        persist_state="session",
    )
    ending = ENDINGS.get(wanted or BENCHMARK, ".tsv")
    st.text(MEANINGS[ending])
    leave_out = ending == ".tsv" and st.toggle(
        "Leave out samples whose original image is gone",
        key=state.SLICE_LEAVE_OUT,
        persist_state="session",
        help="Otherwise the first of them is named and nothing is written; a thumbnail never "
        "stands in for an image.",
    )
    path = exports_directory(reading.cache) / file_name(records, listing, ending)
    if acted("Write the file", key="write_slice", icon=":material/save:"):
        with sentence_instead("The file was not written."):
            done = _write(reading, listing, benchmark_key, path, leave_out=leave_out)
            st.session_state[state.SLICE_WRITTEN] = Written(
                order=listing.order, ending=ending, file=done
            )
    written: Written | None = st.session_state.get(state.SLICE_WRITTEN)
    if written is not None and (written.order, written.ending) == (listing.order, ending):
        _show_written(written.file)


def _show_whole_tag(reading: Stored, listing: Listing, total: int, benchmark_key: str) -> None:
    """Say where a tag has samples that this list does not show."""
    for name in listing.order.filters.tags:
        held = len(tags.tagged(reading.cache, name, benchmark_key))
        if held > total:
            st.text(
                f"The tag “{name}” is on {held:,} samples, of which this list has {total:,}; "
                "`python -m model_runners slices export` writes all of them."
            )


def file_name(records: Sequence[SpectrumRecord], listing: Listing, ending: str) -> str:
    """Return what the file is called: other samples, another name.

    Parameters
    ----------
    records
        The estimates that can be listed.
    listing
        The list.
    ending
        One of `ENDINGS`, with its dot.
    """
    order = listing.order
    record = next(one for one in records if one.estimate_key in order.estimate_keys)
    tagged = order.filters.tags
    about = tagged[0] if len(tagged) == 1 else f"{record.benchmark} {record.model.split('/')[-1]}"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", about).strip("-")[:LONGEST_NAME] or "samples"
    return f"{plain}-{hash_text(repr(order), 8)}{ending}"


def _write(
    reading: Stored, listing: Listing, benchmark_key: str, path: Path, *, leave_out: bool
) -> Exported:
    bar = st.progress(0.0, text="Reading the list")

    def at(done: int, of: int) -> None:
        bar.progress(done / of, text=f"{done:,} of {of:,} samples")

    ids = samples_view.sample_ids(reading.cache, listing.order)
    if path.suffix == ".tsv":
        done = write_benchmark(
            reading.cache, benchmark_key, ids, path, leave_out=leave_out, progress=at
        )
    else:
        done = write_scores(reading.cache, listing.order.estimate_keys, ids, path, progress=at)
    bar.empty()
    return done


def _show_written(file: Exported) -> None:
    st.text(f"{file.rows:,} samples, {size_in_words(file.size)}, in {file.path}")
    for one in file.left_out[:NAMED_SAMPLES]:
        st.text(f"Left out: {one.reason}.")
    if (more := len(file.left_out) - NAMED_SAMPLES) > 0:
        st.text(f"Left out: {more:,} more samples.")
    if file.size > MOST_SENT:
        st.text(
            f"It is larger than {MOST_SENT // 1_000_000} MB and stays in that folder of the "
            "machine that runs PIDscope."
        )
        return
    st.download_button(
        "Download",
        partial(file.path.read_bytes),
        file_name=file.path.name,
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        key="download_slice",
    )


def size_in_words(size: int) -> str:
    """Return a size for a person.

    >>> size_in_words(900), size_in_words(1_234_000)
    ('0.9 kB', '1.2 MB')
    """
    return f"{size / 1e3:,.1f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"
