"""What Redis has to do in one go. Lua, because only there a condition and what follows from it are one step.

Each is sent by its hash and, where the server does not know that (it was restarted), in full.
"""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Script:
    """``hash`` is the server's name for ``text``."""

    text: str
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        # SHA-1 is how Redis names scripts; it protects nothing.
        object.__setattr__(self, "hash", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())


#: Answers of COMMIT.
DONE, BUSY, LOST = b"done", b"busy", b"lost"

#: Write a draft, if all that it rests on still stands. Whoever comes too late because of another's write has the next
#: turn, so that a long draft is not overtaken for ever.
#: KEYS: head, turn, lease; then those that are written. ARGV: the head as it was read, who writes, the lease's value
#: (or nothing), milliseconds that a turn lasts; then each command: how many words, and the words.
COMMIT = Script(
    """
local turn = redis.call('GET', KEYS[2])
local is_mine = turn == ARGV[2]
if ARGV[3] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[3] then
  if is_mine then redis.call('DEL', KEYS[2]) end
  return 'lost'
end
if turn and not is_mine then return 'busy' end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
  return 'busy'
end
local at = 5
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
if is_mine then redis.call('DEL', KEYS[2]) end
return 'done'
"""
)

#: Records that an index names. KEYS: the index, the records' hash. ARGV: the command that reads the index, but its key.
PICK = Script(
    """
local ids = redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))
local found = {}
for at = 1, #ids, 1000 do
  for _, one in ipairs(redis.call('HMGET', KEYS[2], unpack(ids, at, math.min(at + 999, #ids)))) do
    found[#found + 1] = one
  end
end
return found
"""
)

#: KEYS: lease, last token. ARGV: owner, milliseconds. The new token, or nothing while it is somebody else's.
ACQUIRE = Script(
    """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, string.find(held, ' ', 1, true) + 1) ~= ARGV[1] then return false end
local token = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
return token
"""
)

#: KEYS: lease. ARGV: its value, milliseconds. 0 when it is another's by now, or nobody's.
RENEW = Script(
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)

#: KEYS: lease. ARGV: its value.
RELEASE = Script(
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
)
