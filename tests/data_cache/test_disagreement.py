import math

import numpy as np
import pytest

from data_cache.conditions import Condition
from data_cache.disagreement import (
    ORDERS,
    Differing,
    agreement,
    carried,
    disagreements,
    kinds,
    place_of,
)
from data_cache.errors import CacheError, CacheMissing
from data_cache.paired import Pair, paired_rows
from data_cache.records import ATOMS
from data_cache.sample_detail import sample_detail
from data_cache.samples_view import PAGE_LIMIT
from tests.data_cache.answers import estimated, right, wrong
from tests.data_cache.spools import PIXEL, small_benchmark

COUNT = 24


def every(period, otherwise):
    """Answers that are right in every so manyth sample."""
    return lambda sample: right(sample) if sample.meta["i"] % period == 0 else otherwise(sample)


def none(sample):
    return -1


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def keys(cache):
    """A is right in every 2nd sample, B in every 3rd, C always; else A is wrong and B names none.

    A's atoms lie where its place says, B's all in synergy, and C's nowhere.
    """
    benchmark = small_benchmark(COUNT)
    rising = [i / COUNT for i in range(COUNT)]
    zero, one = [0.0] * COUNT, [1.0] * COUNT
    given = {
        "demo/a": (
            every(2, wrong),
            {"gap_score": rising}
            | {
                atom: [float(i % 4 == place) for i in range(COUNT)]
                for place, atom in enumerate(ATOMS)
            },
        ),
        "demo/b": (
            every(3, none),
            dict.fromkeys(("gap_score", *ATOMS), zero) | {"synergy": one},
        ),
        "demo/c": (right, dict.fromkeys(("gap_score", *ATOMS), zero)),
    }
    return tuple(
        estimated(cache, benchmark, model=model, answers=answers, numbers=numbers).estimate_key
        for model, (answers, numbers) in given.items()
    )


def two(keys, **more):
    return Differing(estimate_keys=keys[:2], **more)


def places(page):
    return [row.position for row in page.rows]


def listed(cache, differing):
    return places(disagreements(cache, differing, limit=COUNT))


def test_answers_are_counted_by_who_is_right(cache, keys):
    found = agreement(cache, keys[:2])
    told = {(one.right, one.same): one.samples for one in found.patterns}
    assert told == {
        ((True, True), (True, True)): 4,
        ((True, False), (True, False)): 8,
        ((False, True), (True, False)): 4,
        ((False, False), (True, False)): 8,
    }
    assert found.common == COUNT
    assert found.samples == (COUNT, COUNT)


def test_three_models_are_counted_together(cache, keys):
    found = agreement(cache, keys)
    assert found.count(lambda one: one.right == (False, False, True)) == 8
    assert found.count(lambda one: all(one.same)) == 4
    assert found.common == COUNT


def test_the_same_wrong_answer_is_no_disagreement(tmp_path):
    benchmark = small_benchmark(6)
    for name, answers in (("wrong", wrong), ("none", none)):
        pair = tuple(
            estimated(
                tmp_path, benchmark, model=f"demo/{name}-{side}", answers=answers
            ).estimate_key
            for side in "ab"
        )
        assert agreement(tmp_path, pair).count(lambda one: all(one.same)) == 6
        assert disagreements(tmp_path, Differing(estimate_keys=pair), limit=9).total == 0


def test_every_kind_lists_what_was_counted(cache, keys):
    for chosen in (keys[:2], keys):
        found = agreement(cache, chosen)
        claims = {
            "all": lambda one: True,
            "any": lambda one: not all(one.same),
            "none_right": lambda one: not all(one.same) and not any(one.right),
        }
        for place in range(len(chosen)):
            claims[f"only_{place}"] = lambda one, place=place: (
                one.right[place] and sum(one.right) == 1
            )
            claims[f"all_but_{place}"] = lambda one, place=place: (
                not one.right[place] and sum(one.right) == len(one.right) - 1
            )
        for kind in kinds(len(chosen)):
            page = disagreements(cache, Differing(estimate_keys=chosen, kind=kind), limit=COUNT)
            assert page.total == found.count(claims[kind]) == len(page.rows), kind
    assert not listed(cache, Differing(estimate_keys=keys, kind="none_right")), "C always is"
    row = disagreements(cache, two(keys, kind="only_0"), limit=1).rows[0]
    assert row.sides[0].choice == row.answer != row.sides[1].choice


def test_pages_follow_each_other_in_either_order(cache, keys):
    for order, expected in (("position", False), ("gap_score", True)):
        seen = []
        for offset in range(0, COUNT, 7):
            page = disagreements(cache, two(keys, order_by=order), limit=7, offset=offset)
            seen += places(page)
        # A's GapScore rises with the place and B's is zero.
        assert seen == sorted(seen, reverse=expected)
        assert len(seen) == page.total == len(set(seen))
    assert disagreements(cache, two(keys), limit=7, offset=COUNT).rows == ()


def test_each_distance_is_what_it_is_said_to_be(cache, keys):
    """Against the numbers and distributions of the samples themselves."""
    views = {key: [sample_detail(cache, [key], f"s{i:04d}") for i in range(COUNT)] for key in keys}

    def spread(i, name):
        values = [views[key][i].numbers[name] for key in keys]
        return max(values) - min(values)

    def expected(i, order):
        if order == "answer":
            shares = [views[key][i].distributions[Condition.FULL].probabilities for key in keys]
            return 1 - np.min(shares, axis=0).sum()
        names = ATOMS if order == "atoms" else (order,)
        return sum(spread(i, name) for name in names)

    for order in ORDERS[:-1]:
        differing = Differing(estimate_keys=keys, kind="all", order_by=order)
        rows = disagreements(cache, differing, limit=COUNT).rows
        found = [row.distance or 0.0 for row in rows]
        assert found == pytest.approx([expected(row.position, order) for row in rows])
        assert found == sorted(found, reverse=True)
    assert disagreements(cache, two(keys, order_by="position"), limit=1).rows[0].distance is None


def test_what_carried_the_answers_is_counted_and_listed(cache, keys):
    found = carried(cache, keys)
    assert found == {(atom, "synergy", "none"): COUNT // 4 for atom in ATOMS}
    differing = two(keys, kind="all", carriers=("unique_1", "synergy"), order_by="position")
    assert listed(cache, differing) == list(range(1, COUNT, 4))
    differing = two(keys, kind="all", other_carrier=True, order_by="position")
    assert listed(cache, differing) == [i for i in range(COUNT) if i % 4 != 3]
    assert not listed(cache, two(keys, kind="all", carriers=(None, "none")))


def test_a_sample_has_its_place_and_neighbours_in_the_list(cache, keys):
    order = listed(cache, two(keys))
    assert place_of(cache, two(keys), f"s{order[3]:04d}") == (
        3,
        f"s{order[2]:04d}",
        f"s{order[4]:04d}",
    )
    assert place_of(cache, two(keys), f"s{order[0]:04d}")[1] is None
    assert place_of(cache, two(keys), "elsewhere") == (-1, None, None)


def test_a_row_has_what_a_list_shows(cache, keys):
    benchmark = small_benchmark(COUNT)
    row = disagreements(cache, two(keys, order_by="position"), limit=9).rows[0]
    sample = benchmark.samples[row.position]
    assert (row.sample_id, row.question, row.options) == (
        sample.id,
        sample.question,
        sample.options,
    )
    assert (row.answer, row.subset, row.thumbnail) == (sample.answer, sample.subset, PIXEL)
    a, b = row.sides
    assert a.numbers["gap_score"] == row.position / COUNT
    assert b.numbers["gap_score"] == 0
    assert set(a.distributions) == {"full", "only_1", "only_2", "neither", "no_image"}
    assert len(a.distributions[Condition.ONLY_1].draws) == 2


def test_an_undefined_score_comes_last(tmp_path):
    benchmark = small_benchmark(3)
    pair = tuple(
        estimated(
            tmp_path, benchmark, model=f"demo/{name}", answers=given, numbers={"gap_score": gaps}
        ).estimate_key
        for name, given, gaps in (
            ("a", right, [math.nan, 0.1, 0.5]),
            ("b", wrong, [0.0, 0.0, 0.0]),
        )
    )
    page = disagreements(tmp_path, Differing(estimate_keys=pair), limit=3)
    assert places(page) == [2, 1, 0]
    assert page.rows[2].distance is None


def test_only_samples_of_all_are_compared(tmp_path):
    benchmark = small_benchmark(COUNT)
    ids = [sample.id for sample in benchmark.samples]
    a, b = (
        estimated(tmp_path, benchmark, model=f"demo/{name}", ids=part).estimate_key
        for name, part in (("a", ids[:10]), ("b", ids[6:]))
    )
    found = agreement(tmp_path, (a, b))
    assert (found.samples, found.common) == ((10, COUNT - 6), 4)
    rows = paired_rows(tmp_path, Pair(a=a, b=b))
    assert len(rows.group_ids) == 4
    assert not rows.is_whole


def test_another_version_of_the_benchmark_has_nothing_in_common(tmp_path):
    a = estimated(tmp_path, small_benchmark(10), model="demo/a").estimate_key
    b = estimated(tmp_path, small_benchmark(12), model="demo/b").estimate_key
    assert agreement(tmp_path, (a, b)).common == 0
    assert carried(tmp_path, (a, b)) == {}
    rows = paired_rows(tmp_path, Pair(a=a, b=b))
    assert rows.atoms_a.shape == (0, 4)


def test_paired_rows_average_to_both_records_and_say_who_is_right(cache, keys):
    rows = paired_rows(cache, Pair(a=keys[0], b=keys[1]), answers=True)
    assert rows.is_whole
    for values, expected in ((rows.atoms_a, [0.25] * 4), (rows.atoms_b, [0, 0, 0, 1])):
        assert values.mean(axis=0) == pytest.approx(np.array(expected))
    assert len(set(rows.group_ids)) == COUNT // 2
    assert rows.right_a is not None
    assert rows.right_a[:, 0].tolist() == [float(i % 2 == 0) for i in range(COUNT)]
    # Without the image the model of these runs always names the first option.
    assert rows.right_a[:, 1].tolist() == [float(i % 2 == 0) for i in range(COUNT)]
    assert paired_rows(cache, Pair(a=keys[0], b=keys[1])).right_a is None


def test_unknown_kinds_orders_pages_and_estimates_are_refused(cache, tmp_path, keys):
    with pytest.raises(CacheError, match="of the kind 'all; DROP TABLE samples'"):
        two(keys, kind="all; DROP TABLE samples")
    with pytest.raises(CacheError, match="by 'random'"):
        two(keys, order_by="random")
    with pytest.raises(CacheError, match="carried by"):
        two(keys, carriers=("synergy", "luck"))
    for limit, offset in ((0, 0), (PAGE_LIMIT + 1, 0), (1, -1)):
        with pytest.raises(CacheError, match="page of"):
            disagreements(cache, two(keys), limit=limit, offset=offset)
    with pytest.raises(CacheError, match="no estimate 'gone'"):
        agreement(cache, (keys[0], "gone"))
    for wrong_number in ((keys[0],), (keys[0], keys[0])):
        with pytest.raises(CacheError, match="choose 2 to 4 different ones"):
            agreement(cache, wrong_number)
    with pytest.raises(CacheMissing):
        agreement(tmp_path / "none", keys)
