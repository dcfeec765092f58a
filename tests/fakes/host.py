"""Hosts out of recorded and made-up files: tests/data/host/NAME/proc, and a /sys of empty folders (git keeps none)."""

import os
import shutil
from pathlib import Path

from exporters.host.linux import LinuxHost

DATA = Path(__file__).parents[1] / "data" / "host"

#: Block devices as /sys/block lists them, with what they are stacked on. Partitions are not in it.
SLAVES = {
    "vm": {"vda": (), "zram0": (), **{f"loop{n}": () for n in range(8)}},
    "server": {
        "loop0": (),
        "nvme0n1": (),
        "dm-0": ("nvme0n1p3",),
        "md127": ("sdf", "sdg"),
        "sdb": (),
        "cciss!c0d0": (),
        "sr0": (),
        "zram0": (),
        "zd0": (),
    },
    "wsl2": {"ram0": (), "sdc": ()},
    "container": {},
}


def statvfs(path):
    """4 GiB in blocks of 4 KiB, a quarter left (1/8 of it for root), a million inodes; vfat and btrfs have none."""
    has_inodes = not path.endswith(("/efi", "/home", "/models"))
    files = (1_000_000, 750_000) if has_inodes else (0, 0)
    # f_bsize differs from the unit of the counts, as on network filesystems.
    return os.statvfs_result((65536, 4096, 1 << 20, 1 << 18, 7 << 15, *files, files[1], 0, 255))


def tree(tmp_path, name):
    """A copy of the host ``name`` that a test may change."""
    root = tmp_path / name
    shutil.copytree(DATA / name, root)
    for device, slaves in SLAVES[name].items():
        folder = root / "sys" / "block" / device / "slaves"
        folder.mkdir(parents=True)
        for slave in slaves:
            (folder / slave).touch()
    return root


def host(root, ask=statvfs):
    return LinuxHost(str(root / "proc"), str(root / "sys"), ask)
