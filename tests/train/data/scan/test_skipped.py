"""What a scan left out is listed beside the manifest."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.common.errors import DataError
from train.data.scan.skipped import Skipped, read_skipped, skipped_path, write_skipped

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@given(st.lists(st.builds(Skipped, texts, texts), max_size=5))
def test_the_list_reads_back(tmp_path_factory: pytest.TempPathFactory, skipped: list[Skipped]) -> None:
    manifest = tmp_path_factory.mktemp("m") / "faces.csv"
    write_skipped(skipped, manifest)
    assert read_skipped(manifest) == tuple(skipped)


def test_nothing_left_out_removes_an_old_list(tmp_path: Path) -> None:
    manifest = tmp_path / "faces.csv"
    assert write_skipped([Skipped("a.jpg", "damaged")], manifest).name == "faces.skipped.csv"
    write_skipped([], manifest)
    assert list(tmp_path.iterdir()) == []
    assert read_skipped(manifest) == ()


@pytest.mark.parametrize("content", [b"", b"path\na.jpg\n", b"path,reason,more\n1,2,3\n", b"\xff\xfe\x00"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    manifest = tmp_path / "faces.csv"
    skipped_path(manifest).write_bytes(content)
    with pytest.raises(DataError, match=r"faces\.skipped\.csv is (not a list|empty)"):
        read_skipped(manifest)
