"""Legal clocks: when a time limit ends, why on that day, and the rows of a case that acts start, stop and extend.

``due`` is pure arithmetic; ``clocks`` writes, ``queries`` reads; ``lines`` answers JSON lines for the command.
"""
