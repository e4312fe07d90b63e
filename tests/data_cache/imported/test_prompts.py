"""Question and options are found in prompts as benchmarks spell them, or left together."""

import pytest

from data_cache.imported.prompts import asked_in

ASK = "Answer with the option's letter."


@pytest.mark.parametrize(
    ("prompt", "question", "options"),
    [
        (f"Which?\nA. red\nB. blue\n{ASK}", "Which?", ("red", "blue")),
        (f"Which?\nOptions:\nA. red\nB. blue\n{ASK}", "Which?", ("red", "blue")),
        ("Which?\nThere are several options:\n(A) red\n(B) blue", "Which?", ("red", "blue")),
        (
            "Hint: A. is no option\nWhich?\nA) red\nB) blue",
            "Hint: A. is no option\nWhich?",
            ("red", "blue"),
        ),
        ("Which?\nA. two\nlines\nB. blue\n<image>", "Which?", ("two\nlines", "blue")),
        ("Which?\nA. red\nC. blue", "Which?\nA. red\nC. blue", None),
        ("A. red\nB. blue", "A. red\nB. blue", None),
        ("Which?\nA.\nB. blue", "Which?\nA.\nB. blue", None),
    ],
)
def test_options_on_lines_of_their_own_are_told_from_the_question(
    prompt: str, question: str, options: tuple[str, ...] | None
) -> None:
    asked = asked_in(prompt, 2)
    assert asked.question == question
    assert asked.options == options
