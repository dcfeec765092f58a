"""structlog set-up: JSON lines when nobody watches, readable lines on a terminal. Call once per process."""

import logging
import sys

import structlog

#: Where aiohttp has what it raises about requests; what handlers raise is elsewhere.
_OF_REQUESTS = ("aiohttp.http_exceptions", "aiohttp.web_protocol")


def configure(*, verbose: bool = False) -> None:
    """Write to stderr; level info, or debug when ``verbose``."""
    tty = sys.stderr.isatty()
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        if tty
        else structlog.processors.JSONRenderer()
    )
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not tty:
        processors.append(structlog.processors.dict_tracebacks)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # aiohttp's access log would repeat every scrape; errors of libraries still show.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("aiohttp.server").addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    """A request that is none is its sender's fault: one line, without what was sent, which may be a token."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__module__ in _OF_REQUESTS:
        record.msg, record.args, record.exc_info = "a request that cannot be read: %s", (type(error).__name__,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
