"""Which texts of a page a browser would take for Markdown or HTML."""

import json
from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest

HOSTILE = (
    "**bold** <b>tag</b> <img src=http://example.org/x.png> $x^2$ :red[red] :smile: "
    "[link](javascript:alert(1)) `code`"
)
"""Text that shows at once where it is taken for more than text."""

SHOWN_AS_TEXT = {
    ("text", "body"),
    ("code", "code_text"),
    ("selectbox", "options"),
    ("selectbox", "raw_value"),
    ("multiselect", "options"),
    ("multiselect", "raw_values"),
    ("image", "alt"),
    ("text_input", "default"),
    ("text_input", "value"),
    ("text_area", "default"),
    ("text_area", "value"),
    ("number_input", "data_type"),
}
"""Fields of elements in which Streamlit renders nothing."""
NEVER_SHOWN = {
    "id",
    "key",
    "query_param_key",
    "form_id",
    "url",
    "element_hash",
    "formatted_options",
}


def markup(app: AppTest, needle: str = "**bold**", tag: str = "<b>tag") -> list[str]:
    """List each place where the hostile text would be rendered instead of shown."""
    found: list[str] = []
    for node in _nodes(app._tree):
        kind = str(getattr(node, "type", ""))
        proto = getattr(node, "proto", None)
        if proto is None or not hasattr(proto, "DESCRIPTOR"):
            continue
        if kind == "plotly_chart":
            found += [
                f"chart: {path}: {text}"
                for path, text in _texts(json.loads(proto.spec))
                if tag in text and path.rsplit(".", 1)[-1] not in {"customdata", "legendgroup"}
            ]
            continue
        found += [
            f"{kind}: {name}: {text}"
            for name, text in _strings(proto)
            if needle in text and (kind, name.split(".")[-1]) not in SHOWN_AS_TEXT
        ]
    return found


def mentions(app: AppTest, text: str = "**bold**") -> int:
    """Count the elements that have the text anywhere, tables and charts included."""
    return sum(
        text in str(getattr(node, "proto", "")) or text in repr(getattr(node, "value", ""))
        for node in _nodes(app._tree)
    )


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def _strings(message: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a message of Streamlit's protocol, with the name of its field."""
    for field, value in message.ListFields():
        name = f"{path}.{field.name}".lstrip(".")
        if field.name in NEVER_SHOWN:
            continue
        items = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        for item in items:
            if isinstance(item, str):
                yield name, item
            elif hasattr(item, "ListFields"):
                yield from _strings(item, name)


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, path)
