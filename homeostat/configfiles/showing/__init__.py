"""What is shown of a managed file, on terminals and in the ledger: its lines, and what has changed, without secrets."""
