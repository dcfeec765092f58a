"""A container engine on a Unix socket that speaks the wire, and that can be made to fail, dawdle and lie."""

import asyncio
import contextlib
import json

from aiohttp import web


class FakeDaemon:
    """``containers``: id -> what inspect answers. ``delay_s``: before any answer. ``lies``: (part of a path, what to
    send instead: bytes, or what becomes JSON). ``cuts``: a part of paths whose answers break off in the middle.
    """

    def __init__(self):
        self.containers = {}
        self.stats = {}
        self.delay_s = 0.0
        self.lies = []
        self.cuts = "nothing"
        self.paths = []
        self._streams = []
        self._runner = None

    def add(self, number=1, **state):
        """A running container; ``state`` goes into its State."""
        container_id = f"{number:064x}"
        self.containers[container_id] = {
            "Id": container_id,
            "Name": f"/shop-web-{number}",
            "RestartCount": 0,
            "State": {"Status": "running", "Pid": 0, "ExitCode": 0, "StartedAt": "2026-11-23T11:49:51Z"} | state,
            "Config": {
                "Image": "shop:1",
                "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
            },
            "HostConfig": {"NetworkMode": "shop_default", "RestartPolicy": {"Name": "no"}, "Memory": 0},
            "NetworkSettings": {"Networks": {"shop_default": {"IPAddress": "127.0.0.9"}}},
        }
        return container_id

    async def start(self, path):
        app = web.Application(middlewares=[self._middleware])
        app.add_routes(
            [
                web.get("/version", self._version),
                web.get("/v{v}/version", self._version),
                web.get("/v{v}/info", self._info),
                web.get("/v{v}/containers/json", self._list),
                web.get("/v{v}/containers/{id}/json", self._inspect),
                web.get("/v{v}/containers/{id}/stats", self._stats),
                web.get("/v{v}/events", self._events),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(path)).start()
        return f"unix://{path}"

    async def stop(self):
        await self._runner.cleanup()

    @web.middleware
    async def _middleware(self, request, handler):
        self.paths.append(request.path)
        await asyncio.sleep(self.delay_s)
        for part, lie in self.lies:
            if part in request.path:
                body = lie if isinstance(lie, bytes) else json.dumps(lie).encode()
                return web.Response(body=body, content_type="application/json")
        response = await handler(request)
        if self.cuts in request.path:
            return await self._cut(request, response.body)
        return response

    async def _cut(self, request, body):
        response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        request.transport.close()
        return response

    async def _version(self, _request):
        return web.json_response({"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24"})

    async def _info(self, _request):
        return web.json_response({"SystemTime": "2026-11-23T11:49:51Z"})

    async def _list(self, _request):
        # Of its own knowledge: an inspect that was spoilt spoils nothing here.
        rows = [
            {
                "Id": key,
                "Names": [f"/shop-web-{int(key, 16)}"],
                "State": "running",
                "Status": "Up 1 second",
                "Labels": {},
            }
            for key in self.containers
        ]
        return web.json_response(rows)

    async def _inspect(self, request):
        raw = self.containers.get(request.match_info["id"])
        return web.json_response(raw) if raw else web.json_response({"message": "No such container"}, status=404)

    async def _stats(self, request):
        raw = self.stats.get(request.match_info["id"])
        return web.json_response(raw) if raw else web.json_response({"message": "No such container"}, status=404)

    async def _events(self, request):
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await asyncio.Event().wait()
        return response
