"""Whether managed configuration files can be corrupted: killed writers, failing disks; and what watching them costs."""
