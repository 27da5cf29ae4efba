"""Makes stored files smaller without changing what they show: video, PDF, Word, Excel, pictures.

``compress_file`` runs one of them in a child process whose memory and time are bounded, so that neither a large file nor
one that was made to break a decoder reaches the worker.
"""
from engine.storage.compressing.run import KINDS, Better, Left, compress_file

__all__ = ["KINDS", "Better", "Left", "compress_file"]
