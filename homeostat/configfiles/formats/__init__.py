"""The formats of managed files: each reads text into data with places, and changes one key of a text.

An edit changes the span of its key and nothing else: comments, order, quoting and line ends of the rest stay byte for
byte. How to add a format: a module with a class that is a :class:`~homeostat.configfiles.formats.base.Format`, and a
row in :data:`~homeostat.configfiles.formats.table.FORMATS`.
"""
