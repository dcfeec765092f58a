"""``python -m tests.conformance --url URL``: Alertmanager's real behaviour against a webhook receiver. See README.md.

The receiver must be configured so that acting on an alert with the label workload=X makes one POST to the sink,
http://127.0.0.1:SINK_PORT/act/X or any path with X in it. If it asks Alertmanager or Prometheus back before it acts:
Alertmanager is at --alertmanager-port, and what Prometheus should scrape is the sink's /metrics.

Exit codes: 0 nothing failed; 1 a scenario failed; 2 wrong arguments; 3 a program is missing, or did not start.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.conformance import alertmanager, report, sink
from tests.conformance.errors import KitError, WrongArgument
from tests.conformance.judging import Outcome
from tests.conformance.programs import find_alertmanager
from tests.conformance.relay import Receiver
from tests.conformance.runner import Plan, Result, run
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import SCENARIOS, WORKLOADS
from tests.conformance.trouble import label_value

_FAILED, _WRONG, _CANNOT = 1, 2, 3


def main() -> None:
    arguments = _parse()
    console = Console()
    if arguments.list:
        console.print(_listed())
        return
    try:
        is_failed = _run(arguments, console)
    except WrongArgument as err:
        _end(str(err), _WRONG)
    except KitError as err:
        _end(str(err), _CANNOT)
    except (KeyboardInterrupt, asyncio.CancelledError):
        _end("ended before it was done", _CANNOT)
    else:
        sys.exit(_FAILED if is_failed else 0)


def _run(arguments: argparse.Namespace, console: Console) -> bool:
    """Whether a scenario failed. Raises KitError."""
    program = find_alertmanager(os.environ)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        plan = Plan(
            receiver=Receiver(arguments.url, _token(arguments.token_file)),
            scenarios=_chosen(arguments.only),
            workloads=WORKLOADS,
            alertmanager=program.path,
            alertmanager_port=arguments.alertmanager_port,
            sink_port=arguments.sink_port,
            ledger_url=arguments.ledger_url,
            folder=Path(folder),
        )
        results = _play(plan, console)
    console.print(f"Alertmanager {program.version}: {report.summary(results)}", markup=False, highlight=False)
    if arguments.as_json:
        print(json.dumps(report.as_json(results, arguments.url, program.version)))
    return any(result.verdict and result.verdict.outcome is Outcome.FAIL for result in results)


def _play(plan: Plan, console: Console) -> list[Result]:
    known: dict[str, Result] = {}
    with Live(report.table(plan.scenarios, known), console=console, refresh_per_second=4) as live:

        def show(result: Result) -> None:
            known[result.scenario.name] = result
            live.update(report.table(plan.scenarios, known))
            if not console.is_terminal:
                print(report.line(result), file=sys.stderr)

        return asyncio.run(_until_terminated(run(plan, show)))


async def _until_terminated(work: Coroutine[None, None, list[Result]]) -> list[Result]:
    """SIGTERM ends it as Ctrl-C does: what was started is ended, too."""
    task = asyncio.ensure_future(work)
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _chosen(names: Sequence[str]) -> list[Scenario]:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := [name for name in names if name not in known]:
        raise WrongArgument(f"--only {unknown[0]}: no such scenario; allowed: {', '.join(known)}")
    return [known[name] for name in names] or list(SCENARIOS)


def _token(file: Path | None) -> str:
    try:
        return file.read_text().strip() if file else ""
    except (OSError, UnicodeDecodeError) as err:
        raise WrongArgument(f"--token-file {file}: cannot be read: {err}") from err


def _listed() -> Table:
    table = Table(show_lines=True)
    table.add_column("scenario", no_wrap=True)
    table.add_column("the trap", overflow="fold")
    table.add_column("workloads (label)", no_wrap=True)
    table.add_column("source", overflow="fold")
    for scenario in SCENARIOS:
        labels = "\n".join(label_value(workload) for workload in scenario.workloads)
        table.add_row(scenario.name, scenario.trap, labels, scenario.source)
    return table


def _end(message: str, code: int) -> None:
    print(f"conformance: {message}", file=sys.stderr)
    sys.exit(code)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--url", help="the webhook under test, for example http://127.0.0.1:9802/webhook/alertmanager")
    add("--token-file", type=Path, help="a file with the bearer token that the webhook wants")
    add(
        "--alertmanager-port",
        type=int,
        default=alertmanager.DEFAULT_PORT,
        help="where it is asked (default: %(default)s)",
    )
    add("--sink-port", type=int, default=sink.DEFAULT_PORT, help="where actions go to (default: %(default)s)")
    add("--ledger-url", default="", help="base URL of homeostat's API: what the receiver claims is judged, too")
    add("--only", action="append", default=[], metavar="NAME", help="this scenario; may be given again")
    add("--list", action="store_true", help="show the scenarios and their workloads, and end")
    add("--json", action="store_true", dest="as_json", help="print one JSON object as the last line")
    arguments = parser.parse_args()
    if not arguments.url and not arguments.list:
        parser.error("--url is required")
    return arguments


if __name__ == "__main__":
    main()
