"""What is wrong, risky or untidy in managed files that parse, too; pure functions on text.

How to add a rule for `.env` files: a function from :class:`~homeostat.configfiles.lint.envtext.EnvText` to
spots, and a row in :data:`~homeostat.configfiles.lint.env.RULES`.
"""
