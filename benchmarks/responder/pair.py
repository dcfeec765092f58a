"""Two responders that share a Redis, a pair of Alertmanagers that tell both of everything, slow links between them all:
nothing is done twice.
"""

import asyncio
import json
import random
import shutil
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from rich.progress import Progress

from benchmarks.responder import reading
from benchmarks.responder.alerts import Firing, posted
from benchmarks.responder.audit import Audit, audit
from benchmarks.responder.crash import LADDERS
from benchmarks.responder.processes import Program, running
from benchmarks.responder.site import NO_BRAKE, TOKEN, Neighbourhood, Site, idle, workload_names
from benchmarks.responder.slowlink import SlowLink
from benchmarks.responder.traffic import Traffic
from benchmarks.responder.world import Temper
from chaos.harness import free_ports
from responder.redisstore.place import Place
from responder.store_redis import RedisStore

_WORKLOADS = 200
_PACE_S = 0.3
_FOR_LONG_S = 86400.0
#: (least, more at most) seconds one way.
_TO_RESPONDER = (0.02, 0.2)
_TO_ALERTMANAGER = (0.01, 0.05)
_TO_REDIS = (0.001, 0.005)
#: Of one responder's link to Redis, again and again: some shorter than its lease of a workload, some longer.
_STALLS_S = (0.5, 2.0, 6.0, 18.0)
_BETWEEN_STALLS_S = (2.0, 8.0)
_LIMIT_S = 240.0
_TEMPER = Temper({"gc": 0.5, "cache-clear": 0.5, "restart": 1.0}, takes_s=(0.0, 0.2), ends_after_s=1.0)
#: As alertmanager/alertmanager.yml routes it, with the end of an alert told sooner.
_ROUTE = {
    "receiver": "responders",
    "group_by": ["alertname", "workload", "part"],
    "group_wait": "0s",
    "group_interval": "1s",
    "repeat_interval": "1h",
}
