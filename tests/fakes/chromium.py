"""A real headless Chromium, driven over the DevTools protocol. https://chromedevtools.github.io/devtools-protocol/"""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from fakes.stack import eventually

_OPTIONS = (
    "--headless",
    "--no-sandbox",  # it refuses to have one as root, and only sees pages of the tests
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


@dataclass
class Tab:
    """One page. ``complaints``: errors of the console, of scripts and of the network, in the order they came."""

    socket: aiohttp.ClientWebSocketResponse
    complaints: list[str] = field(default_factory=list)
    loads: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, asyncio.Future[dict[str, object]]] = field(default_factory=dict)

    async def listen(self) -> None:
        async for message in self.socket:
            data = json.loads(message.data)
            if "id" in data:
                self._waiting.pop(data["id"]).set_result(data)
            else:
                self._note(data["method"], data["params"])

    def _note(self, method: str, params: dict) -> None:
        match method:
            case "Page.loadEventFired":
                self.loads += 1
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def send(self, method: str, **params: object) -> dict:
        number = next(self._numbers)
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(20):
            data = await answer
        assert "error" not in data, (method, data)
        return data["result"]

    async def size(self, width: int, height: int, *, is_phone: bool = False) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone
        )

    async def prefer(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def open(self, url: str) -> None:
        """And wait until it is loaded."""
        before = self.loads
        await self.send("Page.navigate", url=url)
        await self.loaded(before)

    async def loaded(self, before: int) -> None:
        async def is_loaded() -> bool:
            return self.loads > before

        await eventually(is_loaded)

    async def evaluate(self, expression: str) -> object:
        """A JavaScript expression's value, as JSON has it."""
        result = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def text(self, selector: str = "main") -> str:
        """As people see it; empty when there is no such element."""
        seen = f"((e) => e?.checkVisibility() ? e.innerText : '')(document.querySelector({json.dumps(selector)}))"
        return str(await self.evaluate(seen))

    async def click(self, selector: str) -> None:
        """With the mouse, where it is."""
        place = await self.evaluate(
            "((e) => { e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            f"return [r.x + r.width / 2, r.y + r.height / 2]; }})(document.querySelector({json.dumps(selector)}))"
        )
        assert isinstance(place, list)
        mouse = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        await self.send("Input.dispatchMouseEvent", type="mousePressed", **mouse)
        await self.send("Input.dispatchMouseEvent", type="mouseReleased", **mouse)

    async def type(self, selector: str, text: str) -> None:
        await self.click(selector)
        await self.send("Input.insertText", text=text)

    async def press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        await self.send("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    async def picture(self, path: Path) -> None:
        """Of the whole page, however long."""
        shot = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(str(shot["data"])))


@contextlib.asynccontextmanager
async def browsing(program: Path, folder: Path) -> AsyncIterator[Tab]:
    """A browser with one empty tab and a new profile. It ends with the block."""
    folder.mkdir()
    with (folder / "log").open("wb") as log:
        # In a group of its own: Debian's program is a script, which the browser would outlive.
        command = [program, *_OPTIONS, f"--user-data-dir={folder}"]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        port = int((await eventually(lambda: _port(folder, process))).split()[0])
        async with aiohttp.ClientSession() as session, session.put(f"http://127.0.0.1:{port}/json/new") as response:
            address = (await response.json())["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket, asyncio.TaskGroup() as group:
                tab = Tab(socket)
                listening = group.create_task(tab.listen())
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await tab.send(f"{domain}.enable")
                yield tab
                listening.cancel()
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # there is nothing that it would have to save
        await asyncio.to_thread(process.wait, 10)
        await eventually(lambda: _is_gone(process.pid))


async def _is_gone(group: int) -> bool:
    """All of it: the browser and the processes that it has started."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


async def _port(folder: Path, process: subprocess.Popen[bytes]) -> str:
    assert process.poll() is None, (folder / "log").read_text()
    with contextlib.suppress(FileNotFoundError):
        return (folder / "DevToolsActivePort").read_text()
    return ""
