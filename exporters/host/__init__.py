"""The machine itself: what its operating system tells of it, how that is read, and when it is given up."""
