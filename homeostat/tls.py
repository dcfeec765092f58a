"""TLS for what others have to reach: a second address of a server, with the routes that are meant for them and no more.

Its files are read by :func:`server_context`; on reload the address changes its certificate without ever being closed.
"""

import asyncio
import ssl
import stat
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from homeostat.errors import SettingsError
from homeostat.quantities import host_port
from homeostat.sections import Tls

_SECTION = "responder.tls"
#: Of a key's mode: what lets others in. Its group may read it, as Debian's ssl-cert does.
_TOO_OPEN = 0o037
#: Whoever has not finished the handshake by then is not an Alertmanager; asyncio's own minute is an invitation.
_HANDSHAKE_S = 10.0
#: For answers under way at a reload.
_PARTING_S = 5.0


def server_context(tls: Tls) -> ssl.SSLContext:
    """The server's side, TLS 1.2 or newer. Blocks. Raises SettingsError that names the file, never what is in it."""
    _check_key(tls.key_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_pair(context, tls)
    if tls.client_ca_file is not None:
        _load_authorities(context, "client_ca_file", tls.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _check_key(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as err:
        raise _unreadable("key_file", path, err) from err
    if sys.platform != "win32" and mode & _TOO_OPEN:
        raise SettingsError(
            [f"{_SECTION}.key_file: {path}: its mode {mode:04o} lets others in; allowed: 0600 or 0640 (chmod 600)"]
        )


def _load_pair(context: ssl.SSLContext, tls: Tls) -> None:
    # By themselves first, so that a complaint names the right one of the two.
    _load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "cert_file", tls.cert_file)
    try:
        # A password that fits nothing: without one, OpenSSL would ask the terminal for it.
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    except ssl.SSLError as err:
        wrong = "is not the key of cert_file" if err.reason == "KEY_VALUES_MISMATCH" else "no key can be read in it"
        allowed = "the certificate's own private key, in PEM, without a passphrase"
        raise SettingsError([f"{_SECTION}.key_file: {tls.key_file}: {wrong}; allowed: {allowed}"]) from err
    except OSError as err:
        raise _unreadable("key_file", tls.key_file, err) from err


def _load_authorities(context: ssl.SSLContext, key: str, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as err:
        raise SettingsError(
            [f"{_SECTION}.{key}: {path}: no certificate can be read in it; allowed: PEM, -----BEGIN CERTIFICATE-----"]
        ) from err
    except OSError as err:
        raise _unreadable(key, path, err) from err


def _unreadable(key: str, path: Path, err: OSError) -> SettingsError:
    return SettingsError([f"{_SECTION}.{key}: {path}: {err.strerror}"])


class TlsListener:
    """``tls.listen``, where an application serves only ``paths``. Reads the files at once: raises SettingsError."""

    def __init__(self, tls: Tls, paths: Collection[str]) -> None:
        self.listen = tls.listen
        self._tls = tls
        self._paths = frozenset(paths)
        self._context = server_context(tls)
        self._answering: web.Server | None = None
        self._listening: list[asyncio.Server] = []
        self._reloading = asyncio.Lock()

    def guard(self, app: web.Application) -> None:
        """Have ``app`` answer 404 to everything else that comes by TLS. Before it starts."""

        @web.middleware
        async def only_paths(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if request.secure and resource is not None and resource.canonical not in self._paths:
                raise web.HTTPNotFound
            return await handler(request)

        app.middlewares.insert(0, only_paths)

    async def open(self, server: web.Server) -> None:
        """Have ``server`` answer here, too. Raises OSError."""
        host, port = host_port(self.listen)
        self._answering = server
        self._listening = [await self._listen(server, host=host, port=port)]

    async def reload(self) -> None:
        """Read the files again and go by them from now on. Raises SettingsError, and all stays as it was."""
        async with self._reloading:
            self._context = await asyncio.to_thread(server_context, self._tls)
            if self._answering is not None:
                await self._listen_anew(self._answering)

    async def _listen_anew(self, server: web.Server) -> None:
        before = self._listening
        # The same sockets go on listening: nobody is turned away in between.
        sockets = [sock.dup() for one in before for sock in one.sockets]
        self._listening = [await self._listen(server, sock=sock) for sock in sockets]
        for one in before:
            one.close()
        await _part_from_all(server)

    def close(self) -> None:
        """Take no more connections."""
        for one in self._listening:
            one.close()

    async def _listen(self, server: web.Server, **where: Any) -> asyncio.Server:  # as create_server takes it
        options: dict[str, Any] = {"ssl": self._context, "ssl_handshake_timeout": _HANDSHAKE_S}
        listening: asyncio.Server = await asyncio.get_running_loop().create_server(server, **where, **options)
        return listening


async def _part_from_all(server: web.Server) -> None:
    """Who came in by the certificates of before has to show its own again; answers under way are still given."""
    transports = {each: each.transport for each in server.connections}
    secured = [each for each, to in transports.items() if to is not None and to.get_extra_info("sslcontext")]
    for connection in secured:
        connection.close()
    await asyncio.gather(*(connection.shutdown(_PARTING_S) for connection in secured))
