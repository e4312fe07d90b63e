from pages.widgets.address import quoted, sentence_of


def test_all_that_is_not_here_is_one_sentence() -> None:
    assert sentence_of([("page", "999"), ("sort", "x")]) == (
        "The address asks for page “999”, sort “x”, which is not here; "
        "what is here is shown instead."
    )
    assert sentence_of([]) == ""


def test_long_values_and_lines_are_cut() -> None:
    assert quoted("a" * 100) == "a" * 59 + "…"
    assert quoted("a\nb\t c") == "a b c"
