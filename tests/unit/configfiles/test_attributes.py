"""Mode, owner and extended attributes of one file given to another: all of them, or it is said which are lost."""

import errno
import os
import stat

import pytest
from fakes.disks import FailingDisk

from homeostat.configfiles.attributes import Attributes, give, read_attributes
from homeostat.configfiles.disk import Disk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX")


@pytest.fixture
def descriptor(tmp_path):
    opened = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT, 0o600)
    yield opened
    os.close(opened)


def other_owner(**more):
    return Attributes(0o4770, os.geteuid() + 1, os.getegid(), **more)


def test_what_is_given_is_read_back(descriptor):
    wanted = Attributes(0o754, os.geteuid(), os.getegid())

    lost = give(wanted, descriptor, Disk())

    assert (lost, read_attributes(descriptor)) == ((), wanted)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL])
def test_without_the_owner_his_group_gets_nothing_and_nothing_runs_as_him(descriptor, number):
    lost = give(other_owner(), descriptor, FailingDisk(0, number, ("chown",)))

    assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o700
    assert len(lost) == 1
    assert "only root can give a file away" in lost[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_the_mode_is_given_after_the_owner_who_would_take_bits_from_it(descriptor):
    lost = give(other_owner(), descriptor, Disk())

    found = os.fstat(descriptor)
    assert (lost, found.st_uid, stat.S_IMODE(found.st_mode)) == ((), os.geteuid() + 1, 0o4770)


def test_a_label_that_cannot_be_kept_is_said_and_a_full_disk_is_an_error(descriptor):
    wanted = Attributes(0o640, os.geteuid(), os.getegid(), {"user.label": b"x"})

    lost = give(wanted, descriptor, FailingDisk(0, errno.ENOTSUP, ("set_xattr",)))
    with pytest.raises(OSError, match="No space left"):
        give(wanted, descriptor, FailingDisk(0, errno.ENOSPC, ("set_xattr",)))

    assert lost == ("attribute user.label",)
    assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o640


def test_an_owner_that_a_disk_error_keeps_away_is_an_error(descriptor):
    with pytest.raises(OSError, match="Input/output"):
        give(other_owner(), descriptor, FailingDisk(0, errno.EIO, ("chown",)))
