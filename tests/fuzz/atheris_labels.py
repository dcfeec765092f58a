"""Labels of a container, guided by coverage: a line each, NAME=VALUE.

python tests/fuzz/atheris_labels.py -max_total_time=60 CORPUS_DIR
"""

import atheris

with atheris.instrument_imports(include=["homeostat", "yarl"]):
    from properties import check_labels

from guided import fuzz

SEEDS = (
    b"homeostat.enable=true\nhomeostat.probe.http=:8080/health\nhomeostat.probe.status=200,204\nhomeostat.hook.gc=:8080/gc",
    b"homeostat.probe.tcp=db:5432\nhomeostat.probe.interval=5s\nhomeostat.probe.failures=3\nhomeostat.probe.role=readiness",
    b"homeostat.probe.postgres=:5432/shop\nhomeostat.probe.user=shop\nhomeostat.ladder.memory=gentle",
    b"homeostat.probe.redis=:6379\nhomeostat.probe.dns=db.example.org\nhomeostat.memory_threshold=0.8",
    b"autoheal=true\nhomeostat.hold=yes\nhomeostat.start_grace=1m30s\nhomeostat.metrics=http://u@h:9/m?a=b#c",
)


def check(content: bytes) -> None:
    lines = content.decode(errors="replace").split("\n")
    check_labels({name: value for name, _, value in (line.partition("=") for line in lines)})


if __name__ == "__main__":
    fuzz(check, SEEDS)
