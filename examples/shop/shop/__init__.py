"""A small shop: web front and worker over PostgreSQL and Redis. It exists to be broken and repaired."""
