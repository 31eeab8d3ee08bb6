"""The parts of a render's filter graph that make transitions; a plain cut has none of them.

A cross-fade or a wipe needs the frames that follow the outgoing piece. They come from the same decoder: frames of the
pieces and of the handles are chosen together, then two streams are made of them that are both as long as the result and
differ only at the joints, where the second one goes on with the outgoing piece. So at any moment FFmpeg holds no more
than a handle's frames, and ``maskedmerge``, switched on only there, mixes them. Its mask is a window that moves over a
picture made once: grey steps for a cross-fade, a black and a white half for a wipe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from core.video.timeline import Stretch, Timeline, TransitionStyle
from core.video.transitions import ZOOM, Joint, joints, zoomed
from providers.video.expressions import choice_expression, tree

_GREYS = 16
# Black is 16 of 255; FFmpeg's eq turns about the middle.
_EQ_BLACK = 0.437
_EDGE = 64


@dataclass(frozen=True)
class Transitions:
    """The joints of one timeline as the graph needs them."""

    style: TransitionStyle
    stretches: tuple[Stretch, ...]
    joints: tuple[Joint, ...]
    closer: tuple[bool, ...]
    rate: Fraction

    @classmethod
    def of(cls, timeline: Timeline) -> Transitions:
        """What the timeline asks for; ``style`` is "cut" where there is nothing to do."""
        style = timeline.transition.style if timeline.transition else "cut"
        found = tuple(joint for joint in joints(timeline) if style == "zoom" or joint.frames)
        return cls(style if found else "cut", timeline.stretches, found, tuple(zoomed(timeline)), timeline.rate)

    @property
    def overlaid(self) -> bool:
        """Whether two streams are mixed at the joints."""
        return self.style in ("crossfade", "wipe")

    @property
    def opened(self) -> tuple[Stretch, ...]:
        """Every stretch whose frames are decoded for the result, handles among them, in the order of the source."""
        if not self.overlaid:
            return self.stretches
        handles = {joint.incoming: joint.handle for joint in self.joints if joint.handle}
        found: list[Stretch] = []
        for index, stretch in enumerate(self.stretches):
            if index in handles:
                found.append(handles[index])
            found.append(stretch)
        return tuple(found)

    @property
    def other(self) -> tuple[Stretch, ...]:
        """What the second stream shows, in the result's time: handles instead of the first frames of what follows."""
        late = {self.stretches[joint.incoming].start: joint.frames for joint in self.joints}
        found = []
        for item in self.opened:
            skipped = late.get(item.start, 0)
            if skipped:
                start = item.shown(skipped)
                item = Stretch(start, item.end, item.at + skipped, item.frames - skipped, item.speed)
            found.append(item)
        return tuple(found)

    def extended(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Kept ranges of the source with the handles that follow them."""
        ends = {joint.handle.start: joint.handle.end for joint in self.joints if joint.handle}
        return [(start, ends.get(end, end)) for start, end in ranges]

    def streams(self) -> str:
        """From ``[opened]`` to ``[main]``, the result as it is cut, and ``[other]``, in which outgoing pieces go on."""
        places = [0, *accumulate(item.frames for item in self.opened)]
        handles = {joint.handle for joint in self.joints}
        late = {self.stretches[joint.incoming].start: joint.frames for joint in self.joints}
        main, other = [], []
        for item, first, last in zip(self.opened, places, places[1:], strict=False):
            other.append((first if item in handles else first + late.get(item.start, 0), last))
            if item not in handles:
                main.append((first, last))
        return (
            "[opened]split=2[u][v];\n"
            f"[u]select='{_inside(main)}',setpts=N[main];\n"
            f"[v]select='{_inside(other)}',setpts=N[other]"
        )

    def merge(self, index: int, size: tuple[int, int]) -> str:
        """From ``[m<index>]`` and ``[o<index>]``, pictures of one size, to ``[t<index>]``."""
        width, height = size
        if self.style == "wipe":
            # An edge in the middle of a picture of twice the width; the window moves from its white half to its black.
            source = _picture(_EDGE, 2, f"255*gte(X,{_EDGE // 2})", f"255*gte(X,{_EDGE // 4})")
            strip = f"scale={2 * width}:{height}:flags=bilinear"
            path = [(joint, f"{width}*(1-(n-{joint.at}+1)/{joint.frames + 1})") for joint in self.joints]
            place = f"x='{self._at_joints(path)}':y=0"
        else:
            steps = min(_GREYS, max(joint.frames for joint in self.joints))
            luma, chroma = (f"255*({steps}-{row})/{steps + 1}" for row in ("floor(Y/2)", "Y"))
            source = _picture(2, 2 * steps, luma, chroma)
            strip = f"scale={width}:{height * steps}:flags=neighbor"
            path = [(joint, _step(joint, steps, height)) for joint in self.joints]
            place = f"x=0:y='{self._at_joints(path)}'"
        return (
            f"{source},{strip},loop=-1:1,settb={1 / self.rate},setpts=N,trim=end_frame={self._frames},"
            f"crop={width}:{height}:{place}:exact=1[k{index}];\n"
            f"[m{index}]format=yuv420p[p{index}];[o{index}]format=yuv420p[q{index}];\n"
            f"[p{index}][q{index}][k{index}]maskedmerge=enable='{self._enabled()}'[t{index}]"
        )

    def dip(self) -> str:
        """Down to black before each joint and up again after it."""
        contrast, spans = [], []
        for joint in self.joints:
            before = joint.frames // 2
            after = joint.frames - before
            contrast += [
                (joint.at - before, joint.at, f"({joint.at - 1}-n)/{before}"),
                (joint.at, joint.at + after, f"(n-{joint.at})/{after}"),
            ]
            spans.append((joint.at - before, joint.at + after))
        share = _piecewise(contrast, "1")
        return (
            f"format=yuv420p,eq=contrast='{share}':saturation='{share}':"
            f"brightness='{_EQ_BLACK}*({share}-1)':eval=frame:enable='{_inside(spans)}'"
        )

    def zoom(self, width: int, height: int) -> str:
        """Every other piece larger, for the crop that follows at once: further on FFmpeg believes in the first size."""
        # By time: scale counts its frames from one, other filters from nought.
        firsts = [f"{float((stretch.at - Fraction(1, 2)) / self.rate):.6f}" for stretch in self.stretches[1:]]
        wide, tall = (tree(firsts, [str(size) for size in sizes], "t") for sizes in self.sizes(width, height))
        return f"scale=w='{wide}':h='{tall}':eval=frame:flags=bicubic"

    def sizes(self, width: int, height: int) -> tuple[list[int], list[int]]:
        """Width and height of the picture in each stretch; empty where they never change."""
        if self.style != "zoom":
            return [], []
        sizes = [zoomed_size(width, height) if closer else (width, height) for closer in self.closer]
        return [size[0] for size in sizes], [size[1] for size in sizes]

    @property
    def _frames(self) -> int:
        return self.stretches[-1].at + self.stretches[-1].frames

    def _enabled(self) -> str:
        return _inside([(joint.at, joint.at + joint.frames) for joint in self.joints])

    def _at_joints(self, values: Sequence[tuple[Joint, str]]) -> str:
        return _piecewise([(joint.at, joint.at + joint.frames, value) for joint, value in values], "0")


def zoomed_size(width: int, height: int) -> tuple[int, int]:
    """Size of a picture shown closer, even as 4:2:0 needs."""
    return round(width * ZOOM / 2) * 2, round(height * ZOOM / 2) * 2


def _picture(width: int, height: int, luma: str, chroma: str) -> str:
    """One small picture by formulas; all three planes carry the mask, for each plane is mixed by its own."""
    return (
        f"color=black:s={width}x{height},format=yuv420p,trim=end_frame=1,geq=lum='{luma}':cb='{chroma}':cr='{chroma}'"
    )


def _step(joint: Joint, steps: int, height: int) -> str:
    """Top of the grey that shows the outgoing piece's share: it goes down evenly over the joint's frames."""
    if joint.frames == steps:
        return f"{height}*(n-{joint.at})"
    nearest = f"floor((n-{joint.at}+1)*{steps + 1}/{joint.frames + 1}-0.5)"
    return f"{height}*max(0,min({nearest},{steps - 1}))"


def _inside(spans: Sequence[tuple[int, int]]) -> str:
    return choice_expression([Stretch(start, end, 0, end - start) for start, end in spans if end > start])


def _piecewise(spans: Sequence[tuple[int, int, str]], otherwise: str) -> str:
    """Values over ascending spans of frames, ``otherwise`` between them."""
    bounds = [bound for start, end, _ in spans for bound in (start, end)]
    leaves = [otherwise]
    for _, _, value in spans:
        leaves += [value, otherwise]
    return tree(bounds, leaves)
