"""What the responder promises under load, killed, in pairs, and when it is quick: measured on the real process."""
