"""``python -m responder --settings homeostat.yml``."""

if __name__ == "__main__":
    from homeostat.lean import start_lean

    start_lean()

from homeostat import service
from homeostat.clock import SystemClock
from homeostat.errors import SettingsError
from responder.app import Live, create_app
from responder.ledger import StoreError
from responder.store_sqlite import SqliteStore
from responder.webhook import read_tokens


def main() -> None:
    arguments = service.parse_arguments("responder", __doc__ or "")
    settings = service.load_or_exit(arguments.settings)
    try:
        tokens = read_tokens(settings.responder.token_files)
        store = SqliteStore(settings.state_dir / "responder.sqlite3")
    except SettingsError as err:
        service.fail(str(err), service.EXIT_SETTINGS)
    except StoreError as err:
        service.fail(str(err), service.EXIT_IN_USE)
    else:
        live = Live(arguments.settings, settings, tokens)
        service.serve(create_app(live, store, SystemClock()), settings.responder.listen)


if __name__ == "__main__":
    main()
