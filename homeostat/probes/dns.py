"""Asks a name server for one kind of record of one name.

The only importer of dnspython; imported itself only when there is such a probe.
"""

import asyncio

from dns import exception
from dns.asyncresolver import Resolver
from dns.name import Name, from_text
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, NoResolverConfiguration

from homeostat.probes.dialing import Dialer
from homeostat.probes.model import Bad, CannotLook, Finding, ProbeContext
from homeostat.quantities import host_port
from homeostat.workloads import DnsOptions, ProbeSpec

_DEFAULT = DnsOptions()


class DnsLook:
    """The name is taken as it stands: no search domains. Nothing is remembered from check to check."""

    def __init__(self, spec: ProbeSpec, _context: ProbeContext) -> None:
        options = spec.options if isinstance(spec.options, DnsOptions) else _DEFAULT
        self._name = _name(spec.target)
        self._record = options.record
        self._answer = _plain(options.answer)
        self._timeout_s = spec.timeout_s
        self._server = Dialer(*host_port(options.server)) if options.server else None

    async def look(self) -> Finding:
        resolver = await self._resolver()
        try:
            answers = await resolver.resolve(self._name, self._record, search=False)
        except NXDOMAIN:
            raise Bad("no such name") from None
        except NoAnswer:
            raise Bad("no such record") from None
        except NoNameservers as err:
            raise _system_error(err) or Bad("the name server failed") from None
        except exception.Timeout as err:
            raise _system_error(err) or TimeoutError() from None
        except exception.DNSException:  # YXDOMAIN, or what cannot be read
            raise Bad("the name server failed") from None
        if self._answer and self._answer not in {_plain(record.to_text()) for record in answers}:
            raise Bad("another answer")
        return Finding()

    async def close(self) -> None:
        """Nothing is kept."""

    async def _resolver(self) -> Resolver:
        if self._server is None:
            try:
                # The system's servers can change, and are in a file.
                resolver = await asyncio.to_thread(Resolver)
            except NoResolverConfiguration:
                raise CannotLook("no name server is known here") from None
        else:
            resolver = Resolver(configure=False)
            resolver.nameservers = [str(address[4][0]) for address in await self._server.resolve()]
            resolver.port = self._server.port
        # One question is enough for a name server that answers at all: a lost datagram is the next check's.
        resolver.timeout = resolver.lifetime = self._timeout_s
        return resolver


def _system_error(err: exception.DNSException) -> OSError | None:
    """What kept dnspython from asking, if that was it: it goes on to the next server, and tells only at the end."""
    tries = err.kwargs.get("errors", ())
    return next((each for one in tries for each in one if isinstance(each, OSError)), None)


def _name(text: str) -> Name:
    try:
        return from_text(text)
    except exception.DNSException as err:  # a label too long, say
        raise ValueError(str(err)) from err


def _plain(text: str) -> str:
    """Without what the text form of records adds: quotes around TXT, the final dot of names; case does not count."""
    return text.strip('"').removesuffix(".").lower()
