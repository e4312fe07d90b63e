"""The prompt template beside the numbers: in full, as text, and by name where there is no room."""

import io

import pandas as pd
from streamlit.testing.v1 import AppTest

from model_runners.prompt_templates import named
from pages.widgets import state
from pages.widgets.asked import IMPORTED, in_words, template_of
from pages.widgets.evidence import split_settings
from pages.widgets.spectrum_choices import settings_labels
from pages.widgets.spectrum_table import as_csv
from tests.pages.spectra import record

STANDARD = named("standard", "letters")
LLAVA = named("llava", "letters")
HOSTILE = "**b** <script>x</script> $x$\n{question}\n{options} [a](javascript:b)"


def page(settings) -> None:
    from pages.widgets.evidence import show_settings
    from tests.pages.spectra import record

    show_settings(
        [record("vision", settings=one, model=f"demo/{n}") for n, one in enumerate(settings)]
    )


def shown(*settings) -> AppTest:
    app = AppTest.from_function(page, args=(settings,), default_timeout=30)
    app.session_state[state.SETTINGS_OPEN] = True
    app.run()
    assert not app.exception
    return app


def test_the_standard_template_is_shown_too() -> None:
    app = shown({"tau": 0.3}, {"tau": 0.0})
    assert [code.value for code in app.code] == [STANDARD]
    assert app.code[0].language in {None, "", "plaintext"}
    assert "Prompt template" in [text.value for text in app.text]
    words = shown({"tau": 0.3, "answers": "yes-no"})
    assert [code.value for code in words.code] == [named("standard", "yes-no")]


def test_templates_that_differ_are_each_shown_once_with_their_rows() -> None:
    app = shown({}, {"template": HOSTILE}, {"template": HOSTILE})
    assert [code.value for code in app.code] == [STANDARD, HOSTILE]
    assert [text.value for text in app.text if "template of" in text.value] == [
        "Prompt template of demo/0, vision",
        "Prompt template of demo/1, vision; demo/2, vision",
    ]
    assert not any("script" in element.value for element in (*app.markdown, *app.caption))


def sample_page(settings) -> None:
    from data_cache.queries import StoredSample
    from pages.widgets.asked import show_asked

    sample = StoredSample(
        sample_id="s",
        position=0,
        group_id="g",
        subset="all",
        split="test",
        system=None,
        question="$x$ {options}?",
        options=("**a**", "<b>b</b>"),
        answer=0,
        meta={},
        images=(),
        thumbnails=(),
        video=None,
        audio=None,
    )
    show_asked(sample, settings)


def test_an_opened_sample_shows_what_its_template_made_of_it() -> None:
    app = AppTest.from_function(sample_page, args=({"template": LLAVA},), default_timeout=30).run()
    assert not app.exception
    assert [code.value for code in app.code] == [
        LLAVA,
        "$x$ {options}?\nA. **a**\nB. <b>b</b>\n"
        "Answer with the option's letter from the given choices directly.",
    ]
    imported = {"imported": "a table"}
    app = AppTest.from_function(sample_page, args=(imported,), default_timeout=30).run()
    assert [code.value for code in app.code] == [IMPORTED]


def test_the_file_of_all_settings_has_the_text() -> None:
    rows = [record(settings=one) for one in ({}, {"template": LLAVA}, {"imported": "a table"})]
    frame = pd.read_csv(io.BytesIO(as_csv(rows)))
    assert list(frame["setting_template"]) == [STANDARD, LLAVA, "not known"]


def test_an_imported_number_says_that_nobody_knows() -> None:
    assert [code.value for code in shown({"imported": "a table"}).code] == [IMPORTED]
    assert template_of({"imported": "a table"}) == "not known"


def test_tables_and_pickers_say_the_name() -> None:
    rows = [
        record(settings={"tau": 0.3}, estimate_key="a"),
        record(settings={"tau": 0.3, "template": LLAVA}, estimate_key="b"),
        record(settings={"tau": 0.3, "template": HOSTILE}, estimate_key="c"),
    ]
    own = str(in_words(rows[2].settings)["template"])
    assert own.startswith("own ")
    _, differing = split_settings(rows)
    assert list(differing["template"]) == ["standard", "llava", own]
    assert settings_labels(rows) == {
        "a": "template standard",
        "b": "template llava",
        "c": f"template {own}",
    }
