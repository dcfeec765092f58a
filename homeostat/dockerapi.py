"""The only importer of the docker SDK: its calls block, raise homeostat's errors, and have no answer of another kind.

Who needs it imports it late and in a thread (homeostat.containers does): it costs 10 MB of memory and 0.2 s. Never the
storage driver, never the two-sample stats call.
"""

import contextlib
import json
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homeostat import enginejson
from homeostat.clock import SystemClock
from homeostat.containerinfo import ContainerEvent
from homeostat.enginelogs import newest_lines
from homeostat.errors import NotFound, Permanent, Unreachable


@contextlib.contextmanager
def _left_out(name: str) -> Iterator[None]:
    """For as long as the block runs, ``name`` cannot be imported: None in sys.modules does that."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # as import's documentation says
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        del sys.modules[name]


# requests takes it to guess the encoding of texts that do not say theirs: 3 MB, and the engine answers in JSON.
with _left_out("charset_normalizer"):
    import docker
    import docker.errors
    import requests
    from docker.types.daemon import CancellableStream
    from docker.utils import convert_filters, kwargs_from_env, version_lt

#: What the event stream is asked for; exec events of health checks would drown the rest.
_EVENTS = (
    "create",
    "start",
    "die",
    "kill",
    "stop",
    "oom",
    "pause",
    "unpause",
    "restart",
    "rename",
    "destroy",
    "remove",  # Podman's word for it
    "health_status",
)
#: An event stream this long without a word is given up: its engine may be gone without a goodbye.
_QUIET_STREAM_S = 60.0
_CHUNK_BYTES = 64 * 1024
_CLOCK = SystemClock()


def connect(host: str | None, timeout_s: float) -> "DockerApi":
    """To the engine at ``host``, or where the environment says. Raises as calls do."""
    with _translated():
        options = {"base_url": host} if host else kwargs_from_env()
        return DockerApi(docker.APIClient(version="auto", timeout=int(timeout_s), **options))


class DockerApi:
    """A connection to an engine. Calls may come from several threads, each under :meth:`translated`."""

    def __init__(self, sdk: docker.APIClient) -> None:
        self.sdk = sdk

    def translated(self) -> contextlib.AbstractContextManager[None]:
        """Errors of the SDK, and of reading its answers, become homeostat's: Unreachable, NotFound or Permanent."""
        return _translated()

    def is_older_than(self, version: str) -> bool:
        """Whether the engine's API is."""
        return version_lt(self.sdk.api_version, version)

    def get(self, path: str, params: Mapping[str, str], timeout_s: float) -> Any:
        """The JSON of an answer."""
        return self._get(path, params, timeout_s, stream=False).json()

    def tail(self, path: str, params: Mapping[str, str], most_bytes: int, timeout_s: float) -> bytes:
        """The newest whole lines of a log that the answer is. Raises Unreachable when it takes longer."""
        deadline = _CLOCK.monotonic() + timeout_s
        with contextlib.closing(self._get(path, params, timeout_s, stream=True)) as response:
            return newest_lines(_until(deadline, response.iter_content(_CHUNK_BYTES)), most_bytes)

    def post(self, path: str, params: Mapping[str, Any], timeout_s: float) -> None:
        _checked(self.sdk.post(self._url(path), params=params, timeout=timeout_s))

    def post_json(self, path: str, body: Mapping[str, Any], timeout_s: float) -> None:
        _checked(self.sdk.post(self._url(path), json=body, timeout=timeout_s))

    def ask(self, path: str, params: Mapping[str, str], body: Mapping[str, Any], timeout_s: float) -> Any:
        """The JSON that a POST is answered with."""
        return _checked(self.sdk.post(self._url(path), params=params, json=body, timeout=timeout_s)).json()

    def stream(self, path: str, body: Mapping[str, Any], timeout_s: float) -> "ByteStream":
        """What a POST is answered with, as it comes; it ends when nothing came for ``timeout_s``."""
        return ByteStream(_checked(self.sdk.post(self._url(path), json=body, stream=True, timeout=timeout_s)))

    def events(self, since: float) -> "EventStream":
        """Of containers, from ``since`` (epoch seconds) on."""
        # Not the SDK's events(): it sets no timeout, so that a hung engine would keep the thread for good.
        filters = str(convert_filters({"type": "container", "event": list(_EVENTS)}))
        params = {"since": str(int(since)), "filters": filters}
        response = self.sdk.get(self._url("/events"), params=params, stream=True, timeout=_QUIET_STREAM_S)
        return EventStream(_checked(response))

    def close(self) -> None:
        self.sdk.close()

    def _get(self, path: str, params: Mapping[str, str], timeout_s: float, *, stream: bool) -> requests.Response:
        # Past the session, whose proxies, cookies and redirects no engine needs: half of the cost of asking.
        url, verify = self._url(path), True if self.sdk.verify is None else self.sdk.verify
        request = requests.Request("GET", url, headers=self.sdk.headers, params=params).prepare()
        adapter = self.sdk.get_adapter(url)
        return _checked(adapter.send(request, stream=stream, timeout=timeout_s, verify=verify, cert=self.sdk.cert))

    def _url(self, path: str) -> str:
        return f"{self.sdk.base_url}/v{self.sdk.api_version}{path}"


class EventStream:
    """Events as they come. One thread reads it, another may close it. It just ends when it breaks or falls silent."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._lines: CancellableStream[bytes] = CancellableStream(response.iter_lines(), response)

    def __iter__(self) -> Iterator[ContainerEvent]:
        # That is all there is to say of an end: the poll is the truth.
        with contextlib.closing(self._response), contextlib.suppress(requests.RequestException, OSError, ValueError):
            for line in self._lines:
                if line and (event := _event(line)) is not None:
                    yield event

    def close(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # it has ended by itself
            self._lines.close()


class ByteStream:
    """Bytes as they come. One thread reads them, another may close it. It just ends when it breaks or falls silent."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._chunks: CancellableStream[bytes] = CancellableStream(response.iter_content(_CHUNK_BYTES), response)

    def __iter__(self) -> Iterator[bytes]:
        with contextlib.closing(self._response), contextlib.suppress(requests.RequestException, OSError, ValueError):
            yield from self._chunks

    def close(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # it has ended by itself
            self._chunks.close()


def _until(deadline: float, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """``chunks``, unless they are still coming then: a server that sends a byte a second would hold the thread."""
    for chunk in chunks:
        if _CLOCK.monotonic() > deadline:
            raise Unreachable("the Docker Engine sends too slowly")
        yield chunk


def _event(line: bytes) -> ContainerEvent | None:
    """None for what cannot be read: an event is only a hint."""
    try:
        return enginejson.event(json.loads(line))
    except (ValueError, RecursionError):
        return None


def _checked(response: requests.Response) -> requests.Response:
    try:
        response.raise_for_status()
    except requests.HTTPError as err:
        docker.errors.create_api_error_from_http_exception(err)
    return response


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except docker.errors.NotFound as err:
        raise NotFound(str(err.explanation)) from err
    except requests.JSONDecodeError as err:
        raise Unreachable(f"the Docker Engine's answer is no JSON: {err}") from err
    except docker.errors.APIError as err:
        if err.is_server_error():
            raise Unreachable(f"the Docker Engine failed: {err.explanation}") from err
        raise Permanent(f"the Docker Engine refused: {err.explanation}") from err
    except (docker.errors.DockerException, requests.RequestException, OSError) as err:
        raise Unreachable(f"no Docker Engine answers: {err}") from err
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as err:  # the SDK's, too
        raise Permanent(f"the Docker Engine's answer cannot be read: {err}") from err
