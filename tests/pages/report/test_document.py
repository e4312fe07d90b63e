"""A report is one file that asks for nothing, and takes no text for markup."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.report.document import MOST_ROWS, Head, document, one_figure
from pages.report.parts import Figure, Numbers, Picture, Table, Words
from pages.report.whole import about
from tests.pages.markup import HOSTILE
from tests.pages.spectra import record

PIXEL = bytes.fromhex("89504e470d0a1a0a")
END = "</script><script>alert(1)</script> <!-- "


class Tags(HTMLParser):
    """Collects tags with their attributes, and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def figure(text: str) -> Figure:
    drawn = go.Figure(go.Bar(x=[1.0], y=[text.replace("<", "&lt;")], customdata=[[text]]))
    return Figure(name="bars", figure=drawn, alt=text)


def hostile_report() -> str:
    text = HOSTILE + END
    frame = pd.DataFrame({text: [text, None]}, index=[text, "b"])
    head = Head(title=text, about=text, address=text, facts={text: text}, code={text: text})
    parts = [
        *(figure(text), figure(text)),
        Table(name="t", frame=frame, alt=text, index=True),
        *(Words(text=text, kind=kind) for kind in ("heading", "text", "note", "warning")),
        *(Picture(data=PIXEL, alt=text), Picture(data=b"<b>", alt=text)),
        Numbers(records=()),
    ]
    return document(head, parts)


@pytest.fixture(scope="module")
def read() -> Tags:
    return Tags(hostile_report())


def test_no_text_becomes_markup(read: Tags) -> None:
    tags = [tag for tag, _ in read.tags]
    assert not {"b", "a"} & set(tags)
    assert tags.count("script") == 4, "plotly.js, the figures, the themes and what draws them"
    assert tags.count("img") == 1
    assert any(HOSTILE in text for text in read.texts)


def test_figures_survive_whatever_their_texts_hold(read: Tags) -> None:
    specs = [json.loads(text) for text in read.texts if text.startswith('{"figure-')]
    (figures,) = specs
    assert list(figures) == ["figure-0", "figure-1"]
    assert figures["figure-0"]["data"][0]["customdata"] == [[HOSTILE + END]]
    places = [given["id"] for tag, given in read.tags if given.get("class") == "plot"]
    assert places == list(figures)


def test_plotly_is_inlined_once_and_nothing_is_asked_of_another_machine(read: Tags) -> None:
    html = hostile_report()
    assert len(re.findall(r"plotly\.js v\d", html)) == 1
    sources = [given[name] for _, given in read.tags for name in ("src", "href") if name in given]
    assert [source[:22] for source in sources if source] == ["data:image/png;base64,"]
    assert "url(" not in "".join(re.findall(r"<style>.*?</style>", html, re.S))
    (policy,) = [given["content"] for _, given in read.tags if "http-equiv" in given]
    assert str(policy).startswith("default-src 'none';")
    assert "http" not in str(policy)


def test_a_page_without_figures_has_no_script() -> None:
    html = document(Head(title="Words"), [Words(text="a")])
    assert "<script" not in html
    assert len(html) < 5_000


def test_a_figure_alone_keeps_its_words_and_follows_light_and_dark() -> None:
    html = one_figure(figure("what it shows"))
    assert 'aria-label="what it shows"' in html
    assert "<figcaption>what it shows</figcaption>" in html
    assert "prefers-color-scheme: dark" in html


def test_numbers_are_written_as_on_the_page_and_missing_ones_are_empty() -> None:
    frame = pd.DataFrame({"a": [0.12345, None], "n": pd.array([1234, None], "Int64")})
    html = document(Head(title="t"), [Table(name="t", frame=frame, alt="", formats={"a": "%.2f"})])
    assert re.findall(r"<td[^>]*>([^<]*)</td>", html) == ["0.12", "1,234", "", ""]


def test_long_tables_say_how_many_rows_are_left_out() -> None:
    frame = pd.DataFrame({"a": range(MOST_ROWS + 7)})
    html = document(Head(title="t"), [Table(name="t", frame=frame, alt="")])
    assert html.count("<tr>") == MOST_ROWS + 1
    assert "And 7 more rows." in html


def test_a_report_says_which_models_on_which_benchmarks() -> None:
    records = [record(model="a"), record(model="b"), record("vision", model="a")]
    assert about(records) == "digits_vqa: a, b"
