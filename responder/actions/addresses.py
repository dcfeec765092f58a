"""Where a step's database is now: as the step says, or at a port of each of the target's containers."""

from responder.targets import Target


def addresses_of(text: str, target: Target) -> list[str]:
    """``HOST:PORT`` of each; ``text`` may leave the host out. Empty when no container has an address now."""
    if not text.startswith(":"):
        return [text]
    hosts = {container.addresses[0] for container in target.containers if container.is_running and container.addresses}
    return sorted(f"{host}{text}" for host in hosts)
