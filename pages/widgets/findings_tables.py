"""Findings as tables: one row per finding, and one per statistic of the one that is opened."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import streamlit as st

from model_runners.findings import RULE, Found, Material
from pages.figures.finding_dots import (
    describe,
    ends_words,
    finding_dots,
    value_words,
)
from pages.widgets import drawn
from pages.widgets.charts import show_figure
from pages.widgets.tables import show_table_frame
from pid_core.claims import Verdict

VERDICTS: tuple[Verdict, ...] = ("supported", "contradicted", "not enough data")
KIND_WORDS = {
    "published": "as published",
    "built": "as its questions were built",
    "measured": "as the models here say",
}
PLACES = {
    "over_layers": ("pages/layers.py", "See the layers", ":material/layers:"),
    "over_training": ("pages/training.py", "See the trainings", ":material/timeline:"),
    "after_tuning": ("pages/lora.py", "See the adapters", ":material/model_training:"),
}
"""Where more of a statistic is seen, by the module that it is computed in."""
FAMILIES = ("pages/families.py", "See the models", ":material/scatter_plot:")


def show_findings(found: Sequence[Found]) -> None:
    """Show all findings, one row each."""
    counts = [(sum(one.verdict == verdict for one in found), verdict) for verdict in VERDICTS]
    st.text(", ".join(f"{count} {verdict}" for count, verdict in counts) + ".")
    frame = overview(found)
    show_table_frame(
        frame,
        column_config={
            "Id": st.column_config.TextColumn(width=105),
            "Verdict": st.column_config.TextColumn(width=130),
            "Here": st.column_config.TextColumn(width=170),
            "Published": st.column_config.TextColumn(width=130),
            "Finding": st.column_config.TextColumn(width=370),
        },
        height="content",
        key="findings_table",
        alt="Each finding of the papers with its verdict, our number and the published one.",
    )
    st.download_button(
        "Download all statistics (CSV)",
        pd.concat([statistics(one).assign(Finding=one.finding.id) for one in found])
        .to_csv(index=False)
        .encode(),
        file_name="findings.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_findings",
    )
    drawn.show_caption(RULE)


def overview(found: Sequence[Found]) -> pd.DataFrame:
    """Return one row per finding."""
    return pd.DataFrame(
        [
            {
                "Id": one.finding.id,
                "Verdict": one.verdict,
                "Finding": one.finding.title,
                "Here": ours(one),
                "95 %": ends_words(one.parts[0].part.evidence.interval, one.finding.unit)
                if len(one.parts) == 1
                else "",
                "n": _n(one),
                "Published": published(one),
                "Rests on": one.why,
                "Paper": f"{one.finding.paper}, {one.finding.at}",
            }
            for one in found
        ]
    )


def statistics(one: Found) -> pd.DataFrame:
    """Return one row per statistic of a finding."""
    unit = one.finding.unit
    rows: list[dict[str, object]] = []
    for part in one.parts:
        evidence = part.part.evidence
        rows.append(
            {
                "Of": part.part.about,
                "Here": "" if isnan(evidence.value) else value_words(evidence.value, unit),
                "95 %": ends_words(evidence.interval, unit),
                "n": f"{evidence.n:,} {evidence.unit}",
                "Claim": f"{part.side} {value_words(one.finding.against, unit, signed=False)}",
                "p": _p(evidence.p_value),
                "p corrected": _p(part.judged.adjusted_p),
                "Verdict": part.judged.verdict,
                "Published": part.part.published,
                "Remark": part.why,
            }
        )
    return pd.DataFrame(rows)


def ours(one: Found) -> str:
    """Return our number, or from which to which they are."""
    unit = one.finding.unit
    values = [part.part.evidence.value for part in one.parts if not isnan(part.part.evidence.value)]
    if not values:
        return ""
    if len(values) == 1:
        return value_words(values[0], unit)
    low, high = value_words(min(values), unit), value_words(max(values), unit)
    return f"{low.split(' ')[0]} to {high}"


def published(one: Found) -> str:
    """Return the published number, or from which to which they are."""
    unit = one.finding.unit
    values = [
        part.part.published_value for part in one.parts if part.part.published_value is not None
    ]
    if not values:
        words = dict.fromkeys(part.part.published for part in one.parts if part.part.published)
        return next(iter(words)) if len(words) == 1 else ""
    low, high = value_words(min(values), unit), value_words(max(values), unit)
    return low if low == high else f"{low.split(' ')[0]} to {high}"


def show_statistics(one: Found) -> None:
    """Show the statistics of one finding: drawn, and as a table."""
    finding = one.finding
    st.text(f"{finding.paper}, {finding.at}: {finding.claim} Here: {one.verdict}.")
    show_figure(finding_dots(one), key="finding_dots", alt=describe(one))
    drawn.show_caption(
        f"{finding.number}, with 95 % intervals; by the claim it lies {_side(one)}. Filled and "
        "blue: supported; a cross: contradicted; hollow: not enough data. Diamonds are published, "
        "not measured here."
    )
    show_table_frame(
        statistics(one),
        key="finding_statistics",
        alt="The statistics of the finding, with interval, corrected p-value and published value.",
    )
    module = getattr(finding.statistic, "func", finding.statistic).__module__.rsplit(".", 1)[-1]
    page, label, icon = PLACES.get(module, FAMILIES)
    st.page_link(page, label=label, icon=icon)


def show_tasks_held(material: Material) -> None:
    """Say which tasks count, what each asks for, and how that is known."""
    lines = [
        f"{task.name}: {task.kind}, {KIND_WORDS[task.origin]} ({len(task.records)} models)"
        for task in material.tasks
        if task.kind and task.origin
    ]
    others = [task.name for task in material.tasks if not task.kind]
    if others:
        lines.append(f"Of neither regime, or not known: {', '.join(others)}")
    if lines:
        with st.expander(f"Tasks ({len(material.tasks)})", icon=":material/checklist:"):
            st.text("\n".join(lines))


def _side(one: Found) -> str:
    sides = {part.side for part in one.parts}
    threshold = value_words(one.finding.against, one.finding.unit, signed=False)
    if len(sides) > 1:
        return f"above {threshold} on synergy-driven tasks and below it on knowledge-driven ones"
    return f"{next(iter(sides), one.finding.side)} {threshold}"


def _n(one: Found) -> str:
    """Return how many there are of what, from the fewest to the most."""
    counts = sorted({(p.part.evidence.n, p.part.evidence.unit) for p in one.parts})
    if not counts:
        return ""
    (low, unit), (high, _) = counts[0], counts[-1]
    return f"{low:,} {unit}" if low == high else f"{low:,} to {high:,} {unit}"


def _p(value: float) -> str:
    if isnan(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
