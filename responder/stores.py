"""Which store: SQLite in state_dir for one responder, Redis for replicas."""

from homeostat.settings import Settings
from responder.ledger import Store
from responder.store_sqlite import SqliteStore

FILE_NAME = "responder.sqlite3"


async def open_store(settings: Settings) -> Store:
    """Raises StoreError when it cannot be had, or would not keep what is answered."""
    place = settings.responder.store
    if place is None:
        return SqliteStore(settings.state_dir / FILE_NAME)
    from responder.redisstore.place import Place  # noqa: PLC0415 - only replicas need it
    from responder.store_redis import RedisStore  # noqa: PLC0415 - as above

    return await RedisStore.open(Place(place.redis, place.password_file, place.trusted), prefix=place.prefix)
