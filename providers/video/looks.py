"""What FFmpeg does to a picture for a style of :mod:`core.video.generate.looks`: numbers of ours, nobody's text."""

from __future__ import annotations

from core.video.generate.looks import Look


def look_filters(look: Look, size: tuple[int, int]) -> str:
    """The filters for pictures of ``size``, commas between them; "null" for a style that changes nothing.

    The order is a film's: light bleeds in the lens, which darkens its corners, the film has its contrast and colours,
    the copy its grain.
    """
    filters = [_glow(look, size), _vignette(look), _tones(look), _colours(look), _grain(look)]
    return ",".join(one for one in filters if one) or "null"


def _glow(look: Look, size: tuple[int, int]) -> str:
    if not look.glow:
        return ""
    # Bleeding light: a blurred copy laid over as two slides on one screen. Blurred small, which costs a sixteenth.
    width, height = size
    return (
        f"split[sharp][soft];[soft]scale=iw/4:ih/4:flags=area,gblur=sigma={min(size) / 216:.2f},"
        f"scale={width}:{height}:flags=bilinear[veil];"
        f"[sharp][veil]blend=c0_mode=screen:c0_opacity={look.glow:.2f}"
    )


def _vignette(look: Look) -> str:
    # The angle of the lens: π/2 would be black corners.
    return f"vignette=angle={look.vignette:.3f}" if look.vignette else ""


def _tones(look: Look) -> str:
    if (look.contrast, look.saturation, look.gamma) == (1.0, 1.0, 1.0):
        return ""
    return f"eq=contrast={look.contrast:.3f}:saturation={look.saturation:.3f}:gamma={look.gamma:.3f}"


def _colours(look: Look) -> str:
    """One curve for each of red, green and blue: lifted black, warm or cold, shadows and lights apart. FFmpeg's
    ``colorbalance`` does the last two as well, at five times the cost (56 ms of CPU for a 1080p frame)."""
    if not (look.fade or look.warmth or look.split):
        return ""
    curves = ":".join(f"{name}='{_curve(look, tint)}'" for name, tint in (("r", 1.0), ("g", 0.0), ("b", -1.0)))
    return f"curves={curves}"


def _curve(look: Look, tint: float) -> str:
    """Five points of a channel that warmth and light move up where ``tint`` is 1, down where it is −1."""
    warm, apart = tint * look.warmth, tint * look.split
    moved = (-0.04 * apart, 0.09 * warm - 0.06 * apart, 0.17 * warm, 0.12 * warm + 0.09 * apart, 0.04 * apart)
    points = []
    for at, shift in zip((0.0, 0.25, 0.5, 0.75, 1.0), moved, strict=True):
        held = look.fade + at * (1 - look.fade * 4 / 3)
        points.append(f"{at:g}/{min(max(held + shift, 0.0), 1.0):.3f}")
    return " ".join(points)


def _grain(look: Look) -> str:
    return f"noise=c0s={look.grain}:c0f=t+u" if look.grain else ""
