r"""The JSON that Stage 2 of Xiu, Luo, Nakayama 2026 writes (github.com/RiiShin/pid-lvlm-analysis).

It is one array, an item of which is a question as Stage 1 reads it, with what the model answered
put into the turn of the conversation that held the right answer::

    {"image": "path or base64", "num_options": 4,
     "conversations": [
       {"from": "human", "value": "prompt with its options\n<image>"},
       {"from": "gpt", "label": "A", "value": "the model's first word",
        "v_feature": [...], "l_feature": [...],
        "v_prob": [...], "l_prob": [...], "vl_prob": [...],
        "v_orig_prob": [...], "l_orig_prob": [...], "vl_orig_prob": [...]}]}

`v` is vision alone (the text masked by noise), `l` language alone, `vl` both. Lists have as many
numbers as the benchmark's longest question has options. `*_prob` sum to 1 over the `num_options` of
the item and are uniform where the options held less than 0.3 of the mass; `*_orig_prob` are the
probabilities of the letters among all words, before that, those of letters that are no options here
included. So a run is made of the latter where they are there, and tau can be chosen again.
"""

from collections.abc import Mapping
from typing import Any, cast

from data_cache.conditions import Condition
from data_cache.formats.rows import Row
from data_cache.imported.answers import Answer, Layout, features_of, option_of, split_of
from data_cache.imported.probabilities import (
    Scale,
    certain_choice,
    checked,
    refuse_contradiction,
    vector_of,
)
from data_cache.imported.prompts import IMAGE_MARK, asked_in

NAMES = {Condition.FULL: "vl", Condition.ONLY_1: "v", Condition.ONLY_2: "l"}
TURNS = "conversations"
IDS = ("id", "question_id", "index")
GROUPS = ("group_id", "group")
SUBSETS = ("subset", "l2-category", "l2_category", "category")
TAKEN = frozenset({*IDS, *GROUPS, *SUBSETS, "image", "num_options", "options", "split", TURNS})
"""What an item says that is kept elsewhere than in the sample's further facts."""


def is_stage_2(row: Row) -> bool:
    """Tell whether a record is of this format."""
    return TURNS in row.values


def layout_of(row: Row) -> Layout:
    """Return what a file's first good item tells of all of them.

    Raises
    ------
    BadRow
        If it has no predictions.
    """
    turn = _turn(row)
    scale: Scale = (
        "vocabulary" if all(f"{name}_orig_prob" in turn for name in NAMES.values()) else "options"
    )
    return Layout(format="xiu26", scales=dict.fromkeys(NAMES, scale))


def answer_of(row: Row, layout: Layout) -> Answer:
    """Return what an item says.

    Raises
    ------
    BadRow
        If it says too little, or something that cannot be.
    """
    turn = _turn(row)
    count = _count(row, turn)
    prompt = _prompt(row)
    asked = asked_in(prompt, count)
    options = _options(row, count) or asked.options
    probabilities: dict[Condition, Any] = {}
    choices: dict[Condition, int] = {}
    for condition, scale in layout.scales.items():
        name = NAMES[condition]
        column = f"{name}_prob"
        forced = checked(
            row, column, vector_of(row, column, _list(row, turn, column)), count, "options"
        )
        probabilities[condition] = forced
        choices[condition] = certain_choice(forced, count)
        if scale == "vocabulary":
            whole = f"{name}_orig_prob"
            given = vector_of(row, whole, _list(row, turn, whole))
            mass = checked(row, whole, given, count, scale)
            refuse_contradiction(row, column, forced, mass)
            probabilities[condition] = mass
            choices[condition] = certain_choice(given, count)
    said = turn.get("value")
    if isinstance(said, str):
        found = option_of(said, options, count) if _is_one_word(said) else None
        choices[Condition.FULL] = -1 if found is None else found
    return Answer(
        row=row,
        id=_first(row, IDS),
        group_id=_first(row, GROUPS),
        subset=_first(row, SUBSETS),
        split=split_of(row, "split"),
        question=asked.question,
        options=options,
        count=count,
        right=_right(row, turn, options, count),
        probabilities=probabilities,
        choices=choices,
        features_1=features_of(_as_row(row, turn), "v_feature"),
        features_2=features_of(_as_row(row, turn), "l_feature"),
        images=_images(row),
        meta={
            "prompt": prompt,
            **({"answered": said} if isinstance(said, str) else {}),
            **{
                name: value
                for name, value in row.values.items()
                if name not in TAKEN and isinstance(value, str | int | float | bool)
            },
        },
    )


def _turns(row: Row) -> list[Mapping[str, Any]]:
    turns = row.get(TURNS)
    if not isinstance(turns, list) or not all(
        isinstance(turn, dict) for turn in cast(list[object], turns)
    ):
        raise row.bad(TURNS, "it is no list of turns")
    return cast(list[Mapping[str, Any]], turns)


def _turn(row: Row) -> Mapping[str, Any]:
    """Return the turn that holds the predictions."""
    answers = [turn for turn in _turns(row) if turn.get("from") == "gpt"]
    for turn in answers:
        if "vl_prob" in turn:
            return turn
    raise row.bad(
        TURNS,
        "no turn has a vl_prob; is this the input of Stage 2? Its output is wanted"
        if answers
        else "no turn is from gpt",
    )


def _prompt(row: Row) -> str:
    for turn in _turns(row):
        value = turn.get("value")
        if turn.get("from") == "human" and isinstance(value, str):
            text = value.replace(f"\n{IMAGE_MARK}", "").strip()
            if text:
                return text
    raise row.bad(TURNS, "no turn from human has a text")


def _count(row: Row, turn: Mapping[str, Any]) -> int:
    count = row.get("num_options")
    if count is None:
        count = len(_list(row, turn, "vl_prob"))
    if isinstance(count, bool) or not isinstance(count, int) or count < 2:
        raise row.bad("num_options", f"{count!r} is no number of options; 2 or more are needed")
    return count


def _list(row: Row, turn: Mapping[str, Any], column: str) -> list[object]:
    value = turn.get(column)
    if not isinstance(value, list):
        raise row.bad(column, "it is missing" if value is None else "it is no list of numbers")
    return cast(list[object], value)


def _right(
    row: Row, turn: Mapping[str, Any], options: tuple[str, ...] | None, count: int
) -> int | None:
    label = turn.get("label")
    if not isinstance(label, str):
        raise row.bad("label", "the right answer is missing")
    found = option_of(label, options, count)
    if found is None:
        raise row.bad("label", f"{label!r} is none of the {count} options")
    return found


def _is_one_word(said: str) -> bool:
    """Tell whether a text is a letter, with or without signs around it, and no sentence."""
    return len(said.strip()) <= len("(A).")


def _options(row: Row, count: int) -> tuple[str, ...] | None:
    value = row.get("options")
    if not isinstance(value, list):
        return None
    texts = tuple(str(text) for text in cast(list[object], value))
    if len(texts) != count:
        raise row.bad("options", f"it lists {len(texts)}, and num_options is {count}")
    return texts


def _images(row: Row) -> tuple[str, ...]:
    value = row.get("image")
    values = cast(list[object], value) if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str) and text)


def _first(row: Row, names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := row.optional(name)) is not None), None)


def _as_row(row: Row, turn: Mapping[str, Any]) -> Row:
    return Row(file=row.file, number=row.number, values=turn)
