"""What a job of kind `selftest` is asked to do, as the JSON of its key, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from model_runners.errors import BadOption
from model_runners.examining import ExamineOptions
from model_runners.models import lasting_name, resolve_model, shown_name


def request_of(options: ExamineOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    return {**asdict(options), "model": lasting_name(options.model)}


def options_of(request: Mapping[str, Any]) -> ExamineOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    try:
        return ExamineOptions(**request)
    except TypeError as error:
        raise BadOption(
            f"this job was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: ExamineOptions) -> str:
    """Return one line that tells a person which job it is."""
    return f"self-test of {shown_name(options.model)}"


def check_names(options: ExamineOptions) -> None:
    """Refuse what cannot be found, in milliseconds.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    resolve_model(options.model)
