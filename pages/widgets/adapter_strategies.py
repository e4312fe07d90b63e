"""The strategies that adapters of one base were trained by, beside each other and over seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache.adapters import AdapterRecord
from data_cache.estimates import SpectrumRecord
from model_runners.finetuning.standings import Standing, on_benchmark, standings
from model_runners.finetuning.study import BASE, alike, outcomes_of, written
from pages.figures import strategy_dots
from pages.figures.before_after import Pair
from pages.figures.correlation_dots import p_words
from pages.figures.rows import subset_label
from pages.widgets import drawn
from pages.widgets.adapter_parts import Shown
from pages.widgets.adapter_results import strategy_of, subset_of
from pages.widgets.charts import show_figure
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import SPLIT, pairs_of
from pages.widgets.tables import show_table_frame


def show_strategies(shown: Shown, adapters: Sequence[AdapterRecord], reading: Stored) -> None:
    """Compare the adapters that differ in strategy and seed only, and list the others of the base.

    Parameters
    ----------
    shown
        The adapter that is looked at, and where it was measured.
    adapters
        All of the cache.
    reading
        Of the cache.
    """
    st.subheader("Strategies on the same base", anchor=False)
    by_subset = read_standings(shown.adapter, adapters, reading, shown.benchmark)
    found = by_subset.get(shown.subset, [])
    if found:
        _show_standings(found, shown, adapters, reading)
    _show_all(shown, adapters, reading)


def read_standings(
    adapter: AdapterRecord, adapters: Sequence[AdapterRecord], reading: Stored, benchmark: str
) -> dict[str | None, list[Standing]]:
    """Return the strategies of the study that an adapter belongs to, by subset; None is all."""
    own = next((one for one in adapters if one.key == adapter.key), adapter)
    return _standings(
        str(reading.cache),
        reading.version,
        tuple(reversed(alike(own, adapters))),
        benchmark,
        reading.spectra,
    )


def over_questions(found: Sequence[Standing], synergy: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per strategy, the base first.

    Parameters
    ----------
    found
        From `read_standings`.
    synergy
        Of each strategy in words, where it is known.
    """
    rows = []
    for one in found:
        base, uniform = one.over_base, one.over_uniform
        row = {
            "Strategy": one.strategy,
            "Seeds": "" if one.strategy == BASE else str(len(one.seeds)),
            "Accuracy (%)": written(one.accuracy, scale=100, digits=1),
            "Minus base (points)": _points(one.minus_base),
            "p, base": "" if base is None else p_words(base.p_value),
            "Minus uniform (points)": _points(one.minus_uniform),
            "p, uniform": "" if uniform is None else p_words(uniform.p_value),
            "p, corrected": "" if one.adjusted_p is None else p_words(one.adjusted_p),
            "Wrong to right, every seed": "" if base is None else f"{one.always_won:,}",
            "Right to wrong, every seed": "" if base is None else f"{one.always_lost:,}",
        }
        if synergy:
            row["Synergy (bits)"] = synergy.get(one.strategy, "")
        rows.append(row)
    return pd.DataFrame(rows)


def strategies(
    subset: str, adapters: Sequence[tuple[AdapterRecord, Mapping[str, Pair]]]
) -> pd.DataFrame:
    """Return one row per base run, and one per adapter below it."""
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    for one, pairs in adapters:
        pair = pairs[subset]
        if pair.before.estimate_key not in seen:
            seen.add(pair.before.estimate_key)
            rows.append({"Strategy": BASE} | _measured(pair.before))
        rows.append(
            {"Strategy": strategy_of(one)}
            | _measured(pair.after)
            | {
                "Trained on": subset_of(one) or "every subset",
                "Train samples": f"{one.n_train:,}",
                "Epochs": str(one.options.get("epochs")),
                "Rank": str(one.options.get("rank")),
                "Seed": str(one.options.get("seed")),
                "Adapter": one.name,
            }
        )
    base = [row for row in rows if "Adapter" not in row]
    trained = sorted(
        (row for row in rows if "Adapter" in row), key=lambda row: str(row["Strategy"])
    )
    return pd.DataFrame([*base, *trained]).fillna("")


def _show_standings(
    found: Sequence[Standing],
    shown: Shown,
    adapters: Sequence[AdapterRecord],
    reading: Stored,
) -> None:
    where = "every subset" if shown.subset is None else subset_label(shown.subset)
    st.text(f"{shown.benchmark}, {where}: {found[0].n:,} test questions that all of them answered.")
    show_figure(
        strategy_dots.strategy_dots(found), key="strategy_dots", alt=strategy_dots.describe(found)
    )
    show_table_frame(
        over_questions(found, _synergy(shown, adapters, reading)),
        key="standings_table",
        alt="One row per strategy: accuracy over seeds, and against base and uniform.",
    )
    drawn.show_caption(
        "Adapters that differ in strategy and seed only. Means over seeds with Student's 95 % "
        "interval: would other seeds say the same? p: would other questions say the same of these "
        "very adapters? It is exact, from flipping which of the two is right, question by "
        "question, groups and seeds of a question together (with one seed and no groups McNemar's "
        "test). Corrected: by Holm, over the strategies that are compared with uniform. Every "
        "seed: questions on which all adapters of a strategy differ from the base."
    )


def _show_all(shown: Shown, adapters: Sequence[AdapterRecord], reading: Stored) -> None:
    here = [
        (one, {pair.after.subset: pair for pair in pairs_of(one, reading.spectra)})
        for each in adapters
        if each.base == shown.adapter.base
        and (one := on_benchmark(each, shown.benchmark)) is not None
    ]
    subsets = [shown.subset] if shown.subset is not None else []
    subsets += [pair.after.subset for pair in pairs_of(shown.adapter, reading.spectra)]
    if not subsets:
        return
    subset = subsets[0]
    st.text(f"Every adapter of this base: {subset_label(subset)}")
    show_table_frame(
        strategies(subset, [(one, pairs) for one, pairs in here if subset in pairs]),
        key="strategy_table",
        alt="One row per adapter of this base, and one for the base itself.",
    )
    drawn.show_caption(
        f"As found on the {SPLIT} split, with the 95 % interval of each estimate. They differ in "
        "more than their strategy where the columns on the right differ."
    )


def _synergy(shown: Shown, adapters: Sequence[AdapterRecord], reading: Stored) -> dict[str, str]:
    """Return each strategy's synergy over seeds, in words; nothing where several subsets count."""
    if shown.subset is None:
        return {}
    own = next((one for one in adapters if one.key == shown.adapter.key), shown.adapter)
    there = [on_benchmark(one, shown.benchmark) for one in alike(own, adapters)]
    spectra = [
        one
        for one in reading.spectra
        if (one.split, one.estimator, one.subset, one.benchmark)
        == (SPLIT, "certified", shown.subset, shown.benchmark)
    ]
    found = outcomes_of([one for one in there if one is not None], spectra)
    return {one.strategy: written(one.synergy, digits=3) for one in found}


def _points(one: object) -> str:
    from pid_core.repeats import Repeated

    return written(one, scale=100, digits=1, sign="+") if isinstance(one, Repeated) else ""


def _measured(record: SpectrumRecord) -> dict[str, object]:
    def with_interval(atom: str) -> str:
        text = f"{round(getattr(record, atom), 3) + 0.0:.3f}"
        low_high = record.interval.get(atom)
        return text if low_high is None else f"{text} ({low_high[0]:.3f} to {low_high[1]:.3f})"

    return {
        "Synergy (bits)": with_interval("synergy"),
        "Unique language (bits)": with_interval("unique_2"),
        "Accuracy (%)": f"{100 * record.accuracy:.1f}",
        "Test samples": f"{record.n:,}",
    }


# The estimates follow from the version.
@st.cache_data(
    max_entries=16,
    show_spinner="Comparing strategies",
    hash_funcs={AdapterRecord: lambda one: (one.key, one.state, one.run_key, len(one.measured))},
)
def _standings(
    cache: str,
    version: str,
    adapters: tuple[AdapterRecord, ...],
    benchmark: str,
    _spectra: Sequence[SpectrumRecord],
) -> dict[str | None, list[Standing]]:
    return standings(Path(cache), adapters, _spectra, benchmark=benchmark)
