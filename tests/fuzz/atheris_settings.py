"""homeostat.yml, guided by coverage: PyYAML's, too.

python tests/fuzz/atheris_settings.py -max_total_time=60 CORPUS_DIR
"""

import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["homeostat", "yaml"]):
    from properties import check_settings

from guided import fuzz
from hostile_settings import FILES, good_step, settings_with, written

from homeostat.steps import by_action

SEEDS = (*FILES, written(settings_with(*map(good_step, by_action()))))

if __name__ == "__main__":
    warnings.simplefilter("ignore", FutureWarning)  # re's, of patterns that a later Python may read otherwise
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "homeostat.yml"
        fuzz(lambda content: check_settings(path, content), SEEDS)
