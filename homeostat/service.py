"""What every homeostat process does at its start and end: settings, a listening socket, signals, exit codes.

Exit codes: 0 ended by a signal; 1 unexpected; 2 wrong settings or arguments; 3 the address or state folder is in use.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from homeostat import log, settings
from homeostat.errors import HomeostatError, SettingsError
from homeostat.quantities import host_port
from homeostat.settings import Settings
from homeostat.tls import TlsListener

logger = structlog.get_logger()

#: The application's second address, by TLS, if it has one: for its own /-/reload.
TLS = web.AppKey("tls", TlsListener)

EXIT_SETTINGS = 2
EXIT_IN_USE = 3
DEFAULT_FILE = Path("homeostat.yml")


class InUse(HomeostatError):
    """An address cannot be had."""


def parse_arguments(program: str, description: str) -> argparse.Namespace:
    """``--settings FILE`` and ``--verbose``, the same for every process."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--settings", type=Path, default=DEFAULT_FILE, help="default: %(default)s")
    parser.add_argument("--verbose", action="store_true", help="log details too")
    arguments = parser.parse_args()
    log.configure(verbose=arguments.verbose)
    return arguments


def load_or_exit(path: Path) -> Settings:
    """The settings, or their problems on stderr and exit code 2."""
    try:
        return settings.load(path)
    except SettingsError as err:
        fail(str(err), EXIT_SETTINGS)
        raise AssertionError from err  # not reached


def fail(message: str, code: int) -> None:
    """Say it and end."""
    print(message, file=sys.stderr)  # noqa: T201 - the process ends here; logs may go elsewhere
    sys.exit(code)


def serve(app: web.Application, listen: str, tls: TlsListener | None = None) -> None:
    """Serve until SIGTERM or SIGINT: all of it at ``listen``, and what is meant for others by ``tls``."""
    asyncio.run(_serve(app, listen, tls))


def on_stop(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Have SIGTERM and SIGINT call ``stop`` in the loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":  # no loop there takes signals
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(number, stop)


async def reload_tls(app: web.Application) -> None:
    """Read the certificates again, where there are any. Raises SettingsError; then those of before stay in force."""
    if tls := app.get(TLS):
        await tls.reload()


async def _serve(app: web.Application, listen: str, tls: TlsListener | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    on_stop(loop, stop.set)
    try:
        async with listening(app, listen, tls):
            logger.info("service.started", listen=listen, **({"tls": tls.listen} if tls else {}))
            await stop.wait()
    except InUse as err:
        fail(str(err), EXIT_IN_USE)
    logger.info("service.ended", listen=listen)


@contextlib.asynccontextmanager
async def listening(app: web.Application, listen: str, tls: TlsListener | None = None) -> AsyncIterator[None]:
    """``app`` runs and answers while the block runs. Raises InUse."""
    if tls:
        app[TLS] = tls
        tls.guard(app)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    try:
        host, port = host_port(listen)
        with _in_use(listen, "listen"):
            await web.TCPSite(runner, host, port).start()
        if tls and runner.server:
            with _in_use(tls.listen, "tls.listen"):
                await tls.open(runner.server)
        yield
    finally:
        if tls:
            tls.close()
        await runner.cleanup()


@contextlib.contextmanager
def _in_use(listen: str, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise InUse(f"cannot listen on {listen}: {err.strerror}; end the other process or change `{key}`") from err


@contextlib.asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run ``work`` while the block runs. Should it fail, the process ends, to be restarted: one that still answers
    and does nothing is worse than none.
    """

    def end_if_failed(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (err := task.exception()):
            logger.critical("service.failed", part=name, error=repr(err))
            signal.raise_signal(signal.SIGTERM)

    background = asyncio.create_task(work, name=name)
    background.add_done_callback(end_if_failed)
    try:
        yield
    finally:
        background.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await background
