"""Packing with what a thread keeps gives what packing anew gives."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import zstandard

from engine.kernel.packing import Packer

WORDS = zstandard.ZstdCompressionDict(b'{"process":"borrow_umbrella","calls":[]}', dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def test_the_bytes_are_those_of_a_new_compressor_whatever_came_before() -> None:
    packer = Packer(level=3)
    for data in (b"", b"x" * 10_000, "办理".encode() * 50):
        assert packer.pack(data) == zstandard.ZstdCompressor(level=3).compress(data)
        assert packer.unpack(packer.pack(data)) == data


def test_threads_pack_at_the_same_time() -> None:
    packer = Packer(level=6, words=WORDS)
    texts = [f'{{"process":"borrow_umbrella","calls":[{n}]}}'.encode() * (n % 40 + 1) for n in range(400)]
    with ThreadPoolExecutor(8) as pool:
        packed = list(pool.map(packer.pack, texts))
        assert list(pool.map(packer.unpack, packed)) == texts
    assert packed[7] == zstandard.ZstdCompressor(level=6, dict_data=WORDS, write_content_size=False).compress(texts[7])
