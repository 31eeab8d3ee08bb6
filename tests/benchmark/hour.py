"""An hour of talk at 1280×720, made once and kept: different sentences throughout, a face that moves, real pauses."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path

from providers.video.process import output_argument, run_ffmpeg, source_arguments
from tests.media import TalkingVideo, spoken_clip, talking_video

TOPICS = (
    "lighting", "sound", "titles", "thumbnails", "editing", "pacing", "music", "captions", "scripts", "cameras",
    "audiences", "schedules", "sponsors", "comments", "series", "live streams", "short clips", "travel videos",
)  # fmt: skip
OPENINGS = (
    "Why do most people get {topic} wrong?",
    "Here is the biggest mistake with {topic}.",
    "I lost {number} viewers before I understood {topic}.",
    "Let me tell you what {number} videos taught me about {topic}.",
    "Nobody talks about this part of {topic}.",
)
MIDDLES = (
    "First, write down what you want people to remember about {topic}.",
    "When I changed this, watch time went up by {number} percent.",
    "The trick is to decide before you record and not after it.",
    "Think about the person on the other side of the screen.",
    "You do not need expensive gear for good {topic}.",
    "Try it on three videos and compare the numbers after a week.",
    "Most of the work with {topic} happens before anybody sees it.",
    "I used to spend {number} minutes on this and now it takes five.",
    "Ask a friend what they remember and listen carefully.",
    "If something does not help the story, take it out.",
    "The first ten seconds decide whether anybody stays for your {topic}.",
    "A simple plan for {topic} beats a perfect plan that never starts.",
)
CLOSINGS = (
    "That is why {topic} deserve a plan of their own.",
    "Do this every week and you will see the difference.",
    "Start with one small change to your {topic} today.",
    "And that is the whole secret behind better {topic}.",
)


def sentences(count: int, seed: int = 7) -> list[str]:
    """``count`` sentences in passages of about half a minute, each passage about one topic."""
    chance = random.Random(seed)
    spoken: list[str] = []
    for topic in itertools.cycle(TOPICS):
        passage = [chance.choice(OPENINGS), *chance.sample(MIDDLES, 6), chance.choice(CLOSINGS)]
        spoken += [line.format(topic=topic, number=chance.randint(12, 98)) for line in passage]
        if len(spoken) >= count:
            return spoken[:count]
    return spoken


def talk(count: int) -> TalkingVideo:
    """``count`` sentences said by somebody in front of a camera with its noise, pauses of half a second and more."""
    lines = sentences(count)
    return talking_video(spoken_clip(lines, [(0.5, 0.9, 1.4, 0.7)[index % 4] for index in range(count)]), noise=3)


def recording(minutes: int) -> Path:
    """The file; the picture of its first minute and a half is repeated, the speech is not."""
    kept = Path(tempfile.gettempdir()) / f"creator-studio-bench-{minutes}-minutes.mp4"
    if kept.exists():
        return kept
    chance = random.Random(3)
    lines = sentences(minutes * 17)
    pauses = [round(chance.choice((0.3, 0.4, 0.6, 0.9, 1.6)), 2) for _ in lines]
    speech = spoken_clip(lines, pauses)
    picture = talk(24)
    partial = kept.with_suffix(".part.mp4")
    run_ffmpeg(
        [
            *source_arguments(picture.path, "-stream_loop", "-1"),
            *source_arguments(speech.path),
            *["-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy", "-c:a", "aac", "-b:a", "128k", "-shortest"],
            *["-t", f"{speech.duration:.3f}", output_argument(partial)],
        ]
    )
    partial.rename(kept)
    return kept
