"""zstd for one thread at a time: making a compressor costs several times what packing a few hundred bytes does, so each thread keeps its own."""
from __future__ import annotations

import threading

import zstandard


class Packer:
    """Packs and unpacks bytes; ``words`` is a dictionary of what such bytes repeat, whose packed form carries no size."""

    def __init__(self, *, level: int, words: zstandard.ZstdCompressionDict | None = None) -> None:
        self._level, self._words, self._kept = level, words, threading.local()

    def pack(self, data: bytes) -> bytes:
        """``data`` compressed."""
        compressor = getattr(self._kept, "compressor", None)
        if compressor is None:
            compressor = self._kept.compressor = zstandard.ZstdCompressor(level=self._level, dict_data=self._words, write_content_size=self._words is None)
        packed: bytes = compressor.compress(data)
        return packed

    def unpack(self, packed: bytes) -> bytes:
        """What was packed; raises zstandard.ZstdError for anything else."""
        decompressor = getattr(self._kept, "decompressor", None)
        if decompressor is None:
            decompressor = self._kept.decompressor = zstandard.ZstdDecompressor(dict_data=self._words)
        data: bytes = decompressor.decompress(packed) if self._words is None else decompressor.decompressobj().decompress(packed)
        return data


PLAIN = Packer(level=3)
"""For what repeats nothing in particular, such as the state of an instance."""
