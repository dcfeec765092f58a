"""What the commands of ``homeostat config`` share: whose files, who asks, and how it is told what went wrong."""

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import click

from cli.common import console, errors, explained
from cli.responder_api import operator
from homeostat import settings
from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.checkprogram import run_check
from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.integrity import Integrity
from homeostat.configfiles.integrity import refused as unreadable
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.own import OWN, config_files
from homeostat.configfiles.spec import ManagedFile, Rereads
from homeostat.configfiles.versions import Version
from homeostat.errors import HomeostatError, Permanent, SettingsError
from homeostat.settings import Settings

#: Where versions are kept, in settings that are damaged elsewhere.
_FOLDERS = re.compile(rb"""^(state_dir|config_dir):[ \t]*["']?([^\s"'#]+)""", re.MULTILINE)
#: A line of the history is read from its end, so it stays short.
_LONGEST_WORDS = 500
_REREADS = {
    Rereads.ITSELF: "notice it by themselves",
    Rereads.AT_START: "read it when they start again",
    Rereads.AT_CREATION: "have it when their containers are made again: docker compose up -d",
}


def _line(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if len(value) > _LONGEST_WORDS or not value.isprintable():
        raise click.BadParameter(f"must be one line of at most {_LONGEST_WORDS} characters")
    return value


def _login() -> str:
    try:
        name = operator()
    except (KeyError, OSError):  # a container's user often has no name
        name = f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    return f"{name}@{socket.gethostname()}"


WHO = click.option("--who", default=_login, callback=_line, help="For the history. Default: login@host.")
WHY = click.option("--why", default="", callback=_line, help="For the history. No secrets: it is shown to everybody.")
SHOW_SECRETS = click.option("--show-secrets", is_flag=True, help="Passwords and the like as they are, not as ***.")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """As explained; and what the system refuses, in a line."""
    with explained():
        try:
            yield
        except Invalid as err:
            raise Invalid(f"{err}\nnothing was changed", err.flaws) from None
        except BrokenPipeError:
            raise  # who reads us has seen enough; click knows
        except NotParsed as err:  # of a file that a managed one is compared with
            raise Permanent(f"a file that it is compared with (compose, example) is not valid: {err}") from err
        except OSError as err:
            where = err.filename or "managed files"
            advice = "run this as the user who runs homeostat, and see that the disk has space"
            raise Permanent(f"{where}: {err.strerror or err}; {advice}") from err


def opened(path: Path, name: str = "") -> ConfigFiles:
    """The managed files of the settings in ``path``. Settings that are damaged do not stand in the way of mending them:
    where only homeostat.yml itself is asked for, ``name`` says so. Raises SettingsError.
    """
    try:
        return _readable(config_files(settings.load(path), path, run_check))
    except SettingsError:
        if name != OWN:
            raise
    loaded = _as_far_as_known(path)
    folder = loaded.config_dir or loaded.state_dir / "config"
    said = f"{path}: is not valid now; its versions are looked for in {folder}"
    errors.print(said, style="yellow", markup=False)
    return _readable(config_files(loaded, path, run_check))


def _readable(files: ConfigFiles) -> ConfigFiles:
    """Raises OSError: to somebody who may not look into the folder it would seem that nothing is kept there."""
    with contextlib.suppress(FileNotFoundError):
        any(files.folder.iterdir())
    return files


def _as_far_as_known(path: Path) -> Settings:
    """Of damaged settings: where the state is."""
    data: dict[str, object] = {}
    with contextlib.suppress(OSError):
        found = _FOLDERS.findall(path.read_bytes())
        data = {key.decode(): value.decode(errors="replace") for key, value in found}
    return settings.build(data, {}, str(path), base=path.parent.resolve(), environ=os.environ)


def look(files: ConfigFiles, name: str) -> Integrity:
    """As :meth:`~ConfigFiles.look`; what cannot be judged, as its schema is damaged, is not good either."""
    try:
        return files.look(name)
    except NotParsed as err:
        return unreadable(f"what it is compared with is not valid: {err}")
    except HomeostatError as err:
        return unreadable(str(err))


def tell(name: str, spec: ManagedFile, version: Version, what: str) -> None:
    """What was done, and when it takes effect."""
    console.print(f"{name}: {what}; version {version.number}", style="green", markup=False, soft_wrap=True)
    if "(not kept: " in version.why:
        errors.print(f"{spec.path}: {version.why}", style="yellow", markup=False)
    if spec.workloads:
        console.print(f"{', '.join(spec.workloads)} {_REREADS[spec.rereads]}", markup=False, soft_wrap=True)
