"""``python -m exporters --settings homeostat.yml``."""

import sys

if __name__ == "__main__":
    # structlog loads rich when it is there, for colours that a service never shows: 3 MiB of 61.
    sys.modules["rich"] = None  # type: ignore[assignment]  # makes the import fail, as import's documentation says

from exporters.app import create_app
from homeostat import service
from homeostat.clock import SystemClock


def main() -> None:
    arguments = service.parse_arguments("exporters", __doc__ or "")
    settings = service.load_or_exit(arguments.settings)
    service.serve(create_app(settings, SystemClock()), settings.exporter.listen)


if __name__ == "__main__":
    main()
