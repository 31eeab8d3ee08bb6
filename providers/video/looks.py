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
    parts = []
    if (look.contrast, look.saturation, look.gamma) != (1.0, 1.0, 1.0):
        parts.append(f"eq=contrast={look.contrast:.3f}:saturation={look.saturation:.3f}:gamma={look.gamma:.3f}")
    if look.fade:
        parts.append(f"curves=all='0/{look.fade:.3f} 1/{1 - look.fade / 3:.3f}'")
    return ",".join(parts)


def _colours(look: Look) -> str:
    parts = []
    if look.warmth:
        red, blue = 0.35 * look.warmth, -0.35 * look.warmth
        parts.append(f"colorbalance=rm={red:.3f}:bm={blue:.3f}:rh={red / 2:.3f}:bh={blue / 2:.3f}")
    if look.split:
        cool, warm = 0.16 * look.split, 0.25 * look.split
        parts.append(f"colorbalance=rs={-cool:.3f}:bs={cool:.3f}:rh={warm:.3f}:bh={-warm:.3f}")
    return ",".join(parts)


def _grain(look: Look) -> str:
    return f"noise=c0s={look.grain}:c0f=t+u" if look.grain else ""
