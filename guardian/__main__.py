"""``python -m guardian --settings homeostat.yml``: keep the processes of the file alive.

Exit codes: 0 ended by request; 1 unexpected; 2 wrong settings; 3 the state folder or the address is in use.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from guardian import app
from guardian.model import Supervised
from homeostat import files, log, service
from homeostat.clock import SystemClock
from homeostat.platforms import detect
from homeostat.processes import system_processes
from homeostat.settings import ProcessSpec, Settings
from homeostat.workloads import LOCAL, STACK


def main() -> None:
    arguments = _parse()
    log.configure(verbose=arguments.verbose)
    settings = service.load_or_exit(arguments.settings)
    processes = _supervised(LOCAL, settings.processes)
    if arguments.stack:
        from guardian.stack import stack_processes  # noqa: PLC0415 - only this guardian runs them

        processes += _supervised("homeostat", stack_processes(settings))
    _refuse_twins(processes)
    state_dir: Path = (arguments.state_dir or settings.state_dir).resolve()
