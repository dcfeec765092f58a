"""What the guardian's socket says, and what something else there says."""

import pytest
from aiohttp import web

from homeostat.errors import Unreachable
from homeostat.guardian_client import GuardianClient

ROW = {
    "name": "web",
    "workload": "local/web",
    "state": "running",
    "pid": 7,
    "exit_code": None,
    "restarts": 0,
    "started_at": 1.0,
    "rss_bytes": 1,
    "cpu_seconds": 0.1,
    "open_fds": 3,
    "memory_limit_bytes": None,
    "stopped_by_request": False,
    "crash_looping": False,
    "last_check_ok": None,
}


@pytest.fixture
async def answering(tmp_path):
    """A server on a unix socket that answers /processes with what it is given."""
    runners = []

    async def start(body):
        async def processes(_request):
            return web.json_response(body)

        app = web.Application()
        app.add_routes([web.get("/processes", processes)])
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        await web.UnixSite(runner, str(tmp_path / "s")).start()
        return GuardianClient(tmp_path / "s")

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_a_newer_guardian_may_say_more(answering):
    client = await answering([{**ROW, "since": "later"}])

    (status,) = await client.processes()
    assert (status.name, status.is_running) == ("web", True)


@pytest.mark.parametrize("body", [[{"name": "web"}], {"error": "no"}, [1]], ids=["too little", "no list", "no object"])
async def test_what_is_no_guardian_is_no_answer(answering, body):
    client = await answering(body)

    with pytest.raises(Unreachable, match="no guardian of this version"):
        await client.processes()
