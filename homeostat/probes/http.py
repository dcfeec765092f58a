"""GET on a new connection each time: one that is kept would not notice that no new ones are accepted."""

import base64
import re
import ssl
from dataclasses import dataclass, field

from yarl import URL

from homeostat.clock import Clock
from homeostat.probes.channels import Channel, Clear, Tls
from homeostat.probes.dialing import Dialer
from homeostat.probes.http1 import NotHttp, Response
from homeostat.probes.model import Bad, CannotLook, Finding, HttpMeasured, ProbeContext
from homeostat.probes.trust import own_trust
from homeostat.workloads import HttpOptions, ProbeSpec

#: What of a body is looked at.
BODY_MAX_BYTES = 64 * 1024
_FIRST_BAD_STATUS = 400  # RFC 9110, 15.5
_DEFAULT = HttpOptions()


class HttpLook:
    """Redirects are not followed: they are an answer. With a body to match, the answer is read to its end or the limit;
    without one, until something of it is there.
    """

    def __init__(self, spec: ProbeSpec, context: ProbeContext) -> None:
        url = URL(spec.target)
        options = spec.options if isinstance(spec.options, HttpOptions) else _DEFAULT
        self._dialer = Dialer(url.raw_host or "", url.port or 0)
        self._request = _request(url)
        self._is_tls = url.scheme == "https"
        self._good = options.status
        self._pattern = re.compile(options.body) if options.body else None
        self._ca_file = options.ca_file
        self._own_trust: ssl.SSLContext | None = None
        self._trust = context.trust
        self._clock = context.clock

    async def look(self) -> Finding:
        trust = await self._trusted() if self._is_tls else None
        watch = _Stopwatch(self._clock)
        addresses = await self._dialer.resolve()
        watch.lap("resolve")
        with await self._dialer.connect(addresses) as sock:
            watch.lap("connect")
            channel: Channel = Clear(sock)
            expires_at: float | None = None
            if trust is not None:
                channel, expires_at = await self._shake_hands(Clear(sock), trust)
                watch.lap("tls")
            response = await self._exchange(channel, watch)
        return Finding(self._judge(response), HttpMeasured(response.status, watch.laps, expires_at))

    async def close(self) -> None:
        """Nothing is kept."""

    async def _exchange(self, channel: Channel, watch: "_Stopwatch") -> Response:
        response = Response()
        enough = BODY_MAX_BYTES if self._pattern else 1
        await channel.send(self._request)
        data = await channel.receive()
        watch.lap("processing")
        try:
            while data:
                response.feed(data)
                if response.is_complete or len(response.body) >= enough:
                    break
                data = await channel.receive()
            else:
                response.end()
        except NotHttp as err:
            raise Bad(str(err)) from None
        watch.lap("transfer")
        return response

    async def _shake_hands(self, clear: Clear, trust: ssl.SSLContext) -> tuple[Tls, float]:
        channel = Tls(clear, trust, self._dialer.host)
        try:
            return channel, await channel.shake_hands()
        except ssl.SSLCertVerificationError:
            self._own_trust = None  # its file may have changed meanwhile
            raise

    async def _trusted(self) -> ssl.SSLContext:
        if self._ca_file is None:
            return await self._trust.context()
        if self._own_trust is None:
            try:
                self._own_trust = await own_trust(self._ca_file)
            except OSError:  # also ssl.SSLError: no certificate in it
                raise CannotLook("the file of certificate authorities cannot be read") from None
        return self._own_trust

    def _judge(self, response: Response) -> str:
        status = response.status
        is_good = status in self._good if self._good else status < _FIRST_BAD_STATUS
        if not is_good:
            return f"status {status}"
        if self._pattern and not self._pattern.search(response.body[:BODY_MAX_BYTES].decode(errors="replace")):
            return "the body does not match"
        return ""


@dataclass(slots=True)
class _Stopwatch:
    clock: Clock
    laps: dict[str, float] = field(default_factory=dict)
    last: float = 0.0

    def __post_init__(self) -> None:
        self.last = self.clock.monotonic()

    def lap(self, phase: str) -> None:
        now = self.clock.monotonic()
        self.laps[phase], self.last = now - self.last, now


def _request(url: URL) -> bytes:
    """As browsers and health checks send it; nothing compressed, as nothing here unpacks it."""
    lines = [
        f"GET {url.raw_path_qs} HTTP/1.1",
        f"Host: {url.host_port_subcomponent}",
        "User-Agent: homeostat",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    if url.user is not None or url.password is not None:
        credentials = base64.b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
        lines.append(f"Authorization: Basic {credentials}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")
