"""What a job of kind `study` is asked to do, as the JSON that its key is made of, and back."""

from collections.abc import Mapping
from typing import Any

from model_runners.finetuning import requests
from model_runners.finetuning.options import StudyOptions

title_of = requests.study_title_of
check_names = requests.check_names


def request_of(options: StudyOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    return {**requests.request_of(options), "strategies": list(options.strategies)}


def options_of(request: Mapping[str, Any]) -> StudyOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    return requests.read_options(StudyOptions, request)
