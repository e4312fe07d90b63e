"""MMBench: multiple choice about one image; each question once per rotation of its options.

Official tables (TSV, as VLMEvalKit loads them) and the Parquet files of the hub are read. A row's
index is `question + pass * 1,000,000`, and in a TSV a rotated row names its base row instead of
holding the image again. CircularEval counts a question as right if all its passes are.
"""

import re
from collections.abc import Iterator

from data_cache.benchmarks.source import Context, HubFiles, Source, Variant
from data_cache.formats.choices import answer_of, asked, lettered_options, read_answered
from data_cache.formats.embedded import with_images
from data_cache.formats.rows import LeftOut, Row, quoted
from data_cache.samples import Sample

PASS_STEP = 1_000_000
"""The index of a rotated copy is that of its base question plus a multiple of this."""
REQUIRED = ("index", "question", "A", "B", "image")
SUBSET_COLUMNS = ("l2-category", "L2-category", "category")
"""The first that a row has; the hub's copies write a capital, and `cc` has categories alone."""
WGET = (
    "wget -P ${LMUData:-$HOME/LMUData} https://opencompass.openxlab.space/utils/benchmarks/MMBench"
)

LMMS_LAB = ("lmms-lab/MMBench", "lmms-lab-encoder/MMBench")
LMMS_LAB_EN = ("lmms-lab/MMBench_EN", "lmms-lab-encoder/MMBench_EN")
LMMS_LAB_CN = ("lmms-lab/MMBench_CN", "lmms-lab-encoder/MMBench_CN")

# A folder that holds a test split alone is found, too, so that a sentence says what it lacks.
TEST_EN = ("MMBench_TEST_EN.tsv", "en/test-*.parquet", "data/test-*.parquet")
TEST_CN = ("MMBench_TEST_CN.tsv", "cn/test-*.parquet", "data/test-*.parquet")

SOURCE = Source(
    title="MMBench",
    summary="20 abilities in 6 groups, one image and 2 to 4 options, each question in rotations",
    licence="Apache-2.0 (repository); the images have owners of their own",
    homepage="https://github.com/open-compass/MMBench",
    group="base question",
    circular=True,
    variants={
        "en_dev": Variant(
            summary="English, development split: 1164 questions in 4329 rows",
            files=(
                "MMBench_DEV_EN.tsv",
                "MMBench_DEV_EN_legacy.tsv",
                "en/dev-*.parquet",
                "data/dev-*.parquet",
                "data/validation-*.parquet",
                *TEST_EN,
            ),
            lmudata=("MMBench_DEV_EN.tsv", "MMBench_DEV_EN_legacy.tsv"),
            hub=(
                HubFiles(repos=LMMS_LAB, patterns=("en/dev-*.parquet",), size="about 100 MB"),
                HubFiles(
                    repos=("HuggingFaceM4/MMBench",),
                    patterns=("data/validation-*.parquet",),
                    size="126 MB",
                ),
                HubFiles(repos=LMMS_LAB_EN, patterns=("data/dev-*.parquet",), size="98 MB"),
            ),
            expected_rows=4329,
        ),
        "cn_dev": Variant(
            summary="Chinese, development split",
            files=(
                "MMBench_DEV_CN.tsv",
                "MMBench_DEV_CN_legacy.tsv",
                "cn/dev-*.parquet",
                "data/dev-*.parquet",
                *TEST_CN,
            ),
            lmudata=("MMBench_DEV_CN.tsv", "MMBench_DEV_CN_legacy.tsv"),
            hub=(
                HubFiles(repos=LMMS_LAB, patterns=("cn/dev-*.parquet",), size="97 MB"),
                HubFiles(repos=LMMS_LAB_CN, patterns=("data/dev-*.parquet",), size="97 MB"),
            ),
            expected_rows=4329,
        ),
        "cc": Variant(
            summary="CCBench: Chinese culture, 510 questions in 2040 rows",
            files=("CCBench.tsv", "CCBench_legacy.tsv", "cc/test-*.parquet"),
            lmudata=("CCBench.tsv", "CCBench_legacy.tsv"),
            hub=(HubFiles(repos=LMMS_LAB, patterns=("cc/test-*.parquet",), size="51 MB"),),
            expected_rows=2040,
        ),
        "en_dev_v11": Variant(
            summary="English, development split of version 1.1",
            files=("MMBench_DEV_EN_V11.tsv", "MMBench_TEST_EN_V11.tsv"),
            lmudata=("MMBench_DEV_EN_V11.tsv",),
            how_to_get=f"`{WGET}/MMBench_DEV_EN_V11.tsv` downloads it",
        ),
        "cn_dev_v11": Variant(
            summary="Chinese, development split of version 1.1",
            files=("MMBench_DEV_CN_V11.tsv", "MMBench_TEST_CN_V11.tsv"),
            lmudata=("MMBench_DEV_CN_V11.tsv",),
            how_to_get=f"`{WGET}/MMBench_DEV_CN_V11.tsv` downloads it",
        ),
    },
)


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows with their images.

    Raises
    ------
    BenchmarkError
        If a file cannot be read, or has no answers.
    """
    advice = "its authors keep those of MMBench's test split; take the dev split"
    found = read_answered(context.found.files, required=REQUIRED, advice=advice)
    return with_images(found, context.store)


def sample_of(row: Row, context: Context) -> Sample:
    """Return the sample of a row.

    Raises
    ------
    BadRow
        If its index, options or answer cannot be used.
    LeftOut
        If it is a rotated copy and only base questions are wanted, or has no image.
    """
    index = row.text("index").removesuffix(".0")
    if not re.fullmatch(r"[0-9]{1,15}", index):
        raise row.bad("index", f"{quoted(index)} is no number")
    turn, question = divmod(int(index), PASS_STEP)
    if turn and context.circular == "base_only":
        raise LeftOut("rotated copy")
    if not row.images:
        raise LeftOut("no image")
    options = lettered_options(row)
    subsets = (row.optional(column) for column in SUBSET_COLUMNS)
    return Sample(
        id=index,
        group_id=str(question),
        images=row.images,
        question=asked(row),
        options=options,
        answer=answer_of(row, options),
        subset=next((name for name in subsets if name is not None), "all"),
        meta={
            "category": row.optional("category"),
            "source": row.optional("source"),
            "pass": turn,
        },
    )
