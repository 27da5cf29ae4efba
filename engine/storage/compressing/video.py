"""MP4 → H.264 of at most 1280 × 720 (or 720 × 1280), frame by frame; sound in AAC is copied, other sound made into AAC."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.filter import Graph

from engine.storage.compressing.leave import LeaveIt

LONG, SHORT = 1280, 720
LIGHT_BITS = 1_200_000
"""A second of H.264 of this size that is small enough already is left alone."""
MOST_PIXELS = 40_000_000
CLOCK = Fraction(1, 90000)
KEPT_WORDS = ("creation_time", "location", "location-eng", "com.apple.quicktime.location.ISO6709")


def compress(source: Path, target: Path, tell: Callable[[int], None]) -> None:
    """Raises LeaveIt for what has no picture, is small already or is too large to decode; av.error.FFmpegError for what is damaged."""
    with av.open(str(source)) as read, av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as written:
        if not read.streams.video:
            raise LeaveIt("没有画面的视频不压缩。")
        _refuse(read)
        written.metadata.update({name: value for name, value in read.metadata.items() if name in KEPT_WORDS})
        _copy(read, written, tell)
        seconds = _seconds(read)
    _compare(target, seconds)


def _refuse(read: Any) -> None:
    picture = read.streams.video[0].codec_context
    if picture.width * picture.height > MOST_PIXELS:
        raise LeaveIt("画面太大，不压缩。")
    small = max(picture.width, picture.height) <= LONG and min(picture.width, picture.height) <= SHORT
    if small and picture.name == "h264" and 0 < (read.bit_rate or 0) <= LIGHT_BITS:
        raise LeaveIt("已经很小，不用压缩。")


def _copy(read: Any, written: Any, tell: Callable[[int], None]) -> None:
    film, sound = read.streams.video[0], next(iter(read.streams.audio), None)
    film.thread_type = "AUTO"
    film.codec_context.thread_count = 2
    first = next(read.decode(film), None)
    if first is None:
        raise LeaveIt("没有画面的视频不压缩。")
    read.seek(0)
    picture = _Picture(film, written, first)
    voice = _Voice(sound, written) if sound is not None else None
    seconds, told = _seconds(read), 0
    for packet in read.demux([film, sound] if sound is not None else [film]):
        if packet.stream is film:
            written.mux(list(picture.take(packet)))
            percent = min(99, int(100 * picture.at / seconds)) if seconds else 0
            if percent > told:
                tell(told := percent)
        elif voice is not None:
            written.mux(list(voice.take(packet)))
    written.mux(list(picture.end()))
    if voice is not None:
        written.mux(list(voice.end()))


class _Picture:
    """Frames upright and scaled into the encoder."""

    def __init__(self, film: Any, written: Any, first: Any) -> None:
        """``first``: a frame of the film, which says its shape and how the phone was held."""
        self.at, self.last = 0.0, -1
        self.out = written.add_stream("libx264", rate=film.average_rate or 25, options={"crf": "26", "preset": "veryfast", "threads": "2", "rc-lookahead": "20"})
        self.out.pix_fmt = "yuv420p"
        self.out.codec_context.time_base = CLOCK
        self.graph = self._drawn(first)

    def take(self, packet: Any) -> Iterator[Any]:
        for frame in packet.decode():
            yield from self._encode(frame)

    def end(self) -> Iterator[Any]:
        yield from self.out.encode(None)

    def _encode(self, frame: Any) -> Iterator[Any]:
        if frame.time is not None:
            self.at = frame.time
        self.graph.push(frame)
        small: Any = self.graph.pull()
        moment = int((frame.pts or 0) * frame.time_base / CLOCK)
        small.pts, small.time_base = max(moment, self.last + 1), CLOCK
        self.last = small.pts
        small.pict_type = 0
        yield from self.out.encode(small)

    def _drawn(self, frame: Any) -> Graph:
        """Turned as the phone says, then made to fit, even numbers a side."""
        turned = round(frame.rotation / 90) % 4
        width, height = (frame.height, frame.width) if turned % 2 else (frame.width, frame.height)
        scale = min(1.0, LONG / max(width, height), SHORT / min(width, height))
        self.out.width, self.out.height = (max(2, int(side * scale) // 2 * 2) for side in (width, height))
        graph = Graph()
        steps = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)]
        steps += [graph.add("transpose", way) for way in {1: ("cclock",), 2: ("clock", "clock"), 3: ("clock",)}.get(turned, ())]
        steps += [graph.add("scale", f"{self.out.width}:{self.out.height}"), graph.add("format", "yuv420p"), graph.add("buffersink")]
        for one, next_one in pairwise(steps):
            one.link_to(next_one)
        graph.configure()
        return graph


class _Voice:
    """Sound: packets as they are when they are AAC, else encoded anew."""

    def __init__(self, sound: Any, written: Any) -> None:
        self.copied = sound.codec_context.name == "aac"
        self.out = written.add_stream_from_template(sound) if self.copied else written.add_stream("aac", rate=sound.rate or 44100)
        if not self.copied:
            self.out.bit_rate = 96_000

    def take(self, packet: Any) -> Iterator[Any]:
        if self.copied:
            if packet.dts is not None:
                packet.stream = self.out
                yield packet
            return
        for frame in packet.decode():
            frame.pts = None
            yield from self.out.encode(frame)

    def end(self) -> Iterator[Any]:
        if not self.copied:
            yield from self.out.encode(None)


def _seconds(read: Any) -> float:
    return float(read.duration / av.time_base) if read.duration else 0.0


def _compare(target: Path, seconds: float) -> None:
    """The result opens, has its picture and is as long as the original; else it is not worth having."""
    with av.open(str(target)) as made:
        first = next(made.decode(video=0), None)
        if first is None or (seconds and abs(_seconds(made) - seconds) > max(1.0, seconds * 0.02)):
            raise ValueError("the result is not as long as the original")
