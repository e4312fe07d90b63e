"""The table of the Sensory page: four atoms of video and audio, and what each medium is worth."""

from collections.abc import Sequence

import pandas as pd

from data_cache.estimates import SpectrumRecord
from pages.figures.rows import subset_label


def as_frame(records: Sequence[SpectrumRecord]) -> pd.DataFrame:
    """Return one row per spectrum.

    D_video and D_audio are the points of accuracy lost where a medium is left out of the prompt.
    """
    return pd.DataFrame(
        [
            {
                "Model": record.model,
                "Subset": subset_label(record.subset),
                "R_sens (bits)": round(record.redundancy, 3),
                "U_vis (bits)": round(record.unique_1, 3),
                "U_aud (bits)": round(record.unique_2, 3),
                "S_av (bits)": round(record.synergy, 3),
                "I(Y; V, A | T) (bits)": round(record.total, 3),
                "Accuracy (%)": round(100 * record.accuracy, 1),
                "D_video (points)": lost_without(record, "no_image"),
                "D_audio (points)": lost_without(record, "no_audio"),
                "Instructions": len(record.diagnostics.get("conditions") or ()),
                "Samples": record.n,
            }
            for record in records
        ]
    )


def lost_without(record: SpectrumRecord, condition: str) -> float | None:
    """Return the points of accuracy that a prompt without a medium loses; None where not run."""
    full = record.accuracy_by_condition.get("full")
    without = record.accuracy_by_condition.get(condition)
    return None if full is None or without is None else round(100 * (full - without), 1)
