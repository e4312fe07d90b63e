"""What stands around every page: the sidebar, the export, and a sentence where a page fails."""

from typing import Protocol

from data_cache.errors import DataError
from model_runners.errors import RunnerError
from pages.widgets import drawn, running_jobs
from pages.widgets.errors import show_error
from pages.widgets.export import show_export
from pages.widgets.first_address import follow_first_address
from pages.widgets.garbage import keep_searches_short
from pages.widgets.sidebar import choose
from pages.widgets.stored import read_stored
from pages.widgets.visitors import show_visitor
from pid_core import PidError


class Page(Protocol):
    """What `st.navigation` returns."""

    @property
    def url_path(self) -> str:
        """Its name in the address, empty for the first page."""
        ...

    @property
    def title(self) -> str:
        """What it is called on screen."""
        ...

    def run(self) -> None:
        """Draw it."""
        ...


def show(page: Page) -> None:
    """Draw a page, with what is around it."""
    keep_searches_short()
    is_overview = page.url_path == ""
    has_own_pickers = page.url_path == "training"
    follow_first_address(is_overview=is_overview)
    drawn.begin()
    try:
        ended = running_jobs.look()
        reading = read_stored()
        running_jobs.choose_results(ended, reading)
        choose(reading, pickers=not (is_overview or has_own_pickers))
        show_visitor()
        running_jobs.show_running(reading)
        page.run()
        show_export(page.url_path or "overview", page.title, reading)
    except (DataError, PidError, RunnerError) as error:
        show_error(error)
    finally:
        drawn.end()
