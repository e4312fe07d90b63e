"""The beginning of a family file for a model: what is known of it, and what is to be filled in.

Nothing is downloaded beyond config.json: the model is built without weights, to see its parts.
"""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.check_words import where_of
from model_runners.families import Family

if TYPE_CHECKING:
    from torch import nn

LISTS_SHOWN = 4
"""Lists of layers that are named, the longest first."""


def skeleton(family: Family, *, notes: Iterable[str] = ()) -> str:
    """Return the text of a family file.

    Parameters
    ----------
    family
        As it is written or was recognised; fields at their defaults are left out.
    notes
        What is to be looked at, a line each; comments above the fields.

    Examples
    --------
    >>> print(skeleton(Family(name="New", model_type="new_vl", norm="ln_f"), notes=["say more"]))
    \"\"\"New: what is particular to it, in a line.\"\"\"
    <BLANKLINE>
    from model_runners.families import Family
    <BLANKLINE>
    # say more
    FAMILY = Family(
        name="New",
        model_type="new_vl",
        norm="ln_f",
    )
    <BLANKLINE>
    """
    given = {
        field.name: getattr(family, field.name)
        for field in fields(family)
        if field.name != "is_written"
        and (field.default is MISSING or getattr(family, field.name) != field.default)
    }
    imports = ["Family", *(type(v).__name__ for v in given.values() if is_dataclass(v))]
    lines = [
        f'"""{family.name}: what is particular to it, in a line."""',
        "",
        f"from model_runners.families import {', '.join(imports)}",
        "",
        *(line for note in notes for line in _comment(note)),
        "FAMILY = Family(",
        *(f"    {name}={_written(value)}," for name, value in given.items()),
        ")",
        "",
    ]
    return "\n".join(lines)


def table_line(model_type: str) -> str:
    """Return the line that `FAMILIES` needs.

    >>> table_line("new-vl")
    '"new-vl": "model_runners.families.new_vl",'
    """
    return f'"{model_type}": "model_runners.families.{module_of(model_type)}",'


def module_of(model_type: str) -> str:
    """Return a name for the file of a type, one that can be imported.

    >>> module_of("new-vl.2")
    'new_vl_2'
    """
    return "".join(letter if letter.isalnum() else "_" for letter in model_type)


def notes_of(checks: Iterable[Mapping[str, Any]], refusal: str | None = None) -> list[str]:
    """Return what a self-test found, as notes for a skeleton.

    Parameters
    ----------
    checks
        Of the report, as JSON values.
    refusal
        Why there is no report, in a sentence.
    """
    found = [f"{check['name']} fails: {where_of(check)}" for check in checks if where_of(check)]
    return ([refusal] if refusal else []) + found


def family_of_files(folder: Path) -> tuple[Family, list[str]]:
    """Describe a model by its configuration alone, as far as that goes.

    Parameters
    ----------
    folder
        With config.json.

    Returns
    -------
    tuple
        A family with the usual names where nothing else was found, and what a person must look at.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    plain = Family(name=config.model_type, model_type=config.model_type)
    try:
        with torch.device("meta"):
            model = transformers.AutoModelForMultimodalLM.from_config(config)
    except (ValueError, RuntimeError, TypeError, ImportError, AttributeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return plain, [f"its parts are not known: {reason}"]
    lists = _lists_of_layers(model)
    notes = [f"layers: {path}, {len(one)} of {type(one[0]).__name__}" for path, one in lists]
    return plain, notes


def _lists_of_layers(model: "nn.Module") -> "list[tuple[str, Any]]":
    """Return the longest lists of modules, one of each place, with their paths."""
    from torch import nn

    found = [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module)
    ]
    outer = [
        (path, module)
        for path, module in found
        if not any(path.startswith(f"{other}.") for other, _ in found)
    ]
    return sorted(outer, key=lambda pair: -len(pair[1]))[:LISTS_SHOWN]


def _comment(note: str) -> list[str]:
    return textwrap.wrap(note, 100, initial_indent="# ", subsequent_indent="#   ")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return repr(value)
