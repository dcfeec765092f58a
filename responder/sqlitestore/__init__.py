"""Parts of the store on one host: the thread that owns the file, and its tables."""
