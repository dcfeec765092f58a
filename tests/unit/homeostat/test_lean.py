"""A service that left something out of its memory can still do all that it could."""

import subprocess
import sys

#: Speaks HTTP with itself and logs, without the parts that were left out.
CLIENT = """
import asyncio, sys
from homeostat.lean import start_lean
start_lean()
import aiohttp, structlog
from aiohttp import web
async def main():
    app = web.Application()
    app.router.add_get("/", lambda request: web.Response(text="served"))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as response:
        print(await response.text(), sys.modules["rich"], "frozenlist._frozenlist" in sys.modules)
    await runner.cleanup()
    structlog.get_logger().info("logged")
asyncio.run(main())
"""


def test_it_serves_asks_and_logs_without_what_it_left_out():
    done = subprocess.run([sys.executable, "-c", CLIENT], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("served None True\n")
    assert "logged" in done.stdout
    assert done.stderr == ""
