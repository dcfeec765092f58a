"""Python's garbage collector looks through all there is, which takes 50 ms: longer than a scrape may take. The exporter
makes next to no garbage of the kind that needs it.
"""

import gc

from homeostat.clock import Clock

#: By then all modules are loaded, also those that are loaded late.
SETTLED_S = 20.0
#: A page of 100 containers has about as many samples, which are gone again before they are looked through.
_NEW_OBJECTS = 20_000


async def spare_what_is_loaded(clock: Clock) -> None:
    """From then on only what came later is looked through, which is little, and seldom."""
    await clock.sleep(SETTLED_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
