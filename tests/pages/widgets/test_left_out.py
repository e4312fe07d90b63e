"""The card of a job names the bad rows of its benchmark, as plain text."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from data_cache import jobs


def page(cache: str) -> None:
    from pathlib import Path

    from data_cache import jobs
    from pages.widgets.left_out import show_bad_rows_of

    (job,) = jobs.jobs(Path(cache))
    show_bad_rows_of(job)


def shown(cache: Path, result: dict[str, object]) -> AppTest:
    job = jobs.open_or_create(cache, "profile", {"of": str(result)}, "a job")
    jobs.claim(cache, job.job_key)
    jobs.finish(cache, job.job_key, "done", result=result, message="done")
    app = AppTest.from_function(page, kwargs={"cache": str(cache)}, default_timeout=60).run()
    assert not app.exception, app.exception
    return app


def test_bad_rows_and_rows_left_out_are_on_the_card(tmp_path: Path) -> None:
    rows = ["/a.tsv, row 3, column answer: ![x](http://x) is no option"]
    app = shown(tmp_path, {"bad_rows": rows, "bad_row_count": 7, "left_out_rows": {"open": 2}})
    assert [one.label for one in app.expander] == ["7 bad rows of the benchmark"]
    assert app.dataframe[0].value["Bad row"].tolist() == rows
    assert [one.value for one in app.text] == [
        "Left out on purpose: 2 rows (open).",
        "The first 1 are shown.",
    ]
    assert not app.markdown


def test_a_job_of_good_rows_says_nothing(tmp_path: Path) -> None:
    app = shown(tmp_path, {"rows": 9, "bad_rows": [], "bad_row_count": 0, "left_out_rows": {}})
    assert not app.expander
    assert not app.text
