"""The parts of the Redis store: what is written (keys, records, drafts), how it is decided, and the server itself."""
