"""Kills, interrupts and full disks at every stage: the next run gives what it always gives."""

import os
from collections import Counter

import pytest

import llmtopics
from llmtopics._whole_files import replacing, write_whole

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")
KILLS = ["event", "bytes", "time"]  # at a change of a file, in mid-write, at any time
FAULTS = [*KILLS, "full", "interrupt"]
QUICK = ["saved lda", "counts", "vectors", "cache", "pages"]
SAVED = ["saved model"] if hasattr(llmtopics, "save") else []
OTHERS = [*SAVED, "saved lists", "text counts", "suggested"]
WITH_MODELS = ["augmented", "fusion", "unpacked", "tuned"]


def test_faults_at_some_stages(tmp_path, trials):
    told = trials(tmp_path, QUICK, ["event", "bytes"], 2)
    assert sum(each["status"] < 0 for each in told) >= 5


@pytest.mark.slow
def test_faults_of_all_kinds(tmp_path, trials):
    told = trials(tmp_path, QUICK, FAULTS, len(FAULTS), seed=5)
    assert sum(each["status"] < 0 for each in told) >= 8


@pytest.mark.soak
def test_faults_at_some_stages_of_what_takes_longer(tmp_path, parts, trials):
    names = [*OTHERS, *WITH_MODELS]
    told = trials(tmp_path, names, FAULTS, len(FAULTS), parts=parts, seed=1)
    assert sum(each["status"] < 0 for each in told) >= 8


@pytest.mark.slow
def test_kills_of_a_fit_on_a_cluster(tmp_path, trials):
    pytest.importorskip("distributed")
    told = trials(tmp_path, ["cluster"], ["event", "time"], 3, seed=2)
    assert any(each["status"] < 0 for each in told)


@pytest.mark.soak
@pytest.mark.parametrize("name", [*QUICK, *OTHERS, *WITH_MODELS, "cluster"])
def test_faults_at_many_stages(tmp_path, parts, trials, name):
    kinds = ["event", "time", "interrupt"] if name == "cluster" else FAULTS
    n = 24 if name in ("cluster", "tuned") else 60
    told = trials(tmp_path, [name], kinds, n, parts=parts, seed=3)
    print(
        f"\n{name}: {len(told)} faults,",
        dict(Counter(each["kind"] for each in told)),
        f"{sum(each['status'] < 0 for each in told)} killed,",
        f"{sum('error' in each for each in told)} full disks said",
    )


# one file ----------------------------------------------------------------------------------


def test_a_file_is_whole_or_as_before(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    with pytest.raises(ZeroDivisionError), replacing(path) as partial:
        partial.write_text(f"half {1 / 0}")
    assert path.read_text() == "old"
    write_whole(path, "näw")
    assert path.read_text("utf-8") == "näw"
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    missing = tmp_path / "none" / "page.html"
    with pytest.raises(
        FileNotFoundError, match=r"no folder.* Create it.*none.page\.html"
    ):
        write_whole(missing, "new")


@pytest.mark.skipif(os.name == "nt", reason="has other links, modes and devices")
def test_links_modes_and_devices_stay(tmp_path):
    path, link = tmp_path / "page.html", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path.name)
    write_whole(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    write_whole("/dev/null", "gone")
    assert not os.path.isfile("/dev/null")
    mask = os.umask(0o022)
    try:
        write_whole(tmp_path / "shared", "")
    finally:
        os.umask(mask)
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o644
