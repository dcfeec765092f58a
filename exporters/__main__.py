"""``python -m exporters --settings homeostat.yml``."""

import sys

if __name__ == "__main__":
    # structlog loads rich when it is there, for colours that a service never shows: 3 MiB of 61.
    sys.modules["rich"] = None  # type: ignore[assignment]  # the documented way to make an import fail

    from exporters.command import main

    sys.exit(main())
