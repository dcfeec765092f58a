"""The kinds of damage that a configuration file comes to, each done to the shop's offer."""

import os
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

Damage = Callable[[Path, random.Random], None]

_MERGE = b"<<<<<<< HEAD\nOFFER_PAGE_SIZE=20\n=======\nOFFER_PAGE_SIZE=50\n>>>>>>> sale\n"
_PAGE = b"<!doctype html>\n<html><head><title>502 Bad Gateway</title></head><body>502</body></html>\n"


def _bytes(change: Callable[[bytes, random.Random], bytes]) -> Damage:
    """Written in place, as most programs write."""
    return lambda path, rng: _write(path, change(path.read_bytes(), rng))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _replace_line(key: bytes, line: bytes) -> Callable[[bytes, random.Random], bytes]:
    return lambda raw, _rng: b"".join(
        line + b"\n" if each.startswith(key) else each + b"\n" for each in raw.splitlines() if each or line
    )


def _renamed(path: Path, _rng: random.Random) -> None:
    """An editor's crash: the new file is there, half written, and the old one is gone."""
    half = path.with_suffix(".tmp")
    half.write_bytes(path.read_bytes()[:-30])
    half.replace(path)


def _folder(path: Path, _rng: random.Random) -> None:
    """What docker makes of a bind mount whose source is missing."""
    path.unlink()
    path.mkdir()


def _link(path: Path, _rng: random.Random) -> None:
    path.unlink()
    path.symlink_to("/nonexistent/offer.env")


def _fifo(path: Path, _rng: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


KINDS: Mapping[str, Damage] = {
    "truncated": _bytes(lambda raw, _rng: raw[: len(raw) // 2]),
    "zero_bytes": _bytes(lambda _raw, _rng: b""),
    "nul_filled": _bytes(lambda raw, _rng: bytes(len(raw))),
    "nul_tail": _bytes(lambda raw, _rng: raw[:100] + bytes(len(raw) - 100)),
    "malformed_line": _bytes(lambda raw, _rng: raw + b"OFFER_BANNER 'no equals sign\n"),
    "unclosed_quote": _bytes(lambda raw, _rng: raw.replace(b"Sunday'", b"Sunday")),
    "binary": _bytes(lambda raw, rng: rng.randbytes(len(raw))),
    "utf16": _bytes(lambda raw, _rng: raw.decode().encode("utf-16")),
    "latin1": _bytes(lambda raw, _rng: raw.replace(b"Sunday", "Sonntag f\xfcr alle".encode("latin-1"))),
    "merge_markers": _bytes(lambda raw, _rng: raw + _MERGE),
    "half_written": _renamed,
    "duplicate_key": _bytes(lambda raw, _rng: raw + b"OFFER_PAGE_SIZE=50\n"),
    "missing_key": _bytes(lambda raw, _rng: b"".join(raw.splitlines(keepends=True)[:-1])),
    "wrong_type": _bytes(_replace_line(b"OFFER_PAGE_SIZE", b"OFFER_PAGE_SIZE=many")),
    "unknown_key": _bytes(lambda raw, _rng: raw + b"OFER_CURRENCY=EUR\n"),
    "other_file": _bytes(lambda _raw, _rng: _PAGE),
    "oversized": _bytes(lambda raw, _rng: raw + b"# " + b"x" * (2 << 20) + b"\n"),
    "mode_open": lambda path, _rng: path.chmod(0o666),
    "mode_closed": lambda path, _rng: path.chmod(0),
    "deleted": lambda path, _rng: path.unlink(),
    "folder_deleted": lambda path, _rng: _empty(path.parent),
    "directory": _folder,
    "dangling_link": _link,
    "fifo": _fifo,
}


def _empty(folder: Path) -> None:
    """`rm -rf config/*`: the folder itself is mounted and stays."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
