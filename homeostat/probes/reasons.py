"""Why a check failed, in words: few, short, and without an address, which may carry a secret."""

import errno
import os
import socket
import ssl

from homeostat.probes.model import Bad, CannotLook, Starting
from homeostat.workloads import ProbeRole, ProbeSpec

#: What is used up here: files, memory, ports. The target may be as well as ever.
_OUR_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL})
# OpenSSL, x509_vfy.h. Python's own words for these two name the host.
_OTHER_NAME = {62: "issued for another name", 64: "issued for another address"}

#: What a look may raise for a check that failed or could not be made.
EXPECTED = (Bad, CannotLook, Starting, OSError, ValueError, OverflowError)
# EAI_NODATA is not everywhere.
_NO_SUCH_HOST = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def explain(err: Exception, spec: ProbeSpec) -> tuple[bool | None, str]:
    """``ok`` and ``reason`` of a check that raised one of EXPECTED."""
    match err:
        case Bad():
            return False, str(err)
        case CannotLook():
            return None, str(err)
        case Starting():
            return (False if spec.role is ProbeRole.READINESS else None), str(err)
        case TimeoutError() if not err.errno:  # asyncio's own; the kernel's has a number
            return False, f"no answer within {spec.timeout_s:g} s"
        case OSError():
            return _explain_system(err)
        case _:
            return None, "the target cannot be"


def _explain_system(err: OSError) -> tuple[bool | None, str]:
    match err:
        case ssl.SSLCertVerificationError():
            words = _OTHER_NAME.get(err.verify_code, err.verify_message)
            return False, f"TLS certificate: {words}"
        case ssl.SSLError():
            return False, "TLS handshake failed"
        case socket.gaierror() if err.errno in _NO_SUCH_HOST:
            return False, "no such host"
        case socket.gaierror():  # the name server does not answer
            return None, "the host's name cannot be looked up"
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():  # which one is chance
            return False, "connection lost"
        case _:
            return _explain_number(err)


def _explain_number(err: OSError) -> tuple[bool | None, str]:
    if not err.errno:
        return False, "cannot connect"
    return (None if err.errno in _OUR_SHORTAGES else False), os.strerror(err.errno)
