"""``python -m grafana`` writes generated/<uid>.json; with ``--check`` it writes nothing and exits 1 if they differ.

``python -m grafana preview`` draws the dashboards from a live Prometheus.
"""

import argparse
from pathlib import Path

from grafana.dashboards import DASHBOARDS
from grafana.preview import command as preview

GENERATED = Path(__file__).parent / "generated"


def stale_files(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Names of files that are missing, differ, or belong to no dashboard."""
    there = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.json")}
    return sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))


def generate(parser: argparse.ArgumentParser, *, is_check: bool) -> None:
    """Exits 1 when ``is_check`` and something is not current."""
    from grafana.lib.render import render  # noqa: PLC0415 - a preview does without grafanalib

    wanted = {f"{dashboard.uid}.json": render(dashboard) for dashboard in DASHBOARDS}
    stale = stale_files(GENERATED, wanted)
    if is_check:
        if stale:
            parser.exit(1, f"not current in {GENERATED}: {', '.join(stale)}; run `make generate`\n")
        return
    for name in stale:
        if name in wanted:
            (GENERATED / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (GENERATED / name).unlink()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m grafana", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 if the files are not current; write nothing")
    commands = parser.add_subparsers(dest="command", metavar="preview")
    preview.add_arguments(commands.add_parser("preview", help="draw the dashboards as PNG from a live Prometheus"))
    arguments = parser.parse_args()
    if arguments.command == "preview":
        preview.run(arguments)
    else:
        generate(parser, is_check=arguments.check)


if __name__ == "__main__":
    main()
