"""``python -m exporters --settings homeostat.yml``."""

if __name__ == "__main__":
    from homeostat.lean import start_lean

    start_lean()

from exporters.app import create_app
from homeostat import service
from homeostat.clock import SystemClock


def main() -> None:
    arguments = service.parse_arguments("exporters", __doc__ or "")
    settings = service.load_or_exit(arguments.settings)
    service.serve(create_app(settings, SystemClock(), arguments.settings), settings.exporter.listen)


if __name__ == "__main__":
    main()
