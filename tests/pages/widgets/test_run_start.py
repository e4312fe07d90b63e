"""Before a start the form says whether the run fits the memory, and nothing where nobody knows."""

from model_runners.profile import ProfileOptions
from pages.widgets.run_start import memory_sentence


def test_the_form_says_whether_a_run_fits() -> None:
    said = memory_sentence(
        ProfileOptions(model="demo/oracle", benchmark="digits_vqa", device="cpu")
    )
    assert said.startswith("The run fits: about ")
    assert "text guessed from" in said


def test_a_model_that_is_not_here_is_not_guessed() -> None:
    assert not memory_sentence(ProfileOptions(model="llava-1.5-7b", benchmark="digits_vqa"))
