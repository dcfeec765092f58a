"""``python -m responder --settings homeostat.yml``."""

if __name__ == "__main__":
    from homeostat.lean import start_lean

    start_lean()

from homeostat import service
from homeostat.clock import SystemClock
from homeostat.errors import SettingsError
from homeostat.tls import TlsListener
from responder.app import WEBHOOK, create_app
from responder.ledger import StoreError
from responder.parts import Live
from responder.stores import open_store
from responder.webhook import read_tokens


def main() -> None:
    arguments = service.parse_arguments("responder", __doc__ or "")
    settings = service.load_or_exit(arguments.settings)
    try:
        live = Live(arguments.settings, settings, read_tokens(settings.responder.token_files))
        app = create_app(live, lambda: open_store(settings), SystemClock())
        tls = TlsListener(settings.responder.tls, [WEBHOOK]) if settings.responder.tls else None
        service.serve(app, settings.responder.listen, tls)
    except SettingsError as err:
        service.fail(str(err), service.EXIT_SETTINGS)
    except StoreError as err:
        service.fail(str(err), service.EXIT_IN_USE)


if __name__ == "__main__":
    main()
