"""Known causes are found in what programs really say, and in nothing else."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.capture.causes import CAUSES, find_causes

#: What programs really say.
TOLD = {
    "oom": [
        "Memory cgroup out of memory: Killed process 4711 (python) total-vm:204800kB, anon-rss:65536kB",
        "node invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=abc,mems_allowed=0",
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        "java.lang.OutOfMemoryError: GC overhead limit exceeded",
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "MemoryError",
        "numpy.core._exceptions._ArrayMemoryError: MemoryError: Unable to allocate 8.00 GiB",
        "OSError: [Errno 12] Cannot allocate memory",
        "fatal error: runtime: out of memory",
        "ERROR:  out of memory",
        "(error) OOM command not allowed when used memory > 'maxmemory'.",
        "Can't save in background: fork: Cannot allocate memory",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        '{"Status":"exited","OOMKilled":true}',
    ],
    "disk_full": [
        "OSError: [Errno 28] No space left on device: '/data/x'",
        'PANIC:  could not write to file "pg_wal/xlogtemp.12": No space left on device',
        "Error: ENOSPC: no space left on device, write",
        "[ERROR] [MY-012644] [InnoDB] posix_fallocate(): Failed ... errno 28: The table is full",
        "java.io.IOException: Disk quota exceeded",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "[ERROR] Disk is full writing './binlog.000003' (Errcode: 28 - No space left on device)",
    ],
    "too_many_open_files": [
        "OSError: [Errno 24] Too many open files: 'x'",
        "2026/11/24 06:35:23 [alert] 31#31: *1 socket() failed (24: Too many open files)",
        "Error: EMFILE: too many open files, open '/app/x'",
        "http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 5ms",
        "java.net.SocketException: Too many open files",
        "VFS: file-max limit 1024 reached: ENFILE: file table overflow",
    ],
    "connection_refused": [
        "connect() failed (111: Connection refused) while connecting to upstream",
        "Error: connect ECONNREFUSED 127.0.0.1:5432",
        "dial tcp 172.18.0.3:5432: connect: connection refused",
        "java.net.ConnectException: Connection refused (Connection refused)",
        "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 6379)",
        "redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused.",
        'psql: error: connection to server at "db", port 5432 failed: Connection refused',
    ],
    "out_of_connections": [
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "ERROR 1040 (HY000): Too many connections",
        "-ERR max number of clients reached",
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out",
        "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
        "512 worker_connections are not enough",
        "psycopg2.pool.PoolError: connection pool exhausted",
        "KnexTimeoutError: Knex: Timeout acquiring a connection. The pool is probably full.",
        "ERROR: no more connections allowed (max_client_conn)",
        "WARNING:urllib3.connectionpool:Connection pool is full, discarding connection: example.org",
    ],
    "certificate_expired": [
        "x509: certificate has expired or is not yet valid: current time 2026-11-24T06:35:23Z is after 2026-11-01",
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] verify failed: certificate has expired",
        "Error: certificate has expired { code: 'CERT_HAS_EXPIRED' }",
        "SSL_do_handshake() failed (SSL: error:0A000415:SSL routines::sslv3 alert certificate expired)",
        "java.security.cert.CertificateExpiredException: NotAfter: Sun Nov 01 00:00:00 UTC 2026",
        "SSL error: tlsv1 alert: CERTIFICATE_EXPIRED",
    ],
    "permission_denied": [
        "PermissionError: [Errno 13] Permission denied: '/data/x'",
        "Error: EACCES: permission denied, open '/app/x'",
        'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)',
        "ERROR:  permission denied for table users",
        "java.nio.file.AccessDeniedException: /data/x",
        "open /var/run/docker.sock: permission denied",
        "chown: changing ownership of '/data': Operation not permitted",
    ],
    "address_in_use": [
        "OSError: [Errno 98] Address already in use",
        "Error: listen EADDRINUSE: address already in use :::3000",
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "listen tcp :8080: bind: address already in use",
        "Bind for 0.0.0.0:80 failed: port is already allocated",
    ],
    "dns_failure": [
        "socket.gaierror: [Errno -2] Name or service not known",
        "Error: getaddrinfo ENOTFOUND db",
        "Error: getaddrinfo EAI_AGAIN db",
        "dial tcp: lookup db on 127.0.0.11:53: no such host",
        'could not translate host name "db" to address: Temporary failure in name resolution',
        "java.net.UnknownHostException: db",
        'host not found in upstream "web" in /etc/nginx/nginx.conf:12',
        "curl: (6) Could not resolve host: db",
    ],
    "read_only_filesystem": [
        "OSError: [Errno 30] Read-only file system: '/data/x'",
        "Error: EROFS: read-only file system, open '/app/x'",
        'FATAL:  could not open file "postmaster.pid": Read-only file system',
    ],
    "deadlock": [
        "ERROR:  deadlock detected",
        "ERROR 1213 (40001): Deadlock found when trying to get lock; try restarting transaction",
        "fatal error: all goroutines are asleep - deadlock!",
        "Found one Java-level deadlock:",
    ],
    "timeout": [
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
        "Error: connect ETIMEDOUT 10.0.0.3:443",
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        "dial tcp 10.0.0.3:443: i/o timeout",
        "ERROR:  canceling statement due to statement timeout",
        "ERROR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction",
        "requests.exceptions.ReadTimeout: HTTPConnectionPool(host='x', port=80): Read timed out.",
        "java.net.SocketTimeoutException: Read timed out",
        "asyncio.exceptions.TimeoutError",
    ],
}

#: What sounds alike, and says that all is well or something else.
NOT_TOLD = [
    "0 errors, 0 warnings",
    "connection refused: 0",
    "connection_refused_total 0",
    "econnrefused=0 etimedout=0 emfile=0",
    '{"out of memory": 0, "OOMKilled": false, "timeouterror": null}',
    "OOMKilled: false",
    "no out of memory events",
    "finished without deadlock detected",
    "0 timed out, 12 done",
    "zero permission denied",
    "permission denied count: 0",
    "too many open files errors = 0",
    "GET /room/zoom HTTP/1.1 200",
    "oom_score_adj set to -900",
    "the boom-killer feature is on",
    "eaccess_log is /var/log/x",
    "hyperm started, openfile cache on",
    "certificate expires in 30 days",
    "connecting to db:5432 refused to be slow",
    "permissions were granted",
    "addresses in use: 12",
    "max_connections = 100",
    "memory 65536 kB of 131072 kB in use",
    "disk is 80% full",
    "lock_timeout = 0",
    "",
]


def causes_of(text):
    return [finding.cause for finding in find_causes(text)]


@pytest.mark.parametrize(("cause", "line"), [(cause, line) for cause, lines in TOLD.items() for line in lines])
def test_a_cause_is_found_in_what_tells_it(cause, line):
    assert cause in causes_of(f"2026-11-24T06:35:23.984284080Z starting\n{line}\nbye")


def test_every_cause_is_tried_with_three_lines_and_more():
    assert TOLD.keys() == CAUSES.keys()
    assert min(map(len, TOLD.values())) >= 3


@pytest.mark.parametrize("line", NOT_TOLD)
def test_nothing_is_found_in_what_only_sounds_alike(line):
    assert causes_of(line) == []


def test_lines_are_counted_once_each_and_the_last_is_shown():
    text = (
        "1 connection refused: ECONNREFUSED connection refused\n"
        "2 No space left on device\n"
        "3 dial tcp: connection refused\n"
        "4 all is well\n"
    )

    assert [(f.cause, f.count, f.line) for f in find_causes(text)] == [
        ("connection_refused", 2, "3 dial tcp: connection refused"),
        ("disk_full", 1, "2 No space left on device"),
    ]


def test_of_a_long_line_what_is_around_the_words_is_shown():
    [finding] = find_causes("a" * 5000 + " Permission denied " + "b" * 5000)

    assert "Permission denied" in finding.line
    assert len(finding.line) < 350
    assert (finding.line[:3], finding.line[-3:]) == ("...", "...")


def test_letters_whose_small_form_is_longer_move_nothing():
    [finding] = find_causes("İİİİ\nİİ permission denied İİ\nbye")

    assert "permission denied" in finding.line
    assert "bye" not in finding.line


@given(text=st.text())
def test_any_text_can_be_searched(text):
    assert isinstance(find_causes(text), list)


PHRASES = [phrase for phrases in CAUSES.values() for phrase in phrases]


@pytest.mark.parametrize(
    "unit", ["a", " ", "\n", "connection refuse", "connection refused ", "no connection refused: 0\n", "eperm", "İ"]
)
def test_a_hostile_line_costs_no_more_time_than_another(unit):
    line = " ".join(PHRASES) + unit * (65536 // len(unit))
    start = time.process_time()
    find_causes(line)

    assert time.process_time() - start < 0.2
