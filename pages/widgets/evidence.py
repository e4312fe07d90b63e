"""How far the numbers can be trusted: badges, warnings, and the settings of every number."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from model_runners.estimation import OVERCONFIDENCE
from pages.figures.exactness import within
from pages.figures.meanings import OF_SPECTRA
from pages.figures.palette import ATOMS, HATCH_ABOVE, in_words
from pages.figures.rows import row_names
from pages.figures.spectrum_bars import SMALLEST_TOTAL, Unit, is_hatched
from pages.report.parts import Numbers, Words
from pages.widgets import drawn, state
from pages.widgets.asked import in_words as settings_in_words
from pages.widgets.asked import show_templates
from pages.widgets.meanings_shown import show_meanings
from pages.widgets.provenance import note_runs, show_runs
from pages.widgets.spectrum_table import name_columns
from pages.widgets.tables import note_table, show_table_frame

FEW_SAMPLES = 200
NOISE_FLOOR_ABOVE = 0.05
"""Bits."""
GAP_ABOVE = 0.01
"""Bits."""
NEGATIVE_BELOW = -0.01
"""Bits; less is within the accuracy of the estimate."""


@dataclass(frozen=True, kw_only=True)
class Badge:
    """One short remark about all rows; all of its words are ours."""

    text: str
    colour: Literal["green", "orange", "gray"]
    icon: str
    help: str


def badges(records: Sequence[SpectrumRecord], *, unit: Unit) -> list[Badge]:
    """Return what a reader should know before reading the bars."""
    found: list[Badge] = []
    gap = max((record.gap_bits for record in records), default=0.0)
    found.append(
        Badge(
            text=within(max(gap, 1e-4)),
            colour="green" if gap <= GAP_ABOVE else "orange",
            icon=":material/verified:" if gap <= GAP_ABOVE else ":material/warning:",
            help="The largest distance between the certified lower and upper bound, over all rows.",
        )
    )

    def warn(rows: int, text: str, help: str) -> None:
        if rows:
            found.append(Badge(text=text, colour="orange", icon=":material/warning:", help=help))

    hatched = sum(is_hatched(record) for record in records)
    warn(
        hatched,
        f"{_rows(hatched)} hatched",
        f"In more than {HATCH_ABOVE:.0%} of the samples a condition put too little mass on the "
        "options, and a uniform distribution was used instead.",
    )
    names = [atom.field for atom in ATOMS]
    negative = sum(
        any(getattr(record, name) < NEGATIVE_BELOW for name in names) for record in records
    )
    warn(
        negative,
        f"negative atom in {_rows(negative)}",
        "Possible because masked predictions are probes and no true margins, and in swapped pairs "
        "because of the correction for few partners; drawn as it is.",
    )
    noisy = sum((record.noise_floor_bits or 0.0) > NOISE_FLOOR_ABOVE for record in records)
    warn(
        noisy,
        f"noise floor above {NOISE_FLOOR_ABOVE} bits in {_rows(noisy)}",
        "With both sources masked the model still tells something about its answer.",
    )
    unsure = sum(is_overconfident(record) for record in records)
    warn(
        unsure,
        f"overconfident alone in {_rows(unsure)}",
        "With one source masked the model is surer than it is right. Part of what it seems to know "
        "from one source is then about its own answers: it inflates redundancy and unique "
        "information at the cost of synergy.",
    )
    few = sum(record.n < FEW_SAMPLES for record in records)
    warn(
        few,
        f"fewer than {FEW_SAMPLES} samples in {_rows(few)}",
        "The estimate is biased at small samples: unique atoms upward, the others downward.",
    )
    if unit == "shares":
        small = sum(record.total < SMALLEST_TOTAL for record in records)
        warn(
            small,
            f"no shares in {_rows(small)}",
            f"The total is below {SMALLEST_TOTAL} bits, and a share of it means nothing.",
        )
    return found


def is_overconfident(record: SpectrumRecord) -> bool:
    """Whether a probe's mean confidence exceeds its accuracy by more than estimates tolerate."""
    sure, right = (record.diagnostics.get(name, {}) for name in ("confidence", "accuracy_forced"))
    return any(
        sure[name] - right[name] > OVERCONFIDENCE
        for name in ("only_1", "only_2")
        if name in sure and name in right
    )


def show_badges(records: Sequence[SpectrumRecord], *, unit: Unit) -> None:
    with st.container(horizontal=True):
        for badge in badges(records, unit=unit):
            drawn.note(Words(text=f"{badge.text}. {badge.help}", kind="note"))
            st.badge(badge.text, icon=badge.icon, color=badge.colour, help=badge.help)


def show_warnings(records: Sequence[SpectrumRecord]) -> None:
    """List each distinct warning once, with the rows that it belongs to."""
    where: dict[str, list[str]] = defaultdict(list)
    names = row_names(records)
    for record in records:
        for warning in record.warnings:
            where[in_words(warning)].append(names[record.estimate_key])
    if not where:
        return
    with st.expander(f"Warnings ({len(where)})", icon=":material/warning:"):
        for warning, rows in where.items():
            drawn.note(Words(text=f"{warning}\n{'; '.join(rows)}", kind="warning"))
            with st.container(border=True):
                st.text(warning)
                st.text("\n".join(f"• {row}" for row in rows))


def settings_of(record: SpectrumRecord) -> dict[str, str]:
    """Return everything that a row's numbers depend on, in words."""
    named = {
        "run key": record.run_key,
        "estimate key": record.estimate_key,
        "estimator": record.estimator,
        "split": record.split,
        "layer": "model output" if record.layer == -1 else str(record.layer),
        "samples": str(record.n),
        "options": str(record.candidates),
        "estimated": record.created,
    }
    return named | {
        key.replace("_", " "): str(value)
        for key, value in sorted(settings_in_words(record.settings).items())
    }


def split_settings(
    records: Sequence[SpectrumRecord],
) -> tuple[dict[str, str], pd.DataFrame]:
    """Separate the settings that all rows share from those that differ between rows."""
    settings = [settings_of(record) for record in records]
    names = list(dict.fromkeys(name for one in settings for name in one))
    shared = {
        name: settings[0][name] for name in names if len({one.get(name) for one in settings}) == 1
    }
    differing = [name for name in names if name not in shared]
    several = len({record.benchmark for record in records}) > 1
    frame = pd.DataFrame(
        [
            name_columns(record, several_benchmarks=several)
            | {name: one.get(name, "") for name in differing}
            for record, one in zip(records, settings, strict=True)
        ]
    )
    return shared, frame


def show_settings(records: Sequence[SpectrumRecord]) -> None:
    """Show what the numbers mean, and where each of them comes from."""
    show_meanings(OF_SPECTRA)
    drawn.note(Numbers(records=tuple(records)))
    shared, differing = split_settings(records)
    tables = {
        "settings": (
            "The same for all rows",
            pd.DataFrame(shared.items(), columns=["Setting", "Value"]),
            "Settings that all rows share.",
        ),
        "settings_of_rows": (
            "Different between rows",
            differing,
            "Settings that differ between rows.",
        ),
    }
    window = st.expander(
        "Settings of every number",
        key=state.SETTINGS_OPEN,
        icon=":material/tune:",
        on_change="rerun",
    )
    if not window.open:
        for name, (_, frame, alt) in tables.items():
            note_table(frame, name=name, alt=alt)
        note_runs(record.run_key for record in records)
        return
    with window:
        for name, (title, frame, alt) in tables.items():
            st.text(title)
            show_table_frame(frame, key=f"{name}_table", name=name, alt=alt)
        show_runs((record.run_key for record in records), within=True)
        show_templates(records)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
