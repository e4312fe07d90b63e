"""An opened sample as a report repeats it: question, options, images, what carried the answer."""

from collections.abc import Iterable, Mapping

import pandas as pd

from data_cache.conditions import Condition
from data_cache.estimates import SpectrumRecord
from data_cache.queries import StoredSample
from data_cache.sample_detail import SampleDetail
from data_cache.samples import letter_of
from pages.figures.scores import SCORES
from pages.report.parts import Numbers, Picture, Table, Words
from pages.widgets import drawn


def note_sample(detail: SampleDetail, sentences: Iterable[str]) -> None:
    """Note an opened sample for the export.

    Parameters
    ----------
    detail
        The sample and what is known of it.
    sentences
        What the page says of it.
    """
    full = detail.distributions.get(Condition.FULL)
    choice = None if full is None else full.strict_choice[0]
    note_question(detail.sample, {"model's answer": choice}, sentences, [detail.record])
    drawn.note(
        Table(
            name="scores",
            frame=pd.DataFrame(
                [
                    {
                        "Score": score.label,
                        "Value": detail.numbers[score.field],
                        "Unit": score.unit,
                        "Meaning": score.meaning,
                    }
                    for score in SCORES
                ]
            ),
            alt="Scores of this sample.",
            formats={"Value": "%.3f"},
        )
    )


def note_question(
    sample: StoredSample,
    choices: Mapping[str, int | None],
    sentences: Iterable[str],
    records: Iterable[SpectrumRecord],
) -> None:
    """Note what a sample asks and who answered what.

    Parameters
    ----------
    sample
        The sample.
    choices
        Index of the chosen option by the words for who chose it; None where it was none of them.
    sentences
        What the page says of it.
    records
        The estimates that its numbers come from.
    """
    drawn.note(Numbers(records=tuple(records)))
    drawn.note(Words(text=f"Sample {sample.sample_id}", kind="heading"))
    for sentence in sentences:
        drawn.note(Words(text=sentence))
    count = len(sample.thumbnails)
    for number, small in enumerate(sample.thumbnails, start=1):
        if small is not None:
            drawn.note(Picture(data=small, alt=f"Image {number} of {count}"))
    drawn.note(Words(text=sample.question))
    lines = [
        f"{letter_of(place)}  {option}{_marks(place, sample.answer, choices)}"
        for place, option in enumerate(sample.options)
    ]
    drawn.note(Words(text="\n".join(lines)))


def _marks(place: int, answer: int, choices: Mapping[str, int | None]) -> str:
    said = ["right answer"] if place == answer else []
    said += [words for words, choice in choices.items() if choice == place]
    return f"  ({', '.join(said)})" if said else ""
