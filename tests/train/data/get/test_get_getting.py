"""From a card to a folder that `data scan` reads, in one piece or not at all."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from train.common.errors import DataError
from train.data.cards.reader import Card, Get, Rule
from train.data.get.fetch import RetryPolicy
from train.data.get.getting import PROVENANCE, DownloadRequest, Provenance, get_dataset, read_provenance
from train.data.get.unpack import ArchiveLimits
from train.data.scan.scan import scan

if TYPE_CHECKING:
    from tests.train.data.get.conftest import Page, Server

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
QUICK = RetryPolicy(connect_seconds=5, read_seconds=5, tries=1, pause_seconds=0)
RULES = (Rule("real/**", "real", "camera"), Rule("fake/{generator}/**", "fake", "{generator}"))


@pytest.fixture
def archive(tree: Path) -> bytes:
    """The miniature dataset of the room's tests as a tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        opened.add(tree, ".")
    return buffer.getvalue()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sets" / "faces"


def card_for(server: "Server", content: bytes, name: str = "mini") -> Card:
    sha256 = hashlib.sha256(content).hexdigest()
    get = Get("archive", url=f"{server.url}/faces.tar.gz", sha256=sha256)
    return Card(name, "Mini", RULES, homepage="https://example.org/mini", get=get)


def with_inner(card: Card, *names: str) -> Card:
    return replace(card, get=replace(card.get, unpack=names))


def get(card: Card, folder: Path, **options: Any) -> Path:
    return get_dataset(card, folder, **{"now": NOW, "patience": QUICK, **options})


def refused(card: Card, folder: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        get(card, folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_card_becomes_a_manifest(server: "Server", archive: bytes, tree: Path, out: Path) -> None:
    server.play(server.page(archive))
    card = card_for(server, archive)
    told: list[tuple[int, int, str]] = []
    folder = get(card, out, on_progress=lambda *seen: told.append(seen))
    assert {path: data for path, data in contents(out).items() if path != PROVENANCE} == contents(tree)
    manifest, skipped = scan(folder, card, manifest_path=folder / "manifest.csv")
    assert skipped == ()
    assert manifest.frame.height == 60
    assert sorted(manifest.frame["generator"].unique()) == ["camera", "sdxl", "stylegan2"]
    assert list(dict.fromkeys(what for _, _, what in told)) == ["downloading", "unpacking"]
    assert read_provenance(out) == Provenance(
        DownloadRequest("mini", "archive", "", card.get.url, card.get.sha256), "", "2026-03-04T05:06:07+00:00", 60
    )
    # Nothing of the work is left beside it.
    assert list(out.parent.iterdir()) == [out]


def test_a_finished_download_is_not_fetched_again(server: "Server", archive: bytes, out: Path) -> None:
    server.play(server.page(archive))
    card = card_for(server, archive)
    get(card, out)
    before = contents(out)
    (out / "manifest.csv").write_text("made by scan")
    server.requests.clear()
    assert get(card, out, now=NOW.replace(year=2030)) == out
    assert server.requests == []
    assert contents(out) == {**before, "manifest.csv": b"made by scan"}


def test_a_folder_with_other_things_is_refused(server: "Server", archive: bytes, out: Path) -> None:
    out.mkdir(parents=True)
    (out / "diary.txt").write_text("mine")
    assert "contains other files" in refused(card_for(server, archive), out)
    assert "contains other files" in refused(card_for(server, archive), out / "diary.txt")
    assert contents(out) == {"diary.txt": b"mine"}
    assert server.requests == []


def test_a_folder_of_another_card_or_state_is_refused(server: "Server", archive: bytes, out: Path) -> None:
    server.play(server.page(archive))
    get(card_for(server, archive), out)
    assert "holds card 'mini'" in refused(card_for(server, archive, "other"), out)
    assert "another state of this card" in refused(card_for(server, b"newer"), out)


def test_a_damaged_receipt_is_named(server: "Server", archive: bytes, out: Path) -> None:
    out.mkdir(parents=True)
    for text in ("{", "[]", '{"wish": {}}', '"text"', '{"wish": 3}'):
        (out / PROVENANCE).write_text(text)
        assert PROVENANCE in refused(card_for(server, archive), out)


def test_an_empty_folder_is_filled(server: "Server", archive: bytes, out: Path) -> None:
    out.mkdir(parents=True)
    server.play(server.page(archive))
    get(card_for(server, archive), out)
    assert (out / PROVENANCE).exists()


def test_the_current_folder_is_not_replaced(
    server: "Server", archive: bytes, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out.mkdir(parents=True)
    monkeypatch.chdir(out)
    assert "name a folder inside it" in refused(card_for(server, archive), Path())
    server.play(server.page(archive))
    assert get(card_for(server, archive), Path("inside")) == Path("inside")
    assert (out / "inside" / PROVENANCE).exists()


def test_a_broken_download_goes_on_and_shows_no_folder_before(server: "Server", archive: bytes, out: Path) -> None:
    half = len(archive) // 2
    card = card_for(server, archive)
    server.play(server.page(archive, etag='"x"', cut=half), server.page(archive, etag='"x"'))
    assert f"resumes from {half:,} bytes" in refused(card, out)
    assert not out.exists()
    get(card, out)
    assert server.requests[-1].headers["range"] == f"bytes={half}-"
    assert list(out.parent.iterdir()) == [out]


def test_the_beginning_of_another_download_is_not_mixed_in(server: "Server", archive: bytes, out: Path) -> None:
    server.play(server.page(archive, cut=10))
    refused(card_for(server, archive), out)
    other = card_for(server, b"other", "other")
    assert "unfinished download of something else" in refused(other, out)


def test_a_stop_while_unpacking_costs_no_second_download(server: "Server", archive: bytes, out: Path) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if what == "unpacking":
            raise KeyboardInterrupt

    server.play(server.page(archive))
    card = card_for(server, archive)
    with pytest.raises(KeyboardInterrupt):
        get(card, out, on_progress=stop)
    assert not out.exists()
    get(card, out)
    assert len(server.requests) == 1
    assert len(contents(out)) == 61


def test_a_wrong_hash_leaves_no_folder_and_the_next_run_starts_clean(
    server: "Server", archive: bytes, out: Path
) -> None:
    server.play(server.page(b"tampered"), server.page(archive))
    card = card_for(server, archive)
    assert card.get.sha256 in refused(card, out)
    assert not out.exists()
    get(card, out)
    assert len(contents(out)) == 61


def test_a_hostile_archive_leaves_nothing(server: "Server", out: Path) -> None:
    hostile = zipped({"real/1.jpg": b"x", "../../evil.jpg": b"x"})
    server.play(server.page(hostile))
    assert "points out of the folder" in refused(card_for(server, hostile), out)
    assert not out.parent.exists()
    assert not list(out.parent.parent.rglob("evil.jpg"))


def test_a_card_that_is_corrected_after_a_refusal_is_fetched(server: "Server", archive: bytes, out: Path) -> None:
    server.play(server.page(status=404), server.page(archive))
    card = card_for(server, archive)
    wrong = replace(card, get=replace(card.get, url=f"{server.url}/typo"))
    assert "not found" in refused(wrong, out)
    assert not out.parent.exists()
    get(card, out)
    assert (out / PROVENANCE).exists()


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"url": "{url}/older.tar.gz"}])
def test_a_card_that_is_corrected_while_half_has_come_is_fetched_anew(
    server: "Server", archive: bytes, out: Path, wrong: dict[str, str]
) -> None:
    card = card_for(server, archive)
    values = {key: value.format(url=server.url) for key, value in wrong.items()}
    server.play(server.page(b"older" * 1000, etag='"x"', cut=2500), server.page(archive, etag='"x"'))
    older = replace(card.get, sha256=values.get("sha256", card.get.sha256), url=values.get("url", card.get.url))
    assert "resumes from 2,500 bytes" in refused(replace(card, get=older), out)
    get(card, out)
    assert "range" not in server.requests[-1].headers
    assert len(contents(out)) == 61
    assert list(out.parent.iterdir()) == [out]


def test_a_card_that_was_renamed_goes_on(server: "Server", archive: bytes, out: Path) -> None:
    half = len(archive) // 2
    server.play(server.page(archive, etag='"x"', cut=half), server.page(archive, etag='"x"'))
    refused(card_for(server, archive), out)
    get(card_for(server, archive, "mini-2"), out)
    assert server.requests[-1].headers["range"] == f"bytes={half}-"
    provenance = read_provenance(out)
    assert provenance is not None
    assert provenance.request.card == "mini-2"


def test_limits_are_passed_on(server: "Server", archive: bytes, out: Path) -> None:
    server.play(server.page(archive))
    assert "more than 10 entries" in refused(card_for(server, archive), out, limits=ArchiveLimits(entries=10))


def test_two_at_once_do_not_mix(server: "Server", archive: bytes, out: Path) -> None:
    work = out.with_name(".faces.get")
    work.mkdir(parents=True)
    with FileLock(work / "lock"):
        assert "in use by another" in refused(card_for(server, archive), out)
    server.play(server.page(archive))
    get(card_for(server, archive), out)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def test_archives_inside_are_unpacked_if_named_and_left_if_not(server: "Server", tmp_path: Path) -> None:
    outer = zipped(
        {"README": b"", "sets/wiki.zip": zipped({"00/1.jpg": b"x"}), "more.tgz": zipped({"2.jpg": b"y"}), "z.zip": b"z"}
    )
    server.play(server.page(outer))
    card = card_for(server, outer)
    folder = get(with_inner(card, "sets/wiki.zip", "more.tgz"), tmp_path / "named")
    found = contents(folder)
    assert found.pop(PROVENANCE)
    assert found == {"README": b"", "sets/wiki/00/1.jpg": b"x", "more/2.jpg": b"y", "z.zip": b"z"}
    assert set(contents(get(card, tmp_path / "plain"))) == {"README", "sets/wiki.zip", "more.tgz", "z.zip", PROVENANCE}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.zip", "is not in the downloaded dataset"),
        ("../x.zip", "points out"),
        ("README", "must end"),
        ("z.zip", "not a zip"),
    ],
)
def test_archives_inside_that_are_none_are_refused(server: "Server", out: Path, name: str, said: str) -> None:
    outer = zipped({"README": b"", "z.zip": b"z"})
    server.play(server.page(outer))
    assert said in refused(with_inner(card_for(server, outer), name), out)
    assert not out.exists()


def test_a_stop_between_archives_inside_goes_on(server: "Server", out: Path) -> None:
    outer = zipped({f"{name}.zip": zipped({"1.jpg": name.encode()}) for name in "abc"})
    seen: list[int] = []

    def stop(done: int, total: int, what: str) -> None:
        seen.append(done)
        if what == "unpacking" and len(seen) > 9:
            raise KeyboardInterrupt

    server.play(server.page(outer))
    card = with_inner(card_for(server, outer), "a.zip", "b.zip", "c.zip")
    with pytest.raises(KeyboardInterrupt):
        get(card, out, on_progress=stop)
    get(card, out)
    assert {path: data for path, data in contents(out).items() if path != PROVENANCE} == {
        f"{name}/1.jpg": name.encode() for name in "abc"
    }


def test_by_hand_says_what_to_do(out: Path) -> None:
    get_by_hand = Get("by-hand", note="Ask the authors by mail.")
    card = Card("mini", "Mini", RULES, homepage="https://example.org/mini", get=get_by_hand)
    sentence = refused(card, out)
    for part in ("https://example.org/mini", "Ask the authors by mail.", str(out), "data scan"):
        assert part in sentence
    assert not out.parent.exists()


@pytest.mark.parametrize("kind", ["kaggle", "huggingface"])
def test_a_hub_becomes_a_manifest(
    kind: str, server: "Server", tree: Path, out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("kagglehub" if kind == "kaggle" else "huggingface_hub")
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    if kind == "kaggle":
        # See test_get_hubs.py.
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    files = contents(tree)
    server.answer = hub_of(server, files)
    card = Card("mini", "Mini", RULES, get=Get(kind, handle="faces/mini"))
    folder = get(card, out)
    assert {path: data for path, data in contents(out).items() if path != PROVENANCE} == files
    manifest, skipped = scan(folder, card, manifest_path=folder / "manifest.csv")
    assert (manifest.frame.height, skipped) == (60, ())
    assert list(out.parent.iterdir()) == [out]
    provenance = read_provenance(out)
    assert provenance is not None
    assert (provenance.version, provenance.files) == ("5" if kind == "kaggle" else "c" * 40, 60)
    server.requests.clear()
    get(card, out)
    assert server.requests == []
    assert "another state" in refused(replace(card, get=replace(card.get, handle="faces/mini-2")), out)


def hub_of(server: "Server", files: dict[str, bytes]) -> Callable[[Any], "Page"]:
    """Answer as both hubs do for one dataset."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    listed = [{"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in files.items()]
    told: dict[str, Any] = {
        "/api/datasets/faces/mini": {"id": "faces/mini", "sha": "c" * 40, "siblings": []},
        f"/api/datasets/faces/mini/tree/{'c' * 40}": listed,
        "http://localhost/api/v1/datasets.DatasetApiService/GetDataset": {"currentVersionNumber": 5},
    }

    def answer(request: Any) -> "Page":
        path = request.path.partition("?")[0]
        if path in told:
            return server.page(json.dumps(told[path]).encode(), 200, {"Content-Type": "application/json"}, ranges=False)
        if path.endswith("DownloadDataset"):
            return server.page(buffer.getvalue(), ranges=False)
        name = path.removeprefix(f"/datasets/faces/mini/resolve/{'c' * 40}/")
        return server.page(files[name], headers={"X-Repo-Commit": "c" * 40}, etag=f'"{hash(name)}"', ranges=False)

    return answer
