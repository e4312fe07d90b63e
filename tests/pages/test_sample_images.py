"""The images of an opened sample: thumbnails at once, originals when asked for."""

import dataclasses
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
from tests.pages.test_samples import open_page
from tests.pages.test_spectra import words


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def opened(cache: Path, *images: ImageFile, **more: object) -> AppTest:
    one = small_benchmark(1).samples[0]
    sample = dataclasses.replace(one, images=images, **more)  # pyright: ignore[reportArgumentType]
    build_samples(cache, Benchmark(name="images", samples=(sample,)), subsets=("left",))
    return open_page(sample="s0000")


def shown(app: AppTest) -> list[tuple[str, str]]:
    """Alternative text and address of each image; an address is made of the content."""
    return [(image.alt, image.url) for element in app.get("image") for image in element.proto.imgs]


def address(data: bytes, width: int | str = "content") -> str:
    """The address that Streamlit serves these bytes at."""

    def script(data: bytes, width: int | str) -> None:
        import streamlit as st

        st.image(data, width=width)  # pyright: ignore[reportArgumentType]

    page = AppTest.from_function(script, kwargs={"data": data, "width": width}).run()
    return page.get("image")[0].proto.imgs[0].url


def in_full_size(app: AppTest) -> AppTest:
    app.toggle(key="full_size").set_value(True).run()
    assert not app.exception, app.exception
    return app


def test_a_thumbnail_is_shown_first_and_the_original_when_it_is_asked_for(cache: Path) -> None:
    raw = encoded(drawn(900, 600), "JPEG")
    with ImageStore(cache) as store:
        image = store.keep(raw, "a photograph")
    app = opened(cache, image)
    assert shown(app) == [("Image 1 of 1", address(image.thumbnail()))]
    assert shown(in_full_size(app)) == [("Image 1 of 1", address(raw))]


def test_an_original_that_is_a_file_is_shown_upright(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "sideways.jpg"
    path.write_bytes(sideways(900, 600))
    with ImageStore(cache) as store:
        image = store.file(path)
    app = in_full_size(opened(cache, image))
    assert shown(app) == [("Image 1 of 1", address(as_shown(path.read_bytes(), "it")))]


@pytest.mark.parametrize("change", ["deleted", "replaced"])
def test_it_is_said_when_only_the_thumbnail_is_there(
    cache: Path, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "photograph.jpg"
    path.write_bytes(encoded(drawn(900, 600), "JPEG"))
    with ImageStore(cache) as store:
        image = store.file(path)
    small = image.thumbnail()
    app = opened(cache, image)
    if change == "deleted":
        path.unlink()
    else:
        path.write_bytes(encoded(drawn(600, 900), "JPEG"))
    assert shown(in_full_size(app)) == [("Image 1 of 1", address(small))]
    assert "only this small picture is here" in words(app)


def test_a_small_image_is_the_original(cache: Path) -> None:
    raw = encoded(drawn(256, 256))
    app = opened(cache, ImageFile(data=raw))
    assert not app.toggle
    assert shown(app) == [("Image 1 of 1", address(raw))]


def test_an_image_that_could_not_be_read_keeps_its_number(cache: Path, tmp_path: Path) -> None:
    app = opened(cache, ImageFile(path=tmp_path / "none.png"), ImageFile(data=encoded(drawn(9, 9))))
    assert "Image 1 of 2 could not be read." in words(app)
    assert [alt for alt, _ in shown(app)] == ["Image 2 of 2"]


def test_no_image_of_a_list_is_an_original(cache: Path) -> None:
    with ImageStore(cache) as store:
        image = store.keep(encoded(drawn(900, 600), "JPEG"), "a photograph")
    opened(cache, image)
    app = open_page()
    assert [url for _, url in shown(app)] == [address(image.thumbnail(), CELL_PIXELS)]
    assert not app.toggle


def test_a_video_is_named_as_text_beside_its_frames(cache: Path) -> None:
    video = MediaFile(path=Path("/videos/**loud** <b>.mp4"), digest="0" * 64)
    app = opened(cache, ImageFile(data=encoded(drawn(300, 200))), video=video, audio=video)
    texts = [text.value for text in app.text]
    assert "Frames of the video /videos/**loud** <b>.mp4" in texts
    assert "Sound /videos/**loud** <b>.mp4" in texts
    assert not app.toggle
