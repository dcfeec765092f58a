"""Secrets in every shape are taken out of logs, and ordinary lines are left as they are."""

import base64
import json
import re
import time
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.capture.redact import MARK, redact, redact_all, secrets_of


def b64(text):
    return base64.b64encode(text.encode()).decode()


#: Shapes whose secret stands without quotes.
BARE = {
    "env": "DB_PASSWORD={}",
    "env of rails": "export SECRET_KEY_BASE={} RAILS_ENV=production",
    "env of aws": "AWS_SECRET_ACCESS_KEY={}",
    "logfmt": "ts=2026-11-24 level=info token={} user=bob",
    "yaml": "  password: {}",
    "properties": "spring.datasource.password={}",
    "ini": "passwd = {}",
    "option": "mysqld --password={} --port=3306",
    "option with a space": "app --api-key {} --verbose",
    "option of java": "-Djavax.net.ssl.keyStorePassword={} -jar app.jar",
    "options in a list": "['app', '--token', '{}', '-v']",
    "options in a tight list": '["app","--client-secret","{}","-v"]',
    "curl user": "curl -u bob:{} https://example.org",
    "header": "Authorization: Bearer {}",
    "header of another scheme": "authorization: token {}",
    "header in a command": "curl -H 'Authorization: Token {}' https://example.org",
    "api key header": "X-Api-Key: {}",
    "vault header": "> X-Vault-Token: {}",
    "cookie": "Cookie: theme=dark; sid={}; lang=en",
    "set-cookie": "< Set-Cookie: session={}; HttpOnly; Path=/",
    "nginx cookie": 'cookie: "session={}" upstream: "http://10.0.0.1/"',
    "connection string": "Server=db;User Id=sa;Password={};Database=shop",
    "azure": "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core",
    "libpq": "host=db user=app password={} dbname=shop",
    "sql": "ALTER USER app WITH PASSWORD '{}'",
    "sql of mysql": "CREATE USER 'app'@'%' IDENTIFIED BY '{}'",
    "sql with a plugin": "ALTER USER 'app' IDENTIFIED WITH caching_sha2_password BY '{}'",
    "redis monitor": '1700000000.123 [0 127.0.0.1:50000] "AUTH" "default" "{}"',
    "redis config": "CONFIG SET requirepass {}",
    "redis file": "masterauth {}",
    "mysql's first start": "A temporary password is generated for root@localhost: {}",
    "initial password": "GENERATED ROOT PASSWORD: {}",
    "told": "Your admin password is: {}",
    "go struct": "cfg={{User:app Password:{} Host:db}}",
    "java record": "DataSource(username=app, password={}, url=jdbc)",
    "php array": "[password] => {}",
    "coloured": "\x1b[36mpassword\x1b[0m=\x1b[35m{}\x1b[0m",
    "message in json": '{{"msg":"login with password={}","level":"info"}}',
    "session": "JSESSIONID={}; theme=dark",
    "s3 key": "aws_secret_access_key = {}",
    "npm": "//registry.npmjs.org/:_authToken={}",
}
#: Shapes whose secret is written as JSON, a literal of a language, or with signs for others.
ENCODED = {
    "json": lambda secret: json.dumps({"user": "bob", "password": secret, "age": 7}),
    "json with other keys": lambda secret: json.dumps({"clientSecret": secret, "x": 1}, ensure_ascii=False),
    "json without spaces": lambda secret: json.dumps({"access_token": secret, "x": "y"}, separators=(",", ":")),
    "json list": lambda secret: json.dumps({"api_keys": [secret, secret], "x": 1}),
    "json header": lambda secret: json.dumps({"Authorization": f"Basic {secret}", "Accept": "*/*"}),
    "json in json": lambda secret: json.dumps({"msg": json.dumps({"password": secret, "x": 1}), "level": "info"}),
    "json three times": lambda secret: json.dumps(json.dumps(json.dumps({"secret": secret, "x": 1}))),
    "python": lambda secret: repr({"password": secret, "x": 1}),
    "python arguments": lambda secret: f"connect(host='db', password={secret!r}, port=5432)",
    "python wrapper": lambda secret: f"Settings(db_password=SecretStr({secret!r}), debug=False)",
    "python bytes": lambda secret: f"token={secret.encode()!r} ok",
    "rust": lambda secret: f"Config {{ token: Some(Secret({json.dumps(secret)})), port: 1 }}",
    "ruby": lambda secret: f'{{"password"=>{json.dumps(secret)}, "id"=>7}}',
    "logfmt": lambda secret: f"level=info token={json.dumps(secret)} user=bob",
    "node": lambda secret: f"auth: {{ user: 'bob', pass: {json.dumps(secret)} }}",
    "url": lambda secret: f"connecting to postgres://app:{quote(secret, safe='')}@db:5432/shop?sslmode=off",
    "url without user": lambda secret: f"redis://:{quote(secret, safe='')}@cache:6379/0",
    "query": lambda secret: f'"GET /cb?access_token={quote(secret, safe="")}&state=1 HTTP/1.1" 200',
    "signed url": lambda secret: f"https://s3/x?X-Amz-Signature={quote(secret, safe='')}&x=1",
    "dsn of go": lambda secret: f"app:{quote(secret, safe='')}@tcp(db:3306)/shop",
    "basic": lambda secret: f"Proxy-Authorization: Basic {b64('bob:' + secret)}",
    "xml": lambda secret: f"<user>bob</user><password>{escape(secret)}</password>",
    "xml with attributes": lambda secret: f'<wsse:Password Type="text">{escape(secret)}</wsse:Password>',
}

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#: No word, no number, no sign that would end it where nothing encloses it.
PLAIN = st.builds(
    "{}{}7".format, st.sampled_from(LETTERS), st.text(LETTERS + "-_.~+/=!@#$^&*", min_size=8, max_size=40)
)
ANY = st.builds(
    "{}Q7".format, st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Z"]), min_size=8)
)
SPACED = st.builds(" ".join, st.lists(ANY, min_size=2, max_size=3))


def assert_gone(secret, line, template):
    """Neither the secret nor much of it, in any spelling that the line has."""
    out = redact(line)
    kept = out.replace(MARK, "\0")

    assert MARK in out
    for spelling in {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), repr(secret)[1:-1], escape(secret)}:
        pieces = {spelling[at : at + 6] for at in range(max(len(spelling) - 5, 1))}
        assert not [piece for piece in pieces if piece in kept and piece not in template]


@pytest.mark.parametrize("shape", BARE)
@given(secret=PLAIN)
def test_a_secret_without_quotes_does_not_survive(shape, secret):
    if "sql" in shape:
        secret = secret.replace("'", "x")

    assert_gone(secret, BARE[shape].format(secret), BARE[shape].format(""))


@pytest.mark.parametrize("shape", ENCODED)
@given(secret=st.one_of(PLAIN, ANY, SPACED))
def test_a_secret_as_a_language_writes_it_does_not_survive(shape, secret):
    assert_gone(secret, ENCODED[shape](secret), ENCODED[shape](""))


@given(secret=PLAIN, before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_known_secret_does_not_survive_wherever_it_stands(secret, before, after):
    assert secret not in redact(f"{before}{secret}{after}", [secret])


@given(secret=st.one_of(PLAIN, ANY))
def test_a_known_secret_does_not_survive_in_other_spellings(secret):
    out = redact(f"a {quote(secret, safe='')} b {json.dumps(secret)} c", [f"{secret}\n"])

    assert not [each for each in (quote(secret, safe=""), json.dumps(secret)[1:-1]) if each in out]


def test_the_longer_of_two_known_secrets_goes_first():
    assert redact("x hunter2-extended y", ["hunter2", "hunter2-extended"]) == f"x {MARK} y"


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2" * 10,
        "glpat-" + "a1B2" * 5,
        "xoxb-123456789012-abcdefGHIJKL",
        "sk_live_" + "a1B2" * 6,
        "AIza" + "a1B2c" * 7,
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://0123456789abcdef0123456789abcdef@sentry.example.org/1",
        "Bearer abcdefghij",
    ],
)
def test_a_token_that_tells_itself_does_not_survive(token):
    out = redact(f"2026-11-24 sent {token} to upstream")

    assert max(re.findall(r"[\w.-]+", token.replace("@", " ")), key=len) not in out
    assert (out.startswith("2026-11-24 sent "), out.endswith(" to upstream")) == (True, True)


BODY = ["MIIEpAIBAAKCAQEA" + "x1Y2" * 12 for _ in range(20)]
KEY = ["-----BEGIN RSA PRIVATE KEY-----", *BODY, "-----END RSA PRIVATE KEY-----"]


@pytest.mark.parametrize("stamp", ["", "2026-11-24T06:35:23.984284080Z "])
@pytest.mark.parametrize(
    "key",
    [
        KEY,
        [line.replace("RSA", "OPENSSH") for line in KEY],
        [KEY[0], "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0011", "", *KEY[1:]],
        KEY[5:],  # its beginning was not read
        KEY[:-3],  # its end was not written
        ["tls.key: " + "\\n".join(KEY)],  # in a string
        ["tls.key: " + "\\n".join(KEY[:-2])],
    ],
)
def test_a_private_key_does_not_survive_and_its_neighbours_do(key, stamp):
    text = "\n".join(stamp + line for line in ["loading the key", *key, "ready to serve"])
    out = redact(text)

    assert BODY[0][:20] not in out
    assert [line.removeprefix(stamp) for line in out.split("\n")][:: len(out.split("\n")) - 1] == [
        "loading the key",
        "ready to serve",
    ]


def test_a_key_that_is_only_mentioned_costs_no_other_line():
    after = redact("expected -----BEGIN PRIVATE KEY-----\n2026-11-24 retrying in 5 s\nbye bye")
    before = redact("2026-11-24 retrying in 5 s\nno -----END PRIVATE KEY----- seen\nbye bye")

    assert after == f"expected {MARK}\n2026-11-24 retrying in 5 s\nbye bye"
    assert before == f"2026-11-24 retrying in 5 s\n{MARK} seen\nbye bye"


ORDINARY = """
2026-11-24 06:35:23.984 UTC [71] LOG:  database system is ready to accept connections
2026-11-24 06:35:23.984 UTC [71] FATAL:  password authentication failed for user "app"
2026-11-24 06:35:23.984 UTC [71] DETAIL:  Connection matched pg_hba.conf line 100: "host all all all scram-sha-256"
2026-11-24 06:35:23.984 UTC [71] ERROR:  duplicate key value violates unique constraint "users_pkey"
2026-11-24 06:35:23.984 UTC [71] DETAIL:  Key (id)=(42) already exists.
2026-11-24 06:35:23.984 UTC [71] STATEMENT:  SELECT id FROM sessions WHERE token = $1 AND secret::text <> ''
2026-11-24 06:35:23.984 UTC [71] LOG:  checkpoint complete: wrote 3 buffers (0.0%); 0 WAL file(s) added
2026-11-24 06:35:23.984 UTC [71] LOG:  parameter "password_encryption" changed to "scram-sha-256"
password_encryption = scram-sha-256
172.17.0.1 - - [24/Nov/2026:06:35:23 +0000] "GET /api/v1/tokens/7?page=2&sort=key HTTP/1.1" 200 612 "-" "curl/8.5.0"
2026/11/24 06:35:23 [error] 31#31: *1 connect() failed (111: Connection refused) while connecting to upstream, client: \
172.17.0.1, server: localhost, request: "GET / HTTP/1.1", upstream: "http://172.18.0.3:8080/", host: "localhost:8080"
1:M 24 Nov 2026 06:35:23.984 * Ready to accept connections tcp
1:M 24 Nov 2026 06:35:23.984 # Warning: no config file specified, using the default config.
-NOAUTH Authentication required.
-WRONGPASS invalid username-password pair or user is disabled.
ERR AUTH <password> called without any password configured for the default user. Are you sure?
Traceback (most recent call last):
  File "/app/token.py", line 33, in authenticate
    raise InvalidToken(f"token of {user} expired")
app.errors.InvalidToken: token expired
KeyError: 'password'
ValueError: password must be at least 8 characters
pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
SyntaxError: Unexpected token } in JSON at position 12
SyntaxError: Unexpected token: }
    at Object.<anonymous> (/app/src/auth/token.service.js:12:3)
    at v8::internal::Token::Name(Token::Value) (token.cc:11)
java.lang.IllegalStateException: The secret must not be null
	at com.example.security.TokenFilter.doFilter(TokenFilter.java:45)
Caused by: javax.crypto.AEADBadTagException: Tag mismatch!
	... 23 more
HikariPool-1 - Connection is not available, request timed out after 30000ms.
panic: runtime error: index out of range [3] with length 3
goroutine 1 [running]: main.(*Tokenizer).Next(0xc000012345, 0x1)
token: required field
password: must not be empty
authorization: denied by policy
{"level":"warn","msg":"token rejected","reason":"expired","attempts":3}
{"password":null,"token":"","secret":false}
{"max_tokens":4096,"prompt_tokens":123,"total_tokens":1500}
level=info msg="token refreshed" token_type=bearer token_expires_in=3600 cookie_secure=true
INFO tokens: 1500 used, secrets=0, cookies: 3
PWD=/app
OLDPWD=/root
POSTGRES_PASSWORD_FILE=/run/secrets/db
WWW-Authenticate: Bearer realm="example"
Bearer authentication is required
GET http://localhost:3000/@vite/client 200
pulled registry.example.org:5000/shop@sha256:839f3fa1429a25b8f5610d6b526e672353193602efeaead40390745c2afc7b06
connected to postgres://db:5432/shop and redis://cache:6379/0
listening on http://[::1]:8080/ and 0.0.0.0:8080
sent mail to bob@example.org from no-reply@example.org
Secretary: Ms. Smith; Passenger: 12; compass=north; author: bob; keyboard: de; monkey=1
primary key: id, foreign key: user_id, key=value, keys: 12, cache_key=users:7
oom_kill_process+0x21b/0x2f0 Killed process 4711 (python) total-vm:204800kB
PLAY [all] *********************************************************************
UPDATE users SET password = ?, token = %s, api_key = :key WHERE id = 7
export TOKEN=${TOKEN} PASSWORD=$DB_PASSWORD
pid=12 uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:authentication acct="bob" res=failed'
sshd[12]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.9 user=bob
-------------------------------------------------------------------------------
1234567890 deadbeefdeadbeefdeadbeefdeadbeef 550e8400-e29b-41d4-a716-446655440000
""".strip("\n").split("\n")


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_is_left_as_it_is(line):
    assert redact(line) == line


@pytest.mark.parametrize(
    "line",
    ["PWD=/app;token={}", "InvalidToken: token={}", "tokens: 5,password={}", "token=${{X}},api_key={}"],
)
def test_a_secret_behind_what_is_none_does_not_survive(line):
    assert "hunter2x" not in redact(line.format("hunter2x"))


def test_the_rest_of_a_line_stays_readable():
    line = "2026-11-24 POST /login user=bob password={0} status=500 url=postgres://app:{0}@db:5432/shop took=3s"

    assert redact(line.format("hunter2x")) == line.format(MARK)


@given(text=st.text())
def test_what_is_redacted_stays_so_and_no_line_is_lost(text):
    once = redact(text)

    assert redact(once) == once
    assert "PRIVATE KEY" in text or once.count("\n") == text.count("\n")


def test_nothing_can_speak_to_a_terminal():
    out = redact("a\x1b[31mb\x1b[0m\x1b]0;title\x07c\x00\x08\x7f\x9b\u202ed\te\nf\r\n")

    assert out == "abcd\te\nf\n"


def test_every_text_of_a_value_is_redacted_and_nothing_else():
    value = {
        "a": ["token=abcdef7", {"b": "x hunter2 y"}],
        "n": 7,
        "f": 1.5,
        "t": True,
        "none": None,
        "u": ("pw=abcdef7",),
    }

    assert redact_all(value, ["hunter2"]) == {
        "a": [f"token={MARK}", {"b": f"x {MARK} y"}],
        "n": 7,
        "f": 1.5,
        "t": True,
        "none": None,
        "u": ["pw=abcdef7"],
    }


def test_secrets_of_an_environment_are_told_from_its_words():
    environment = {
        "POSTGRES_PASSWORD": "postgres",  # would take the word out of every line
        "API_TOKEN": "hunter2-hunter2",
        "DATABASE_URL": "postgres://app:from-a-url-7@db/shop",
        "PASSWORD_FILE": "/run/secrets/password",
        "TOKEN_URL": "https://example.org/token",
        "SECRET_SHORT": "abc7",
        "SECRET_PHRASE": "correcthorsebatterystaple",
        "PATH": "/usr/local/bin:/usr/bin",
        "LANG": "C.UTF-8-and-more",
    }

    assert secrets_of(environment) == ("correcthorsebatterystaple", "from-a-url-7", "hunter2-hunter2")


UNITS = [
    "a", "token=", "eyJ", "eyJ.", "://", "://a:", "://a:b", '"', "'", '\\"', 'token=\\"', "token='\\\\", "Bearer ",
    "--token ", "--a-", "-u a:", "<token>", "AKIA", "ghp_", " ", "\t", "token : ", "token_a", "_token", "password 'x",
    "identified by ", "authorization=", "cookie[", "token=[", "token=[{", "token=['\"", 'x"token=[y', 'token=[a "',
    ";token=", "password is generated for ",
    "\x1b[", "\x1b]", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----\n", "SG.a", "token=A(", "%20eyJ", "\n",
    "InvalidToken:", "tokens:5,", "PWD=/", "authorization: denied ",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_a_hostile_line_costs_no_more_time_than_another(unit):
    # What every shape looks for is in it, so that every shape looks.
    line = 'token=://@tcp( "password key </ ; bearer eyj cookie -- -u akia sk_ identified ' + unit * (
        65536 // len(unit)
    )
    start = time.process_time()
    redact(line)

    assert time.process_time() - start < 0.2
