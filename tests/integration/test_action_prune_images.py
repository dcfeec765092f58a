"""The action ``prune`` on images of a real engine.

The images of this test claim to be from 1940, and only what is older than 1946 is deleted: whatever else the engine of
this machine holds stays.
"""

import asyncio
import dataclasses
import gc
import hashlib
import io
import json
import os
import tarfile
import time
import uuid
from datetime import UTC, datetime

import docker
import pytest
from fakes.acting import act, containers_of, process
from fakes.containers import container

from homeostat.containers import DockerEngine
from homeostat.errors import Unreachable
from homeostat.steps import PruneStep
from responder.actions.prune import Prune

pytestmark = pytest.mark.docker

MIB = 2**20
OLDER_THAN_S = time.time() - datetime(1946, 1, 1, tzinfo=UTC).timestamp()
STEP = PruneStep(action="prune", dangling_images=True, older_than=OLDER_THAN_S)


@pytest.fixture
def image(sdk):
    """Makes an image that no registry knows; its id."""
    made = []

    def make(year=1940, tag=None):
        content = uuid.uuid4().bytes * (MIB // 16)
        layer = tar_of({"file": content})
        config = {
            "architecture": "amd64",
            "os": "linux",
            "created": f"{year}-01-01T00:00:00Z",
            "config": {"Cmd": ["/file"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
        manifest = [{"Config": "config.json", "RepoTags": [tag] if tag else None, "Layers": ["layer.tar"]}]
        files = {"config.json": config, "manifest.json": manifest}
        archive = tar_of({name: json.dumps(value).encode() for name, value in files.items()} | {"layer.tar": layer})
        made.append(sdk.images.load(archive)[0].id)
        return made[-1]

    yield make
    for image_id in made:
        try:
            sdk.images.remove(image_id, force=True)
        except docker.errors.ImageNotFound:
            continue


def tar_of(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def ids(sdk):
    return {image.id for image in sdk.images.list(all=True)}


@pytest.mark.parametrize("target", [process(), containers_of(container())], ids=["process", "containers"])
async def test_images_without_a_name_are_deleted_and_told(sdk, engine_client, image, target):
    dangling = image()

    result = await act(Prune(), STEP, target, engine=engine_client)

    # The image, and its layer.
    assert result.detail == "2 images and layers deleted, 1.0 MiB"
    assert dangling not in ids(sdk)


async def test_images_with_a_name_a_container_or_a_younger_date_stay(sdk, engine_client, image):
    named = image(tag=f"hs-prune:{uuid.uuid4().hex[:8]}")
    used = image()
    young = image(year=1950)
    user = sdk.containers.create(used)
    try:
        result = await act(Prune(), STEP, process(), engine=engine_client)

        assert result.reason.startswith("there is nothing older than ")
        assert {named, used, young} <= ids(sdk)
    finally:
        user.remove(force=True)


async def test_files_and_images_are_told_together(engine_client, image, tmp_path):
    image()
    old = tmp_path / "old.log"
    old.write_bytes(b"x" * MIB)
    os.utime(old, (0, datetime(1940, 1, 1, tzinfo=UTC).timestamp()))
    step = dataclasses.replace(STEP, files=(f"{tmp_path}/*.log",))

    result = await act(Prune(), step, process(), engine=engine_client)

    assert result.detail == "1 files deleted, 1.0 MiB; 2 images and layers deleted, 1.0 MiB"
    assert not old.exists()


# The SDK leaves its socket open when it cannot connect.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_engine_that_does_not_answer_is_told(tmp_path):
    engine = DockerEngine(f"unix://{tmp_path}/nothing.sock")

    with pytest.raises(Unreachable, match="no Docker Engine answers"):
        await act(Prune(), STEP, process(), engine=engine)

    await asyncio.sleep(0.05)
    gc.collect()
