"""What is said in the sample recording: a talk of about two minutes on making videos, written for the studio.

It holds what the studio is there to handle: pauses that are too long, hesitations, a sentence begun anew, numbers,
questions, and five thoughts that stand alone as short clips.
"""

from __future__ import annotations

from dataclasses import dataclass

from workers.video.presenter import Look


@dataclass(frozen=True)
class Line:
    """One sentence and the seconds of silence after it."""

    text: str
    pause: float = 0.4


@dataclass(frozen=True)
class Chapter:
    """One shot: what is said in it, the background's colours, where the face stands at its beginning, after a
    two thirds and at its end (fractions of the width), and how tall it is in pixels."""

    lines: tuple[Line, ...]
    palette: int
    places: tuple[float, ...]
    face_height: int = 340


LOOK = Look()

TALK: tuple[Chapter, ...] = (
    Chapter(
        (
            Line("What if I told you that your best video is already sitting on your computer?"),
            Line("You recorded it last month, and nobody has ever seen it.", 1.4),
            Line("Um,", 0.35),
            Line("Most people film for an hour, look at the pile of work, and give up."),
            Line("Today I will show you 5 small habits that turn one long recording into a week of posts.", 1.8),
        ),
        0,
        (0.30, 0.34, 0.34, 0.42),
    ),
    Chapter(
        (
            Line("Habit number one is the promise."),
            Line("Say in the very first sentence what the viewer will get."),
            Line("Never open with your name, because nobody is waiting for your name."),
            Line("I changed only my first sentence, and people stayed 40 percent longer.", 0.6),
            Line("Think about that, one sentence did more than a new camera.", 2.2),
        ),
        1,
        (0.66, 0.66, 0.60, 0.52),
        320,
    ),
    Chapter(
        (
            Line("The second habit is about silence, and about the", 0.9),
            Line("Sorry, let me say that again.", 0.8),
            Line("The second habit is about silence, and how to take it away."),
            Line("Every pause feels short to you and endless to the person who watches.", 1.6),
            Line("Uh,", 0.3),
            Line("I measured one of my own talks, and 14 minutes out of 60 were nothing at all."),
            Line("Cut them, and the same talk suddenly has energy.", 2.0),
        ),
        2,
        (0.35, 0.28, 0.40, 0.40),
    ),
    Chapter(
        (
            Line("Here is a question for you, where do people watch your videos?"),
            Line("They hold a phone upright in one hand, often without any sound."),
            Line("So habit number three is to give them big captions and a tall picture."),
            Line("Keep your face in the middle, and let every word light up as you say it.", 1.3),
            Line("It takes a minute, and it doubles the number of people who understand you.", 1.9),
        ),
        3,
        (0.55, 0.72, 0.72, 0.62),
        320,
    ),
    Chapter(
        (
            Line("Habit number four saves the most time."),
            Line("Do not film 10 short videos, film one long conversation and cut it into 10."),
            Line("A good answer of 30 seconds is a complete story, with a beginning and an end.", 1.5),
            Line("Um,", 0.3),
            Line("Last year I recorded on only 12 days, and I published on more than 200.", 2.1),
        ),
        4,
        (0.45, 0.30, 0.30, 0.36),
        320,
    ),
    Chapter(
        (
            Line("The last habit is the one that everybody forgets."),
            Line("Look at your numbers every Friday, and ask which clip earned its place."),
            Line("Make more of what worked, and quietly stop the rest.", 1.2),
            Line("You do not need luck, you need one recording and a little patience."),
            Line("So tell me, what will you record tomorrow?", 1.2),
        ),
        5,
        (0.62, 0.50, 0.50, 0.50),
    ),
)
