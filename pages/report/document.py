"""One HTML file that shows a page, or one of its figures, to someone without PIDscope.

It holds all that it shows: plotly.js once, the figures, the tables, the texts. Its own policy
forbids a browser to ask for anything else.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from plotly.offline import get_plotlyjs

from pages.report import look
from pages.report.parts import Figure, Part, Picture, Table, Words

MOST_ROWS = 1000
"""Rows of a table that are shown; its CSV has all of them."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands above and below the parts."""

    title: str
    about: str = ""
    """Which benchmarks and models it is about."""
    address: str = ""
    """What the dashboard is asked for to show the same, without server and port."""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    """What else says where this comes from: cache, versions, time."""
    code: Mapping[str, str] = field(default_factory=dict[str, str])
    """What gives the same again, by the words above it."""


def document(head: Head, parts: Iterable[Part]) -> str:
    """Return the page as HTML; every text is shown as it is, none is taken for markup."""
    shown = list(parts)
    body = [f"<h1>{escape(head.title)}</h1>"]
    if head.about:
        body.append(f"<p>{escape(head.about)}</p>")
    body += [_html(part, number) for number, part in enumerate(shown)]
    if head.code:
        body.append("<h2>Reproduce</h2>")
    for words, code in head.code.items():
        body.append(f"<h3>{escape(words)}</h3><pre><code>{escape(code)}</code></pre>")
    facts = ({"Address of this view": head.address} if head.address else {}) | dict(head.facts)
    if facts:
        lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
        body.append(f"<h2>Where this comes from</h2><dl>{lines}</dl>")
    figures = {f"figure-{n}": one for n, one in enumerate(shown) if isinstance(one, Figure)}
    return _whole(head.title, "\n".join(body), figures)


def one_figure(part: Figure) -> str:
    """Return a figure alone as HTML, with what it shows in words below it."""
    return _whole(words_of(part.name), _html(part, 0), {"figure-0": part})


def words_of(name: str) -> str:
    """Return the name of a figure or a table in words.

    >>> words_of("spectrum_bars")
    'Spectrum bars'
    """
    return name.replace("_", " ").strip().capitalize()


def _whole(title: str, body: str, figures: Mapping[str, Figure]) -> str:
    script = ""
    if figures:
        specs = {place: _spec(one) for place, one in figures.items()}
        script = (
            f"<script>{get_plotlyjs()}</script>\n"
            f'<script type="application/json" id="figures">{_json(specs)}</script>\n'
            f'<script type="application/json" id="themes">{_json(look.THEMES)}</script>\n'
            f"<script>{look.SCRIPT}</script>"
        )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{look.POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} - PIDscope</title>\n<style>{look.STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n{script}\n</body>\n</html>\n"
    )


def _html(part: Part, number: int) -> str:
    if isinstance(part, Figure):
        alt = escape(part.alt)
        return (
            f'<figure><div class="plot" id="figure-{number}" role="img" aria-label="{alt}"></div>'
            f"<figcaption>{alt}</figcaption></figure>"
        )
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Picture):
        return _picture(part)
    if isinstance(part, Words):
        if part.kind == "heading":
            return f"<h2>{escape(part.text)}</h2>"
        return f'<p class="{part.kind}">{escape(part.text)}</p>'
    return ""


def _table(part: Table) -> str:
    frame = part.frame.reset_index() if part.index else part.frame
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(value, part.formats.get(name)) for name, value in row) + "</tr>"
        for row in (zip(frame.columns, line, strict=True) for line in _lines(frame))
    )
    left = len(frame) - MOST_ROWS
    more = f'<p class="note">And {left:,} more rows.</p>' if left > 0 else ""
    return (
        f'<div class="wide" tabindex="0"><table><caption>{escape(part.alt)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )


def _lines(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    return frame.head(MOST_ROWS).itertuples(index=False, name=None)


def _cell(value: Any, pattern: str | None) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "<td></td>"
    if isinstance(value, bool | np.bool_):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, Real):
        return f'<td class="number">{escape(_number(value, pattern))}</td>'
    return f"<td>{escape(str(value))}</td>"


def _number(value: Real, pattern: str | None) -> str:
    if pattern is not None:
        try:
            return pattern % value
        except (TypeError, ValueError):  # a pattern of the browser's that Python does not have
            pass
    return f"{int(value):,}" if isinstance(value, Integral) else f"{float(value):.6g}"


def _picture(part: Picture) -> str:
    kinds = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp", b"GIF8": "gif"}
    kind = next((name for start, name in kinds.items() if part.data.startswith(start)), None)
    if kind is None:
        return f'<p class="note">{escape(part.alt)}: this image cannot be shown.</p>'
    data = base64.b64encode(part.data).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="{escape(part.alt)}">'


def _spec(part: Figure) -> dict[str, Any]:
    spec = json.loads(part.figure.to_json() or "{}")
    spec["layout"].pop("template", None)
    return {"data": spec["data"], "layout": spec["layout"], "name": part.name}


def _json(value: object) -> str:
    """Return JSON that no text in it can end: a script ends at the first `</script`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
