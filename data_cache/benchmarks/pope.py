"""POPE: is an object in the image, yes or no; three ways of choosing objects that are not there.

Forms: one question per line in files called `.json`; JSON arrays (GQA and A-OKVQA, from SEEM); the
annotations of POPEv2; the hub's Parquet files, one for all settings or one for each; VLMEvalKit's
table, where a question that belongs to several settings is one row.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from data_cache.benchmarks.source import Context, HubFiles, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.beside import find_beside
from data_cache.formats.embedded import with_images
from data_cache.formats.image_files import group_of_images
from data_cache.formats.json_records import read_json
from data_cache.formats.options import YES_NO, yes_or_no
from data_cache.formats.rows import LeftOut, Row, quoted
from data_cache.formats.tables import read_table
from data_cache.images import ImageFile
from data_cache.samples import Sample

SETTINGS = ("adversarial", "popular", "random")
"""How the objects that are not in the image were chosen."""
EDITED = "v2"
"""POPEv2: each image as it was, and with the object in question taken out of it."""
IMAGE_FOLDERS = (
    *("val2014", "images", "coco/val2014", "images/val2014", "coco/images/val2014"),
    *("train2014", "coco/train2014", "train2017", "coco/train2017"),
    *("gqa", "gqa/images", "images/gqa"),
)
HUB = ("lmms-lab/POPE", "lmms-lab-encoder/POPE")
TABLE = "POPE.tsv"
COCO = "http://images.cocodataset.org/zips"
GQA = "https://downloads.cs.stanford.edu/nlp/data/gqa/images.zip"


def _way(archive: str) -> str:
    file = archive.rpartition("/")[2]
    return (
        f"`git clone https://github.com/AoiDragon/POPE && cd POPE && wget {archive} "
        f"&& unzip {file}` downloads the questions and the images"
    )


def _on_coco(summary: str, settings: tuple[str, ...]) -> Variant:
    which = settings[0] if len(settings) == 1 else "*"
    name = f"coco_pope_{which}.json"
    folders = ("", "coco/", "output/coco/", "**/")
    return Variant(
        summary=summary,
        files=(
            *(f"{folder}{name}{end}" for folder in folders for end in ("", "l")),
            *(f"{folder}{which}-*.parquet" for folder in ("Full/", "**/Full/")),
            *("test-*.parquet", "data/test-*.parquet", f"**/{TABLE}"),
        ),
        lmudata=(TABLE,),
        hub=(
            HubFiles(
                repos=HUB,
                patterns=tuple(f"Full/{setting}-*.parquet" for setting in settings),
                size=f"{85 * len(settings)} MB",
            ),
            HubFiles(repos=HUB, patterns=("data/test-*.parquet",), size="255 MB"),
        ),
        expected_rows=3000 * len(settings),
    )


def _from_seem(images: str, name: str, archive: str) -> Variant:
    folders = ("", f"{name}/", f"output/seem/{name}/", "**/")
    return Variant(
        summary=f"all settings on images of {images}",
        files=tuple(f"{folder}{name}_pope_*.json" for folder in folders),
        expected_rows=9000,
        how_to_get=_way(archive),
    )


SOURCE = Source(
    title="POPE",
    summary="is an object in the image, yes or no; half of them are not",
    licence="MIT (images of COCO and GQA under their own terms)",
    homepage="https://github.com/AoiDragon/POPE",
    group="image",
    variants={
        **{
            setting: _on_coco(f"{setting} objects on images of COCO", (setting,))
            for setting in SETTINGS
        },
        "coco": _on_coco("all three settings on images of COCO", SETTINGS),
        "aokvqa": _from_seem("A-OKVQA", "aokvqa", f"{COCO}/val2014.zip"),
        "gqa": _from_seem("GQA", "gqa", GQA),
        EDITED: Variant(
            summary="POPEv2: images of COCO as they are, and with the object taken out",
            files=("annotations.json", "dataset/annotations.json", "**/dataset/annotations.json"),
            how_to_get=_way(f"{COCO}/train2017.zip"),
        ),
    },
    how_to_get=_way(f"{COCO}/val2014.zip"),
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the questions of all files.

    Raises
    ------
    BenchmarkError
        If a file cannot be read, or holds another setting than the variant.
    """
    return chain.from_iterable(_rows_of(path, context) for path in context.found.files)


def _rows_of(path: Path, context: Context) -> Iterator[Row]:
    setting = _setting_of(path)
    if context.variant in SETTINGS and setting not in (None, context.variant):
        raise BenchmarkError(f"{path} has the {setting} objects; ask for pope:{setting}")
    if path.suffix.lower() in {".json", ".jsonl"}:
        edited = context.variant == EDITED
        required = ("image_name", "query", "label") if edited else ("image", "text", "label")
        return read_json(path, required=required)
    return with_images(read_table(path, required=("question", "answer")), context.store)


def _setting_of(path: Path) -> str | None:
    named = [setting for setting in SETTINGS if setting in path.name.lower()]
    return named[0] if len(named) == 1 else None


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a question.

    Raises
    ------
    BadRow
        If its answer is neither yes nor no, or its image is not there.
    LeftOut
        If it belongs to other settings than the variant.
    """
    if context.variant == EDITED:
        return _of_edited(row, context)
    settings = _settings_of_row(row, context)
    if context.variant in SETTINGS and context.variant not in settings:
        raise LeftOut("of another setting")
    images, shown = _images(row, context)
    subset = context.variant if context.variant in SETTINGS else ", ".join(settings)
    return Sample(
        id=_name_of(row, settings),
        group_id=shown,
        images=images,
        question=row.text("text" if "text" in row.values else "question"),
        options=YES_NO,
        answer=_answer(row, "label" if "label" in row.values else "answer"),
        subset=subset,
        meta={"category": ",".join(settings)},
    )


def _of_edited(row: Row, context: Context) -> Sample:
    name = row.text("image_name").lstrip("/")
    thing = row.optional("target_object")
    # The edited image and the one that it was made from differ in their folder only.
    shorter = [name.partition("/")[2]] if name.count("/") > 1 else []
    path = find_beside(row, "image_name", (name, *shorter), context.found.root, whole=True)
    answer = _answer(row, "label")
    return Sample(
        id=f"{name} {thing or row.number}",
        group_id=row.optional("image_id") or path.stem,
        images=(_file(row, "image_name", path, context),),
        question=row.text("query"),
        options=YES_NO,
        answer=answer,
        meta={"category": EDITED, "object": thing},
    )


def _settings_of_row(row: Row, context: Context) -> tuple[str, ...]:
    said = row.optional("category")
    if said is None:
        named = _setting_of(row.file)
        return (named or context.variant,)
    settings = tuple(part.strip().lower() for part in said.split(",") if part.strip())
    if not settings:
        raise row.bad("category", f"{quoted(said)} names no setting")
    if strange := [part for part in settings if part not in SETTINGS]:
        raise row.bad("category", f"{quoted(strange[0])} is none of {', '.join(SETTINGS)}")
    return tuple(sorted(set(settings)))


def _name_of(row: Row, settings: tuple[str, ...]) -> str:
    """Return an id that is the same in the JSON files and in the hub's, which count per setting."""
    number = row.optional("question_id")
    if number is not None and len(settings) == 1:
        return f"{settings[0]}-{number.removesuffix('.0')}"
    return (row.optional("index") or str(row.number)).removesuffix(".0")


def _images(row: Row, context: Context) -> tuple[tuple[ImageFile, ...], str]:
    """Return the image, and a name for it by which questions are grouped."""
    if row.images:
        named = row.optional("image_source")
        return row.images, Path(named).stem if named else group_of_images(row.images) or ""
    written = [name for name in ("image", "image_path") if name in row.values]
    column = written[0] if written else "image"
    name = row.text(column)
    folders = (*IMAGE_FOLDERS, "images/POPE")
    path = find_beside(row, column, (name,), context.found.root, folders)
    return (_file(row, column, path, context),), path.stem


def _file(row: Row, column: str, path: Path, context: Context) -> ImageFile:
    try:
        return context.store.file(path)
    except BenchmarkError as error:
        raise row.bad(column, str(error)) from error


def _answer(row: Row, column: str) -> int:
    text = row.text(column)
    answer = yes_or_no(text)
    if answer is None:
        raise row.bad(column, f"{quoted(text)} is neither yes nor no")
    return answer
