"""The machine under everything: what it has, what is used of it, and what waits for it."""

from grafana.dashboards.events import events
from grafana.dashboards.host_io import DISK_USED, DISKS, FILES, NETWORK
from grafana.dashboards.shapes import areas, bars, gauge, lines, number, rate, timeline
from grafana.dashboards.states import YES_NO
from grafana.dashboards.uids import Uid
from grafana.lib import Dashboard, Heading, Query, Unit
from grafana.lib.thresholds import FILLING, WAITING

IDLE = 'mode=~"idle|iowait"'
#: Guest time is in user time already.
COUNTED = 'mode!~"guest|guest_nice"'


NUMBERS = (
    number(
        "CPU in use",
        "Used share of all cpus. Waiting for disks is not use.",
        f"1 - {rate('homeostat_host_cpu_seconds_total', where=IDLE)}"
        f" / {rate('homeostat_host_cpu_seconds_total', where=COUNTED)}",
        empty="no exporter",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
    number(
        "Memory in use",
        "Used share: what programs cannot have without swapping.",
        "max(1 - homeostat_host_memory_available_bytes / homeostat_host_memory_total_bytes)",
        empty="no exporter",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
    number(
        "Swap",
        "Used share. Full swap is slow, and an OOM kill is near.",
        "max(1 - homeostat_host_swap_free_bytes / (homeostat_host_swap_total_bytes > 0))",
        empty="no swap",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
    number(
        "Fullest file system",
        "Used share, for users that are not root. Those that can only be read are left out.",
        f"max({DISK_USED} and on ({FILES}) homeostat_host_filesystem_readonly == 0)",
        empty="no exporter",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
    number(
        "Open files",
        "Share of what the whole system may have open.",
        "max(homeostat_host_file_descriptors / (homeostat_host_file_descriptors_max > 0))",
        empty="no exporter",
        unit=Unit.RATIO,
        thresholds=FILLING,
        runbooks=("HostFileDescriptorsHigh",),
    ),
    number(
        "Up for",
        "Since the system was started.",
        "time() - max(homeostat_host_boot_timestamp_seconds)",
        empty="no exporter",
        unit=Unit.SECONDS,
    ),
)
CPU = (
    areas(
        "CPU by what it went to",
        "Cpus in use: the top is all that the machine has. Much `system` or `softirq` is the kernel's own work; "
        "`steal` is what the hypervisor gave to others.",
        Unit.COUNT,
        Query(rate("homeostat_host_cpu_seconds_total", "mode", 'mode!~"idle|guest|guest_nice"'), "{{mode}}"),
    ),
    lines(
        "Load",
        "Threads that run or wait for a cpu or a disk, against the cpus that there are.",
        Unit.COUNT,
        Query(gauge("homeostat_host_load1"), "1 minute"),
        Query(gauge("homeostat_host_load5"), "5 minutes"),
        Query(gauge("homeostat_host_load15"), "15 minutes"),
        Query(gauge("homeostat_host_cpus"), "cpus"),
    ),
    lines(
        "Waiting for a resource",
        "Share of the time in which some task waited for it (PSI some). Empty where the kernel has PSI switched off.",
        Unit.RATIO,
        Query(rate("homeostat_host_pressure_waiting_seconds_total", "resource"), "{{resource}}"),
        thresholds=WAITING,
    ),
    lines(
        "Stalled for a resource",
        "Share of the time in which all tasks waited for it (PSI full): nothing was done. Empty without PSI.",
        Unit.RATIO,
        Query(rate("homeostat_host_pressure_stalled_seconds_total", "resource"), "{{resource}}"),
        thresholds=WAITING,
    ),
    lines(
        "Threads",
        "Those that run or could, and those that wait in the kernel, where no signal reaches them.",
        Unit.COUNT,
        Query(gauge("homeostat_host_processes_running"), "running"),
        Query(gauge("homeostat_host_processes_blocked"), "blocked"),
    ),
    lines(
        "Switches and starts",
        "Context switches, and processes and threads started. Many starts are a crash loop, or a script in a loop.",
        Unit.COUNT_RATE,
        Query(rate("homeostat_host_context_switches_total"), "context switches"),
        Query(rate("homeostat_host_forks_total"), "starts"),
    ),
)
MEMORY = (
    lines(
        "Memory",
        "`anon` is what leaks in programs, `kernel` what leaks in the kernel; page cache (`cached`) is given back.",
        Unit.BYTES,
        Query(gauge("homeostat_host_memory_total_bytes"), "total"),
        Query(gauge("homeostat_host_memory_available_bytes"), "available"),
        Query(gauge("homeostat_host_memory_anon_bytes"), "anon"),
        Query(gauge("homeostat_host_memory_cached_bytes"), "cached"),
        Query(gauge("homeostat_host_memory_shmem_bytes"), "shared"),
        Query(gauge("homeostat_host_memory_slab_unreclaimable_bytes"), "kernel"),
        runbooks=("HostMemoryPressure",),
    ),
    lines(
        "Paging",
        "Pages read from and written to swap, and page faults that had to read from disk. All three high: it thrashes.",
        Unit.COUNT_RATE,
        Query(rate("homeostat_host_swap_in_pages_total"), "from swap"),
        Query(rate("homeostat_host_swap_out_pages_total"), "to swap"),
        Query(rate("homeostat_host_major_page_faults_total"), "faults from disk"),
        runbooks=("HostSwapping",),
    ),
    lines(
        "Written and promised",
        "`dirty` waits to be written to disk; `committed` is what programs may still ask for.",
        Unit.BYTES,
        Query(gauge("homeostat_host_memory_dirty_bytes"), "dirty"),
        Query(gauge("homeostat_host_memory_committed_bytes"), "committed"),
    ),
    bars(
        "OOM kills",
        "Processes that the kernel ended for lack of memory, in containers too.",
        Query("sum(increase(homeostat_host_oom_kills_total[$__rate_interval]))", "killed"),
        runbooks=("HostOOMKill",),
    ),
)
CLOCK = (
    timeline(
        "Clock kept by NTP",
        "As its daemon has told the kernel. Certificates, the ledger's times and Prometheus rest on it.",
        YES_NO,
        Query("min(homeostat_host_clock_synchronized)", "kept"),
        runbooks=("HostClockUnsynchronized",),
    ),
    lines(
        "Clock offset",
        "How far each source is from this host's clock, in either direction.",
        Unit.SECONDS,
        Query("max by (source) (abs(homeostat_host_clock_offset_seconds))", "{{source}}"),
        runbooks=("HostClockJumped", "HostClockSkewed"),
    ),
)
GROUPS = (
    lines(
        "CPU of groups",
        "Of the groups of processes that homeostat.yml names: cores in full use. Empty without any.",
        Unit.COUNT,
        Query(rate("homeostat_process_group_cpu_seconds_total", "group"), "{{group}}"),
        width=8,
    ),
    lines(
        "Memory of groups",
        "Resident memory; what members share is counted for each.",
        Unit.BYTES,
        Query(gauge("homeostat_process_group_resident_memory_bytes", "group"), "{{group}}"),
        width=8,
    ),
    lines(
        "Processes of groups",
        "0 when none runs.",
        Unit.COUNT,
        Query(gauge("homeostat_process_group_processes", "group"), "{{group}}"),
        width=8,
    ),
)

HOST = Dashboard(
    uid=Uid.HOST,
    title="homeostat / Host",
    description="The machine: CPU, memory, disks, network, clock, and groups of processes.",
    annotations=events(),
    parts=(
        *NUMBERS,
        Heading("CPU and pressure"),
        *CPU,
        Heading("Memory"),
        *MEMORY,
        Heading("Disks"),
        *DISKS,
        Heading("Network"),
        *NETWORK,
        Heading("Clock"),
        *CLOCK,
        Heading("Groups of processes"),
        *GROUPS,
    ),
)
