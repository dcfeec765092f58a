"""Alertmanager's silences: what is read, and what is said of a server that is none."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from homeostat.errors import Permanent, Unreachable
from homeostat.silences import SilenceClient, silence_of

ROW = """{"id": "s1", "status": {"state": "%s"},
"matchers": [{"name": "workload", "value": "shop/web", "isRegex": true}],
"startsAt": "2026-11-24T10:00:00.000Z", "endsAt": "2026-11-24T11:00:00.000Z", "createdBy": "%s", "comment": "disks"}"""


@asynccontextmanager
async def client_of(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[SilenceClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield SilenceClient(str(server.make_url("")).rstrip("/"), session)


def saying(text: str, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="application/json")

    return answer


async def test_those_that_have_ended_are_left_out():
    rows = ",".join(ROW % (state, "homeostat: jane") for state in ("expired", "active", "pending"))
    async with client_of(saying(f"[{rows}]")) as client:
        found = await client.all()

    assert [silence.workloads for silence in found] == [("shop/web",)] * 2
    assert {silence.by for silence in found} == {"jane"}


@pytest.mark.parametrize("text", ["{}", "null", "7", "[{}]", "[7]", '[{"status": {"state": "active"}}]'])
async def test_what_is_no_alertmanager_is_named_as_such(text: str):
    async with client_of(saying(text)) as client:
        with pytest.raises(Permanent, match="does not answer as Alertmanager does"):
            await client.all()


@pytest.mark.parametrize("text", ["[]", "{}", "null"])
async def test_a_silence_that_nobody_confirms_is_not_taken_for_one(text: str):
    async with client_of(saying(text)) as client:
        with pytest.raises(Permanent, match="does not answer as Alertmanager does"):
            await client.put(silence_of(["shop/web"], (0.0, 1.0), "jane", "disks"))


async def test_a_refusal_is_told_in_its_words():
    async with client_of(saying("end time must not be in the past", 400)) as client:
        with pytest.raises(Permanent, match=re.escape("end time must not be in the past")):
            await client.put(silence_of(["shop/web"], (0.0, 1.0), "jane", "disks"))


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_that_fails_may_work_later(status: int):
    async with client_of(saying("", status)) as client:
        with pytest.raises(Unreachable, match=str(status)):
            await client.end("s1")


async def test_no_json_is_no_answer():
    async with client_of(saying("<html>")) as client:
        with pytest.raises(Unreachable, match="does not answer"):
            await client.all()


def test_every_workload_is_neither_the_host_nor_homeostat_itself():
    silence = silence_of(["*"], (0.0, 1.0), "jane", "moving")

    assert [str(matcher) for matcher in silence.matchers] == ["workload=~'.+'", "workload!~'(host|homeostat)/.+'"]
    assert silence.workloads == ("*",)
    assert replace(silence, matchers=silence.matchers[:1]).workloads is None
    assert len(silence_of(["host/local"], (0.0, 1.0), "jane", "moving").matchers) == 1
