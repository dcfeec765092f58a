"""What the atheris harnesses share. atheris is no dependency: tests/fuzz/run keeps it in a folder of its own."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris


def fuzz(check: Callable[[bytes], object], seeds: Iterable[bytes], **options: Callable[..., bytes]) -> None:
    """Until libFuzzer's arguments on the command line say to stop. ``seeds`` go to the first folder named there."""
    folder = next((Path(word) for word in sys.argv[1:] if not word.startswith("-")), None)
    if folder is not None and not folder.is_file():  # a file is an input to try once more
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, check, **options)
    atheris.Fuzz()
