"""What somebody else has made of a configuration file is kept for people, and nothing is done to the file."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes.managed import OTHER, Hands, managed

from homeostat.configfiles.managed import ConfigFiles
from homeostat.guardian_client import GuardianClient
from homeostat.steps import ConfigDiffStep, Tier
from homeostat.workloads import Kind, Workload
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.config_diff import ConfigDiff
from responder.targets import Target

STEP = ConfigDiffStep(action="config_diff")
WEB = Target(Workload("file/web", Kind.FILE, enabled=True), (), "")


@pytest.fixture
def files(tmp_path: Path) -> ConfigFiles:
    """One file with a good version."""
    files = managed(tmp_path, Hands())
    files.accept("web", "cli", "right")
    return files


async def told(files: ConfigFiles, target: Target = WEB) -> Applied | Skipped:
    tools = Tools(None, GuardianClient(Path("/nowhere")), Mock(), Hands(), Mock(), files=lambda: files)
    return await ConfigDiff().apply(STEP, target, tools)


def lines(done: Applied | Skipped) -> list[str]:
    assert isinstance(done, Applied)
    assert done.evidence is not None
    return done.evidence["subjects"]["web"]["diff"]


async def test_what_has_changed_is_kept_and_the_file_is_left_alone(files: ConfigFiles):
    files.spec("web").path.write_bytes(OTHER)

    done = await told(files)

    assert lines(done) == ["--- version 1", "+++ now", "@@ -1 +1,2 @@", " A=1", "+B=2"]
    assert files.spec("web").path.read_bytes() == OTHER
    assert len(files.history("web")) == 1


async def test_no_secret_gets_into_the_ledger(files: ConfigFiles):
    files.spec("web").path.write_bytes(b"A=1\nDB_PASSWORD=hunter2hunter2\nURL=postgres://app:hunter3@db/x\n")

    done = await told(files)

    assert "+DB_PASSWORD=***" in lines(done)
    assert "hunter" not in str(done)


async def test_a_large_change_is_cut_to_size(files: ConfigFiles):
    files.spec("web").path.write_bytes(b"".join(b"K%d=%s\n" % (n, b"x" * 1000) for n in range(900)))

    kept = lines(await told(files))

    assert len(kept) == 201
    assert kept[-1].endswith("lines more")
    assert max(map(len, kept)) == 300


async def test_a_file_that_is_gone_is_told_as_such(files: ConfigFiles):
    files.spec("web").path.unlink()

    assert lines(await told(files))[-1] == "-A=1"


async def test_of_the_last_good_version_there_is_nothing_to_keep(files: ConfigFiles):
    assert await told(files) == Skipped("the file is its last good version")


async def test_what_is_no_file_of_ours_is_not_looked_at(files: ConfigFiles):
    other = Target(Workload("local/api", Kind.PROCESS, enabled=True), (), "api")

    assert await told(files, other) == Skipped("is no configuration file")


def test_it_uses_no_force():
    assert STEP.tier is Tier.SOFT
