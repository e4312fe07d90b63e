"""An opened sample as a report repeats it: question, options, images, what carried the answer."""

from collections.abc import Iterable

import pandas as pd

from data_cache.conditions import Condition
from data_cache.sample_detail import SampleDetail
from data_cache.samples import letter_of
from pages.figures.scores import SCORES
from pages.report.parts import Numbers, Picture, Table, Words
from pages.widgets import drawn


def note_sample(detail: SampleDetail, sentences: Iterable[str]) -> None:
    """Note a sample for the export.

    Parameters
    ----------
    detail
        The sample and what is known of it.
    sentences
        What the page says of it.
    """
    sample = detail.sample
    drawn.note(Words(text=f"Sample {sample.sample_id}", kind="heading"))
    for sentence in sentences:
        drawn.note(Words(text=sentence))
    count = len(sample.thumbnails)
    for number, small in enumerate(sample.thumbnails, start=1):
        if small is not None:
            drawn.note(Picture(data=small, alt=f"Image {number} of {count}"))
    drawn.note(Words(text=sample.question))
    full = detail.distributions.get(Condition.FULL)
    choice = None if full is None else full.strict_choice[0]
    drawn.note(Words(text="\n".join(_options(sample.options, sample.answer, choice))))
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
    drawn.note(Numbers(records=(detail.record,)))


def _options(options: Iterable[str], answer: int, choice: int | None) -> Iterable[str]:
    for place, option in enumerate(options):
        marks = {"right answer": place == answer, "model's answer": place == choice}
        said = ", ".join(words for words, is_so in marks.items() if is_so)
        yield f"{letter_of(place)}  {option}" + (f"  ({said})" if said else "")
