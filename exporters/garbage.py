"""Python's garbage collector looks through all there is, which takes 50 ms: longer than a scrape may take."""

import gc

from homeostat.clock import Clock

#: By then all modules are loaded, also those that are loaded late.
SETTLED_S = 20.0


async def spare_what_is_loaded(clock: Clock) -> None:
    """From then on only what came later is looked through, which is little: a millisecond."""
    await clock.sleep(SETTLED_S)
    gc.collect()
    gc.freeze()
