"""In one sentence: who answers a sample how, and by which route."""

from collections.abc import Sequence

from data_cache.across import View
from data_cache.samples import letter_of
from pages.figures.palette import ATOMS

SMALLEST = 0.01
"""Bits; among smaller atoms none is said to be the largest."""
NO_ATOM = "too small to tell"


def in_a_sentence(views: Sequence[tuple[str, View]], answer: int) -> str:
    """Say which models are right, and which atom is the largest for which of them.

    Parameters
    ----------
    views
        The models that have the sample, each with its letter.
    answer
        Index of the right option.
    """
    return f"{_who_is_right(views, answer)} {_by_which_route(views)}"


def _who_is_right(views: Sequence[tuple[str, View]], answer: int) -> str:
    right = [letter for letter, view in views if view.choice == answer]
    wrong = [letter for letter, view in views if view.choice != answer]
    if not wrong:
        return f"{_all_of(right)} right."
    named = {view.choice for letter, view in views if letter in wrong}
    choice = named.pop()
    if named:
        same = ""
    elif choice is None:
        same = ", with none of the options as first token"
    else:
        same = f", with {letter_of(choice)}"
    if not right:
        differently = ", and differently" if named else same
        return f"{_all_of(wrong)} wrong{differently}."
    return f"{_and(right)} {_are(right)} right, {_and(wrong)} {_are(wrong)} wrong{same}."


def _by_which_route(views: Sequence[tuple[str, View]]) -> str:
    routes: dict[str, list[str]] = {}
    for letter, view in views:
        routes.setdefault(largest_atom(view), []).append(letter)
    if len(routes) == 1:
        route = next(iter(routes))
        return (
            f"No atom of this sample reaches {SMALLEST} bits."
            if route == NO_ATOM
            else f"For {'all' if len(views) > 1 else 'it'} the largest atom is {route}."
        )
    told = [f"{route} for {_and(letters)}" for route, letters in routes.items()]
    return f"By different routes: the largest atom is {_and(told)}."


def largest_atom(view: View) -> str:
    """Name the largest atom of a sample, the first of equal ones, if any counts."""
    known = [(view.numbers.get(atom.field) or 0.0, atom.label.lower()) for atom in ATOMS]
    value, label = max(known, key=lambda one: one[0])
    return label if value >= SMALLEST else NO_ATOM


def _all_of(letters: Sequence[str]) -> str:
    if len(letters) == 1:
        return f"{letters[0]} is"
    return "Both models are" if len(letters) == 2 else f"All {len(letters)} models are"


def _and(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), words[-1]])


def _are(letters: Sequence[str]) -> str:
    return "is" if len(letters) == 1 else "are"
