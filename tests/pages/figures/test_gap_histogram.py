from pages.figures.gap_histogram import bins, describe, gap_histogram, threshold
from pages.figures.scores import SCORES
from pages.widgets.strategy_words import rank_of, roles_of

GAP = SCORES[0]


def test_each_role_is_counted_in_its_own_bars() -> None:
    figure = gap_histogram({"gap": [0.9, 0.8], "shortcut": [0.2], "rest": [0.1, 0.3]}, GAP)
    assert [trace.name for trace in figure.data] == [
        "gap samples (2)",
        "shortcut samples (1)",
        "the rest (2)",
    ]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.8]
    assert figure.layout.xaxis.title.text == "GapScore (bits)"


def test_a_strategy_gives_the_samples_its_own_names() -> None:
    roles = roles_of("accuracy")
    figure = gap_histogram({"gap": [0.9], "rest": [0.1]}, rank_of("accuracy"), roles)
    assert [trace.name for trace in figure.data] == ["hard samples (1)", "the rest (1)"]
    assert "Hard samples begin at 0.900" in describe({"gap": [0.9]}, rank_of("accuracy"), roles)


def test_no_threshold_is_drawn_where_the_score_alone_does_not_decide() -> None:
    scores = {"gap": [0.5], "rest": [0.9]}
    assert threshold(scores) is None
    assert not gap_histogram(scores, GAP).layout.shapes


def test_equal_scores_and_none_at_all_are_drawn_too() -> None:
    assert len(gap_histogram({"rest": [0.0, 0.0]}, GAP).data) == 1
    assert not gap_histogram({}, GAP).data


def test_the_bars_are_described_in_words() -> None:
    assert describe({"gap": [0.5], "rest": [0.1]}, GAP) == (
        "GapScore of train samples: 1 gap samples, 0 shortcut samples, 1 the rest. "
        "Gap samples begin at 0.500 bits."
    )


def test_a_bar_counts_the_scores_between_its_ends_which_are_short_numbers() -> None:
    scores = {"gap": [0.93, 0.8], "rest": [0.0, 0.1, 0.3, 0.31]}
    assert bins(scores) == (0.0, 0.95, 0.05)
    for trace, values in zip(gap_histogram(scores, GAP).data, scores.values(), strict=True):
        for middle, count, (low, high) in zip(trace.x, trace.y, trace.customdata, strict=True):
            assert count == sum(low <= value < high for value in values)
            assert low < middle < high
            assert len(str(low)) <= 4
        assert sum(trace.y) == len(values)


def test_a_bar_says_its_ends_with_their_unit() -> None:
    (trace,) = gap_histogram({"gap": [0.1, 1.0]}, GAP).data
    assert trace.hovertext[0] == "gap samples: 1 sample from 0.1 to 0.15 bits"
