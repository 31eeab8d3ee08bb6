"""What the studio says, in every language it speaks: ``t("video.find_cuts", "th")``."""

from core.i18n.catalogue import LANGUAGES, UnknownMessage, explain, has, stage, t
from core.i18n.formats import clock, duration, file_size, moment, money, number, percent

__all__ = [
    "LANGUAGES",
    "UnknownMessage",
    "clock",
    "duration",
    "explain",
    "file_size",
    "has",
    "moment",
    "money",
    "number",
    "percent",
    "stage",
    "t",
]
