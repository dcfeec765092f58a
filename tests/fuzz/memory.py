"""What a process takes of the machine's memory, as the kernel counts it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """``process``: a number, or ``self``."""

    process: int | str

    def now_mib(self) -> float:
        return self._status("VmRSS")

    def peak_mib(self) -> float:
        """The most since :meth:`forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        self._file("clear_refs").write_text("5")  # proc(5)

    def _status(self, name: str) -> float:
        lines = dict(line.split(":", 1) for line in self._file("status").read_text().splitlines())
        return int(lines[name].split()[0]) / 1024

    def _file(self, name: str) -> Path:
        return Path(f"/proc/{self.process}/{name}")
