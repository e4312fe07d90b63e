"""The images of an opened sample: thumbnails at once, originals when asked for."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.image_store import ImageStore
from data_cache.images import ImageFile, MediaFile
from data_cache.samples import Benchmark
from data_cache.thumbnails import as_shown
from pages.widgets.sample_list import CELL_PIXELS
from tests.data_cache.spools import small_benchmark
from tests.data_cache.test_thumbnails import drawn, encoded, sideways
from tests.pages.sample_caches import build_samples
from tests.pages.test_samples import PAGE
from tests.pages.test_spectra import APP, words

PHOTOGRAPH = encoded(drawn(900, 600), "JPEG")
SIDEWAYS = sideways(900, 600)
SMALL = encoded(drawn(256, 256))
VIDEO = MediaFile(path=Path("/videos/**loud** <b>.mp4"), digest="0" * 64)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppTest]:
    """The Samples page on one sample of each kind."""
    folder = tmp_path_factory.mktemp("images")
    files = {name: folder / f"{name}.jpg" for name in ("sideways", "deleted", "replaced")}
    files["sideways"].write_bytes(SIDEWAYS)
    files["deleted"].write_bytes(encoded(drawn(800, 600), "JPEG"))
    files["replaced"].write_bytes(encoded(drawn(600, 800), "JPEG"))
    cache = folder / "cache"
    with ImageStore(cache) as store:
        images: dict[str, tuple[ImageFile, ...]] = {
            "kept": (store.keep(PHOTOGRAPH, "a photograph"),),
            **{name: (store.file(path),) for name, path in files.items()},
            "small": (ImageFile(data=SMALL),),
            "missing": (ImageFile(path=folder / "none.png"), ImageFile(data=encoded(drawn(9, 9)))),
            "video": (ImageFile(data=encoded(drawn(300, 200))),),
        }
    one = small_benchmark(1).samples[0]
    samples = tuple(
        dataclasses.replace(
            one,
            id=f"s{number:04d}",
            group_id=name,
            images=shown,
            video=VIDEO if name == "video" else None,
            audio=VIDEO if name == "video" else None,
        )
        for number, (name, shown) in enumerate(images.items())
    )
    build_samples(cache, Benchmark(name="images", samples=samples), subsets=("left",))
    files["deleted"].unlink()
    files["replaced"].write_bytes(PHOTOGRAPH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIDSCOPE_CACHE", str(cache))
        app = AppTest.from_file(APP, default_timeout=120).run()
        yield app.switch_page(PAGE)


KINDS = ("kept", "sideways", "deleted", "replaced", "small", "missing", "video")


def opened(page: AppTest, kind: str) -> AppTest:
    page.query_params["sample"] = f"s{KINDS.index(kind):04d}"
    page.run()
    if page.toggle:
        page.toggle(key="full_size").set_value(False).run()
    assert not page.exception, page.exception
    return page


def in_full_size(app: AppTest) -> AppTest:
    app.toggle(key="full_size").set_value(True).run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest) -> list[tuple[str, str]]:
    """Alternative text and address of each image; an address is made of the content."""
    return [(image.alt, image.url) for element in app.get("image") for image in element.proto.imgs]


def address(data: bytes, width: int | str = "content") -> str:
    """The address that Streamlit serves these bytes at."""

    def script(data: bytes, width: int | str) -> None:
        import streamlit as st

        st.image(data, width=width)  # pyright: ignore[reportArgumentType]

    app = AppTest.from_function(script, kwargs={"data": data, "width": width}).run()
    return app.get("image")[0].proto.imgs[0].url


def test_a_thumbnail_is_shown_first_and_the_original_when_it_is_asked_for(page: AppTest) -> None:
    app = opened(page, "kept")
    small = ImageFile(data=PHOTOGRAPH).thumbnail()
    assert shown(app) == [("Image 1 of 1", address(small))]
    assert shown(in_full_size(app)) == [("Image 1 of 1", address(PHOTOGRAPH))]


def test_an_original_that_is_a_file_is_shown_upright(page: AppTest) -> None:
    app = in_full_size(opened(page, "sideways"))
    assert shown(app) == [("Image 1 of 1", address(as_shown(SIDEWAYS, "it")))]


@pytest.mark.parametrize("kind", ["deleted", "replaced"])
def test_it_is_said_when_only_the_thumbnail_is_there(page: AppTest, kind: str) -> None:
    before = shown(opened(page, kind))
    app = in_full_size(page)
    assert shown(app) == before
    assert "only this small picture is here" in words(app)


def test_a_small_image_is_the_original(page: AppTest) -> None:
    app = opened(page, "small")
    assert not app.toggle
    assert shown(app) == [("Image 1 of 1", address(SMALL))]


def test_an_image_that_could_not_be_read_keeps_its_number(page: AppTest) -> None:
    app = opened(page, "missing")
    assert "Image 1 of 2 could not be read." in words(app)
    assert [alt for alt, _ in shown(app)] == ["Image 2 of 2"]


def test_a_video_is_named_as_text_beside_its_frames(page: AppTest) -> None:
    app = opened(page, "video")
    texts = [text.value for text in app.text]
    assert "Frames of the video /videos/**loud** <b>.mp4" in texts
    assert "Sound /videos/**loud** <b>.mp4" in texts
    assert not app.toggle


def test_no_image_of_the_list_is_an_original(page: AppTest) -> None:
    in_full_size(opened(page, "kept"))
    del page.query_params["sample"]
    page.run()
    small = ImageFile(data=PHOTOGRAPH).thumbnail()
    assert address(small, CELL_PIXELS) in [url for _, url in shown(page)]
    assert address(PHOTOGRAPH) not in [url for _, url in shown(page)]
    assert not page.toggle
