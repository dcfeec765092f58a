"""A folder with a homeostat.yml that manages some files, and ``homeostat config`` as click's own runner calls it."""

from pathlib import Path

from click.testing import CliRunner, Result

from cli.main import main

ENV = """\
# the shop
DEBUG=false
DB_PASSWORD="hunter2-old"  # secret
DATABASE_URL=postgres://app:pw12345@db/shop
PORT=8080
"""
COMPOSE = """\
services:
  web:
    image: "nginx:1.25"  # pinned
    ports: ["80:80"]
    environment:
      - POSTGRES_PASSWORD=hunter2-compose
      - MODE=fast
    labels: {a.b: x}
"""
SETTINGS = """\
docker: {enabled: false}
config_files:
  app: {path: app/.env, workloads: [shop/web], rereads: at_creation}
  compose: {path: app/compose.yml}
"""


class ConfigTree:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "homeostat.yml"
        self.env = folder / "app" / ".env"
        self.compose = folder / "app" / "compose.yml"
        self.env.parent.mkdir()
        self.settings.write_text(SETTINGS)
        self.compose.write_text(COMPOSE)
        self.write_env(ENV)

    def write_env(self, text: str) -> None:
        self.env.write_text(text)
        self.env.chmod(0o600)

    def run(self, *arguments: object, stdin: str | bytes | None = None, **environment: str) -> Result:
        """``homeostat config ARGS --settings ...``."""
        command, *rest = [str(argument) for argument in arguments]
        args = ["config", command, "--settings", str(self.settings), *rest]
        return CliRunner().invoke(main, args, input=stdin, env=environment, prog_name="homeostat")
