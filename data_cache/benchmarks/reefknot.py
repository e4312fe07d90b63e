"""Reefknot: how are two things in the image related; the options are inside the prompt.

Lines of JSON. The multiple-choice file has both kinds of relation, perception first; the file of
yes-no questions has them, too. Images are those of Visual Genome, in its two folders or in one.
"""

from collections.abc import Iterator
from itertools import chain

from data_cache.benchmarks.source import Context, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.beside import find_beside
from data_cache.formats.choices import answer_of
from data_cache.formats.json_records import read_json
from data_cache.formats.options import YES_NO, NoOptions, Parts, options_in_prompt, yes_or_no
from data_cache.formats.rows import LeftOut, Row, quoted
from data_cache.samples import Sample

REQUIRED = ("image_id", "query_prompt", "label", "relation_type")
RELATIONS = {"perception": "perception", "cognitive": "cognitive", "cognition": "cognitive"}
"""The file says cognitive, its description cognition."""
IN_WORDS = "yesno"
"""The variant whose questions are answered with yes or no."""
REQUEST = "please answer yes or no."
"""At the end of a yes-no question; how to answer is said by the template of a run."""
IMAGE_FOLDERS = (
    *("VG_100K", "VG_100K_2", "images", "images/VG_100K", "images/VG_100K_2"),
    *("vg/VG_100K", "vg/VG_100K_2"),
)

IMAGES = "https://cs.stanford.edu/people/rak248/VG_100K_2"


def _variant(summary: str, name: str, rows: int) -> Variant:
    return Variant(
        summary=summary,
        files=(f"{name}.jsonl", f"Dataset/{name}.jsonl", f"**/{name}.jsonl"),
        expected_rows=rows,
    )


SOURCE = Source(
    title="Reefknot",
    summary="how two things in an image are related, 4 options",
    licence="none stated (images of Visual Genome: CC BY 4.0)",
    homepage="https://github.com/JackChen-seu/Reefknot",
    group="image",
    variants={
        "perception": _variant(
            "relations that are seen, such as on or behind", "Multichoice", 6950
        ),
        "cognitive": _variant("relations that are understood, such as eating", "Multichoice", 6950),
        "all": _variant("both kinds of relation", "Multichoice", 6950),
        IN_WORDS: _variant("both kinds of relation, answered with yes or no", "YESNO", 9740),
    },
    how_to_get=(
        "`git clone https://github.com/JackChen-seu/Reefknot && cd Reefknot "
        f"&& wget {IMAGES}/images.zip {IMAGES}/images2.zip "
        "&& unzip images.zip && unzip images2.zip` downloads the questions and the images"
    ),
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the questions.

    Raises
    ------
    BenchmarkError
        If a file cannot be read.
    """
    return chain.from_iterable(read_json(path, required=REQUIRED) for path in context.found.files)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a question.

    Raises
    ------
    BadRow
        If its prompt has no options, its label is none of them, or its image is not there.
    LeftOut
        If it is an open question, or about the other kind of relation.
    """
    kind = row.optional("type")
    if kind == "VQA":
        raise LeftOut("open question")
    relation = _relation(row)
    if context.variant in RELATIONS.values() and relation != context.variant:
        raise LeftOut("of the other kind of relation")
    if kind is not None and (kind == "Yes/No") != (context.variant == IN_WORDS):
        variant = IN_WORDS if kind == "Yes/No" else "all"
        raise row.bad("type", f"it is {quoted(kind)}; ask for reefknot:{variant}")
    parts, answer = _asked(row, in_words=context.variant == IN_WORDS)
    name = row.text("image_id")
    path = find_beside(row, "image_id", (f"{name}.jpg",), context.found.root, IMAGE_FOLDERS)
    try:
        image = context.store.file(path)
    except BenchmarkError as error:
        raise row.bad("image_id", str(error)) from error
    return Sample(
        id=str(row.number),
        group_id=name,
        images=(image,),
        question=parts.question,
        options=parts.options,
        answer=answer,
        subset=relation,
        meta={"type": kind},
    )


def _relation(row: Row) -> str:
    said = row.text("relation_type")
    relation = RELATIONS.get(said.lower())
    if relation is None:
        raise row.bad("relation_type", f"{quoted(said)} is neither perception nor cognitive")
    return relation


def _asked(row: Row, *, in_words: bool) -> tuple[Parts, int]:
    """Return the question with its options, and the index of the answer."""
    prompt = row.text("query_prompt")
    if in_words:
        label = row.text("label")
        answer = yes_or_no(label)
        if answer is None:
            raise row.bad("label", f"{quoted(label)} is neither yes nor no")
        question = prompt[: -len(REQUEST)] if prompt.lower().endswith(REQUEST) else prompt
        return Parts(question=question.strip(), options=YES_NO), answer
    try:
        parts = options_in_prompt(prompt)
    except NoOptions as error:
        raise row.bad("query_prompt", str(error)) from error
    return parts, answer_of(row, parts.options, "label")
