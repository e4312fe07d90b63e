"""Templates: what is one, what is not, and what becomes of their fields."""

from pathlib import Path

import pytest

from model_runners.errors import BadOption
from model_runners.prompt_templates import (
    ANSWER_STYLES,
    LONGEST,
    STANDARD,
    TEMPLATES,
    AnswerStyle,
    checked,
    filled,
    name_of,
    named,
    names_for,
    read_template,
)

OWN = "{options}\n\nWhich of these answers it? {question}"


def test_every_named_template_is_one_and_the_standard_asks_for_all_answers() -> None:
    for name, template in TEMPLATES.items():
        for answers, text in template.texts.items():
            assert checked(text, answers) == text
            assert answers in {a for a in ANSWER_STYLES if name in names_for(a)}
    assert all(names_for(answers)[0] == STANDARD for answers in ANSWER_STYLES)


def test_named_templates_say_what_the_kits_say() -> None:
    """Compared with the kits' own code, whose blanks at the ends are dropped."""
    said = {name: _asked(named(name, "letters")) for name in names_for("letters")}
    assert said == {
        "standard": "Which?\nOptions:\nA. a cat\nB. a dog\nPlease select the correct answer from "
        "the options above. You must answer with the letter of the correct option only.",
        "vlmevalkit": "Question: Which?\nOptions:\nA. a cat\nB. a dog\n"
        "Please select the correct answer from the options above.",
        "lmms-eval": "Which? There are several options:\nA. a cat\nB. a dog\n\n"
        "Answer with the option's letter from the given choices directly.",
        "llava": "Which?\nA. a cat\nB. a dog\n"
        "Answer with the option's letter from the given choices directly.",
    }
    assert _asked(named("lmms-eval", "yes-no")) == (
        "Which?\nAnswer the question using a single word or phrase."
    )
    assert _asked(named("vlmevalkit", "yes-no")) == "Which?"


def _asked(text: str) -> str:
    return filled(text, question="Which?", options=["A. a cat", "B. a dog"])[0]


def test_fields_are_replaced_in_the_template_only() -> None:
    """What a dataset says is text, whatever it looks like."""
    question, option = "Is {options} like {question}, {0!r} or %s?", "A. {question} {x.__class__}"
    text, start = filled(OWN, question=question, options=[option])
    assert text == f"{option}\n\nWhich of these answers it? {question}"
    assert text[start:] == question


def test_blanks_at_the_ends_are_dropped_whoever_wrote_them() -> None:
    """Chat templates that drop them would else not have the text that is looked for in them."""
    text, start = filled("{options} {question}", question="Which? \n", options=["\n A. a cat"])
    assert (text, text[start:]) == ("A. a cat Which?", "Which?")


def test_a_question_with_a_hint_is_labelled_once() -> None:
    """As VLMEvalKit does; the label of another question stays."""
    text, vlmevalkit = "Hint: It barks.\nQuestion: Which?", named("vlmevalkit", "letters")
    said, start = filled(vlmevalkit, question=text, options=["A. a cat"])
    assert said.startswith(f"{text}\nOptions:\nA. a cat\nPlease")
    assert start == 0
    assert filled(vlmevalkit, question="Which?", options=[])[0].startswith("Question: Which?\n")


def test_other_braces_of_a_template_stay() -> None:
    text = '{question}\n{options}\nAnswer as {"letter": "A"} or { } or {1}.'
    assert _asked(checked(text, "letters")).endswith('{"letter": "A"} or { } or {1}.')


def test_a_template_is_given_by_name_as_a_file_or_as_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_bytes(b"\xef\xbb\xbf" + OWN.replace("\n", "\r\n").encode() + b"\r\n")
    assert read_template("llava", "letters") == named("llava", "letters")
    assert read_template(str(file), "letters") == OWN
    assert read_template(f"\n{OWN}  ", "letters") == OWN


def test_a_template_is_called_by_its_name_or_by_its_text(tmp_path: Path) -> None:
    for name in names_for("letters"):
        assert name_of(named(name, "letters"), "letters") == name
    # The same words ask for other things under other answers.
    assert name_of(named("standard", "letters"), "options").startswith("own ")
    assert name_of(OWN, "letters") != name_of(f"{OWN}!", "letters")


@pytest.mark.parametrize(
    ("text", "answers", "sentence"),
    [
        ("{options}", "letters", r"\{question\} 0 times; write it once, where the question goes"),
        ("{question}", "options", r"\{options\} 0 times; write it once, where the options go"),
        ("{question} {question} {options}", "letters", r"\{question\} 2 times"),
        ("{question} {options} {options}", "letters", r"\{options\} 2 times"),
        ("{question} {options}", "yes-no", r"list no options; take it out.*--answers yes-no"),
        ("{question} {hint} {options}", "letters", r"\{hint\}, which is no field; it can have"),
        ("{ question } {options}", "letters", r"\{ question \}, which is no field"),
        ("{question}\0{options}", "letters", r"the character U\+0000"),
        ("{question}\udcff{options}", "letters", r"the character U\+DCFF"),
        ("{question}{options}" + "x" * LONGEST, "letters", "over 20,000 characters"),
        ("  \n", "letters", r"\{question\} 0 times"),
    ],
)
def test_what_is_no_template_is_refused(text: str, answers: AnswerStyle, sentence: str) -> None:
    with pytest.raises(BadOption, match=sentence):
        checked(text, answers)


def test_a_name_that_cannot_ask_so_says_which_can() -> None:
    with pytest.raises(BadOption, match=r"'llava' asks for letters or yes-no, not for options.*st"):
        read_template("llava", "options")


@pytest.mark.parametrize("given", ["vlmeval", "", ".", "{quesion} {options}", "a\0b", "x" * 9999])
def test_what_is_neither_name_nor_file_nor_text_is_refused(given: str) -> None:
    with pytest.raises(BadOption, match=r"no prompt template and no file.*names are standard, vlm"):
        read_template(given, "letters")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"{question}{options}\x89PNG")
    with pytest.raises(BadOption, match=r"picture.png is not UTF-8 text \(byte 19\)"):
        read_template(str(file), "letters")
    file.write_text(OWN + "x" * 5 * LONGEST)
    with pytest.raises(BadOption, match="is this the right file"):
        read_template(str(file), "letters")
