"""The edit for other programs (SPEC V2.10): every format read back by a reader that is not its writer."""

from __future__ import annotations

import io
import json
import re
import zipfile
from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.parse import unquote
from uuid import uuid4
from xml.etree.ElementTree import Element

import opentimelineio as otio
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video import exchange
from core.video.exchange import SourceFile, export
from core.video.exchange.rates import STANDARD, EditRate, edit_rate
from core.video.reframe import position, window
from core.video.timeline import AspectRatio, CropKeyframe, CropTrack, Piece, Timeline, Word
from core.video.timeline_edit import output_words

FILE = SourceFile("my talk & more.mp4", has_audio=True, channels=2, sample_rate=44_100)
RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]
HOSTILE = "a]]>\"'&<b/>\n001  AX V C\r\n* LOC: x\u2028\x00\x0b\ud800\u202e ตัดต่อ 🎬"


def timeline(lengths: list[int], fps: str = "30000/1001", *, first_kept: bool = True, **more: Any) -> Timeline:
    """Pieces of ``lengths`` frames, kept and removed in turn."""
    pieces, at = [], 0
    for index, length in enumerate(lengths):
        kept = (index % 2 == 0) == first_kept
        reason = "speech" if kept else ("silence", "filler", "repeat", "user")[index % 4]
        pieces.append(Piece(start_frame=at, end_frame=at + length, kept=kept, reason=reason))
        at += length
    given = {"width": 1920, "height": 1080, **more}
    return Timeline(source_asset_id=uuid4(), fps=fps, duration_frames=at, pieces=tuple(pieces), **given)


def spoken(seconds: int = 20) -> dict[str, Any]:
    words = tuple(Word(word=f"word{i}." if i % 5 == 4 else f"word{i}", start=i, end=i + 0.6) for i in range(seconds))
    return {"words": words, "language": "en"}


def text_of(edit: Timeline, form: str, file: SourceFile = FILE, **more: Any) -> str:
    return export(edit, file, [form], **more).content.decode("utf-8")


def kept_of(edit: Timeline) -> list[tuple[int, int]]:
    return [(piece.start_frame, piece.end_frame) for piece in edit.kept]


# -- readers: each answers (source start, source end, edit start, edit end) of the picture in frames


def read_otio(text: str, kind: str = "Video") -> list[tuple[int, int, int, int]]:
    read = otio.adapters.read_from_string(text, "otio_json")
    [track] = [one for one in read.tracks if one.kind == kind]
    rows = []
    for clip in track:
        assert isinstance(clip, otio.schema.Clip)
        there, here = clip.source_range, track.trimmed_range_of_child(clip)
        pace = clip.effects[0].time_scalar if clip.effects else 1.0
        read_until = there.start_time.value + there.duration.value * pace
        assert read_until <= clip.available_range().end_time_exclusive().value + 1e-6
        ends = (there.start_time, there.end_time_exclusive(), here.start_time, here.end_time_exclusive())
        assert all(one.value == int(one.value) for one in ends)
        rows.append(tuple(int(one.value) for one in ends))
    return rows


def seconds_of(text: str) -> Fraction:
    matched = re.fullmatch(r"(\d+)(?:/(\d+))?s", text)
    assert matched, text
    return Fraction(int(matched[1]), int(matched[2] or 1))


def read_fcpxml(text: str, rate: Fraction) -> list[tuple[int, int, int, int]]:
    root = fromstring(text)
    asset = root.find("resources/asset")
    sequence = root.find("library/event/project/sequence")
    assert asset is not None
    assert sequence is not None
    rows = []
    for clip in sequence.findall("spine/*"):
        assert clip.tag == "asset-clip"
        assert clip.get("ref") == asset.get("id")
        start, length, at = (seconds_of(clip.attrib[name]) * rate for name in ("start", "duration", "offset"))
        assert start + length <= seconds_of(asset.attrib["duration"]) * rate
        rows.append((start, start + length, at, at + length))
    assert seconds_of(sequence.attrib["duration"]) * rate == rows[-1][3]
    assert all(value.denominator == 1 for row in rows for value in row), "times lie on the frames' grid"
    return [tuple(map(int, row)) for row in rows]


def number(element: Element, path: str) -> int:
    return int(str(element.findtext(path)))


def read_xmeml(text: str, track: str = "video/track") -> list[tuple[int, int, int, int]]:
    sequence = fromstring(text).find("sequence")
    assert sequence is not None
    found = sequence.find(f"media/{track}")
    assert found is not None
    items = found.findall("clipitem")
    rows = [tuple(number(item, name) for name in ("in", "out", "start", "end")) for item in items]
    assert number(sequence, "duration") == rows[-1][3]
    return rows


def read_edl(text: str, rate: Fraction) -> list[tuple[int, int, int, int]]:
    """Timecode is understood by OpenTimelineIO's own arithmetic, drop-frame and not."""
    head, _, events = text.partition("\r\n\r\n")
    drop = rate in (Fraction(30000, 1001), Fraction(60000, 1001))
    assert re.fullmatch(r"TITLE: [^\r\n]+\r\nFCM: (NON-)?DROP FRAME", head)
    assert head.endswith("FCM: DROP FRAME") == drop
    code = r"(\d\d:\d\d:\d\d;\d\d)" if drop else r"(\d\d:\d\d:\d\d:\d\d)"
    rows = []
    for line in events.rstrip("\r\n").split("\r\n"):
        assert re.match(r"\d{3}  |\* FROM CLIP NAME: |\* LOC: \d\d:", line), line
        event = re.fullmatch(rf"(\d{{3}})  AX       AA/V  C        {code} {code} {code} {code}", line)
        if event:
            rows.append(tuple(int(otio.opentime.from_timecode(event[i], float(rate)).value) for i in range(2, 6)))
            assert int(event[1]) == len(rows)
    hour = int(otio.opentime.from_timecode("01:00:00;00" if drop else "01:00:00:00", float(rate)).value)
    return [(first, last, start - hour, end - hour) for first, last, start, end in rows]


def all_readings(edit: Timeline) -> dict[str, list[tuple[int, int, int, int]]]:
    texts = {name: text_of(edit, name) for name in exchange.FORMATS}
    return {
        "otio": read_otio(texts["otio"]),
        "otio sound": read_otio(texts["otio"], "Audio"),
        "fcpxml": read_fcpxml(texts["fcpxml"], edit.rate),
        "premiere": read_xmeml(texts["premiere"]),
        "premiere sound": read_xmeml(texts["premiere"], "audio/track[2]"),
        "edl": read_edl(texts["edl"], edit.rate),
    }


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=12),
    fps=st.sampled_from(RATES),
    first_kept=st.booleans(),
)
def test_every_format_holds_exactly_the_kept_frames_without_gaps(
    lengths: list[int], fps: str, first_kept: bool
) -> None:
    edit = timeline(lengths, fps, first_kept=first_kept or len(lengths) == 1)
    for name, rows in all_readings(edit).items():
        assert [row[:2] for row in rows] == kept_of(edit), name
        assert all(last - first == end - start for first, last, start, end in rows), name
        assert rows[0][2] == 0, name
        assert all(before[3] == after[2] for before, after in pairwise(rows)), name
        assert sum(end - start for *_, start, end in rows) == edit.kept_frames, name


def test_a_piece_with_a_speed_keeps_it_and_its_frames_in_every_format() -> None:
    edit = timeline([60, 30, 100, 40, 77], "30")
    pieces = [*edit.pieces[:2], edit.pieces[2].model_copy(update={"speed": 2.0}), edit.pieces[3]]
    edit = edit.model_copy(update={"pieces": (*pieces, edit.pieces[4].model_copy(update={"speed": 0.5}))})
    here = [(0, 60), (60, 110), (110, 264)]
    assert edit.kept_frames == 264
    rows = read_otio(text_of(edit, "otio"))
    assert [row[2:] for row in rows] == here
    clips = otio.adapters.read_from_string(text_of(edit, "otio"), "otio_json").find_clips()
    assert [[one.time_scalar for one in clip.effects] for clip in list(clips)[:3]] == [[], [2.0], [0.5]]
    assert [row[0] for row in rows] == [0, 90, 230]
    clips = list(fromstring(text_of(edit, "fcpxml")).iter("asset-clip"))
    maps = [[(one.attrib["time"], one.attrib["value"]) for one in clip.findall("timeMap/timept")] for clip in clips]
    assert maps == [[], [("0s", "3s"), ("5/3s", "19/3s")], [("0s", "23/3s"), ("77/15s", "307/30s")]]
    assert [(clip.attrib["start"], clip.attrib["duration"]) for clip in clips[1:]] == [("0s", "5/3s"), ("0s", "77/15s")]
    rows = read_xmeml(text_of(edit, "premiere"))
    assert rows == [(0, 60, 0, 60), (45, 95, 60, 110), (460, 614, 110, 264)]
    values = [one.findtext("value") for one in fromstring(text_of(edit, "premiere")).iter("parameter")]
    assert [value for value in values if value in ("200", "50")] == ["200", "50"] * 3
    events = re.findall(r"M2   AX       (\S+) +(\S+)", text_of(edit, "edl"))
    assert events == [("060.0", "00:00:03:00"), ("015.0", "00:00:07:20")]


def test_a_recording_without_sound_has_none_anywhere() -> None:
    edit, silent = timeline([30, 10, 30]), SourceFile("a.mp4", has_audio=False)
    tracks = otio.adapters.read_from_string(text_of(edit, "otio", silent), "otio_json").tracks
    assert [track.kind for track in tracks] == ["Video"]
    assert "hasAudio" not in text_of(edit, "fcpxml", silent)
    assert fromstring(text_of(edit, "premiere", silent)).findall(".//audio/track") == []
    assert "AA/V" not in text_of(edit, "edl", silent)
    assert "  V     C  " in text_of(edit, "edl", silent)


def test_sound_of_one_channel_is_one_track() -> None:
    edit, mono = timeline([30, 10, 30]), SourceFile("a.mp4", has_audio=True, channels=1)
    assert len(fromstring(text_of(edit, "premiere", mono)).findall(".//audio/track")) == 1
    assert "  B     C  " in text_of(edit, "edl", mono)


# -- rates and timecode


@pytest.mark.parametrize("rate", STANDARD)
def test_timecode_is_what_opentimelineio_says(rate: Fraction) -> None:
    ours = EditRate(rate)
    frames = [0, 1, 29, 30, 1798, 1799, 1800, 1801, 1802, 3597, 3598, 17981, 17982, 17983, 107_892, 2_589_407]
    for frame in frames:
        theirs = otio.opentime.RationalTime(frame, float(rate))
        assert ours.timecode(frame) == otio.opentime.to_timecode(theirs, float(rate), ours.drop_frame), frame
    assert ours.timecode(ours.hour()) in ("01:00:00:00", "01:00:00;00")


@pytest.mark.parametrize(
    ("fps", "expected"),
    [("15", "30"), ("12", "24"), ("10", "30"), ("5", "25"), ("20", "60"), ("2997/100", "30000/1001"), ("48", "50")],
)
def test_a_rate_that_programs_do_not_take_becomes_one_they_do(fps: str, expected: str) -> None:
    assert edit_rate(Fraction(fps)).exact == Fraction(expected)


def test_an_edit_of_fifteen_frames_a_second_keeps_every_moment() -> None:
    edit = timeline([40, 17, 8], "15")
    rows = [(0, 80, 0, 80), (114, 130, 80, 96)]
    assert read_otio(text_of(edit, "otio")) == rows
    assert read_xmeml(text_of(edit, "premiere")) == rows
    text = text_of(edit, "fcpxml")
    assert read_fcpxml(text, Fraction(30)) == rows
    assert 'frameDuration="1/15s"' in text
    assert '<conform-rate scaleEnabled="0" />' in text


# -- the document types' rules, as far as they are used (Apple's FCPXML 1.10 DTD and xmeml element catalogue)

FCPXML_CHILDREN = {
    "fcpxml": "resources library",
    "resources": "format format asset",
    "asset": "media-rep",
    "library": "event",
    "event": "project",
    "project": "sequence",
    "sequence": "spine",
    "spine": "(asset-clip )*asset-clip",
    "asset-clip": "(conform-rate )?(timeMap )?(adjust-conform )?(adjust-transform )?(caption )*(marker )*",
    "timeMap": "(timept )+",
    "adjust-transform": "(param )?",
    "param": "keyframeAnimation",
    "keyframeAnimation": "(keyframe )+",
    "caption": "text text-style-def",
    "text": "text-style",
    "text-style-def": "text-style",
}
FCPXML_ATTRIBUTES = {
    "fcpxml": "version!",
    "format": "id! frameDuration width height",
    "asset": "id! name start duration hasVideo format hasAudio videoSources audioSources audioChannels audioRate",
    "media-rep": "kind src!",
    "event": "name",
    "project": "name",
    "sequence": "format! duration tcStart tcFormat audioLayout audioRate",
    "asset-clip": "ref! name offset start duration format tcFormat audioRole",
    "conform-rate": "scaleEnabled",
    "timept": "time! value! interp",
    "adjust-conform": "type",
    "adjust-transform": "position",
    "param": "name!",
    "keyframe": "time! value! curve",
    "caption": "lane offset name start duration! role",
    "text": "placement",
    "text-style-def": "id!",
    "text-style": "ref font fontSize fontColor backgroundColor",
    "marker": "start! duration value!",
}


def reframed() -> Timeline:
    keys = (
        CropKeyframe(frame=0, x=0.5, y=0.5),
        CropKeyframe(frame=40, x=0.6, y=0.5),
        CropKeyframe(frame=41, x=0.3, y=0.5),
        CropKeyframe(frame=599, x=0.3, y=0.5),
    )
    crops: dict[AspectRatio, CropTrack] = {"9:16": CropTrack(keyframes=keys), "1:1": CropTrack(mode="blur")}
    return timeline([100, 50, 150, 100, 200], crops=crops, **spoken())


@pytest.mark.parametrize("ratio", ["source", "9:16", "1:1"])
def test_fcpxml_keeps_the_order_and_the_attributes_of_its_document_type(ratio: AspectRatio) -> None:
    text = text_of(reframed(), "fcpxml", ratio=ratio)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n')
    root = fromstring(text)
    for element in root.iter():
        children = "".join(f"{child.tag} " for child in element)
        pattern = FCPXML_CHILDREN.get(element.tag, "")
        pattern = pattern if not pattern or pattern[-1] in "*+?" else f"{pattern} "
        assert re.fullmatch(pattern, children), (element.tag, children)
        allowed = FCPXML_ATTRIBUTES.get(element.tag, "").split()
        assert {one.rstrip("!") for one in allowed} >= set(element.attrib), element.tag
        assert {one[:-1] for one in allowed if one.endswith("!")} <= set(element.attrib), element.tag
    identifiers = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(identifiers) == len(set(identifiers))
    for element in root.iter():
        for name in ("ref", "format"):
            assert element.get(name) is None or element.get(name) in identifiers


def test_xmeml_links_picture_and_sound_and_tells_the_file_once() -> None:
    root = fromstring(text_of(reframed(), "premiere"))
    assert root.get("version") == "5"
    items = {item.get("id"): item for item in root.iter("clipitem")}
    assert len(items) == 9
    for identifier, item in items.items():
        links = [str(link.findtext("linkclipref")) for link in item.findall("link")]
        assert identifier in links
        assert len(links) == 3
        assert all(items[one].findtext("in") == item.findtext("in") for one in links)
    files = list(root.iter("file"))
    assert {file.get("id") for file in files} == {"file-1"}
    assert [len(file) > 0 for file in files] == [True] + [False] * 8
    assert unquote(str(files[0].findtext("pathurl"))) == FILE.name
    assert {(rate.findtext("timebase"), rate.findtext("ntsc")) for rate in root.iter("rate")} == {("30", "TRUE")}


# -- markers, subtitles, the crop


def test_a_marker_stands_where_something_went_and_says_why() -> None:
    edit = reframed()
    expected = [(100, "removed: filler word (1.67 s)"), (250, "removed: your choice (3.34 s)")]
    read = otio.adapters.read_from_string(text_of(edit, "otio"), "otio_json")
    assert [(int(one.marked_range.start_time.value), one.name) for one in read.tracks.markers] == expected
    xmeml = fromstring(text_of(edit, "premiere")).findall("sequence/marker")
    assert [(number(one, "in"), one.findtext("comment")) for one in xmeml] == expected
    found = []
    for clip in fromstring(text_of(edit, "fcpxml")).iter("asset-clip"):
        for marker in clip.findall("marker"):
            inside = seconds_of(marker.attrib["start"]) - seconds_of(clip.attrib["start"])
            found.append(((inside + seconds_of(clip.attrib["offset"])) * edit.rate, marker.get("value")))
    assert found == expected
    edl = re.findall(r"\* LOC: (\S+) RED +(.+?)\r\n", text_of(edit, "edl"))
    assert edl == [("01:00:03;10", expected[0][1]), ("01:00:08;10", expected[1][1])]
    assert "ตัดออก: คำติดปาก" in text_of(edit, "premiere", lang="th")


def test_what_was_removed_at_the_ends_is_told_inside_the_edit() -> None:
    edit = timeline([30, 60, 30], first_kept=False)
    read = otio.adapters.read_from_string(text_of(edit, "otio"), "otio_json")
    assert [int(one.marked_range.start_time.value) for one in read.tracks.markers] == [0, 59]


def test_subtitles_say_the_corrected_words_in_the_time_of_the_edit() -> None:
    edit = reframed()
    shown, at = [], []
    for clip in fromstring(text_of(edit, "fcpxml")).iter("asset-clip"):
        for caption in clip.findall("caption"):
            inside = seconds_of(caption.attrib["offset"]) - seconds_of(clip.attrib["start"])
            start = inside + seconds_of(clip.attrib["offset"])
            assert 0 <= inside < seconds_of(clip.attrib["duration"])
            at.append((start, start + seconds_of(caption.attrib["duration"])))
            assert caption.get("role") == "SRT?captionFormat=SRT.en"
            shown += str(caption.findtext("text/text-style")).split()
    said = output_words(edit)
    assert shown == [word.word for word in said]
    assert all(before[1] <= after[0] for before, after in pairwise(at))
    assert abs(float(at[0][0]) - said[0].start) < 0.02
    packed = export(edit, FILE, ["otio", "edl"], name="My edit")
    assert (packed.name, packed.mime_type) == ("My edit.zip", "application/zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.namelist() == ["My edit.otio", "My edit.edl", "My edit.srt"]
        assert archive.read("My edit.srt").decode().split("\n")[2].startswith("word0")


def test_the_crop_shows_the_same_window_in_every_format_that_can_say_it() -> None:
    """The middle of the canvas is the middle of the crop window, at every frame that is a keyframe."""
    edit = reframed()
    track = edit.crops["9:16"]
    scale = 1080 / (window(1920, 1080, "9:16")[0] * 1920)
    root = fromstring(text_of(edit, "fcpxml", ratio="9:16"))
    assert root.find("resources/format").attrib["width"] == "1080"
    clips = list(root.iter("asset-clip"))
    assert all(clip.find("adjust-conform").get("type") == "fill" for clip in clips)
    keys = clips[0].findall("adjust-transform/param/keyframeAnimation/keyframe")
    frames = [int(seconds_of(key.attrib["time"]) * edit.rate) for key in keys]
    assert frames == [0, 40, 41, 99]
    for key, frame in zip(keys, frames, strict=True):
        x, y = map(float, key.attrib["value"].split())
        assert 0.5 - x / 100 * 1920 / scale / 1920 == pytest.approx(position(track, frame)[0], abs=1e-4)
        assert y == 0
    still = clips[1].find("adjust-transform").attrib["position"].split()
    assert float(still[0]) == pytest.approx((0.5 - 0.3) * scale * 100, abs=1e-3)

    items = list(fromstring(text_of(edit, "premiere", ratio="9:16")).find(".//video/track").iter("clipitem"))
    values = {one.findtext("parameterid"): one for one in items[0].iter("parameter")}
    assert float(str(values["scale"].findtext("value"))) == pytest.approx(scale * 100, rel=1e-4)
    moves = [
        (number(key, "when"), float(str(key.findtext("value/horiz")))) for key in values["center"].iter("keyframe")
    ]
    assert [frame for frame, _ in moves] == frames
    for frame, across in moves:
        assert 0.5 - across / scale == pytest.approx(position(track, frame)[0], abs=1e-4)

    clip = next(iter(otio.adapters.read_from_string(text_of(edit, "otio", ratio="9:16"), "otio_json").find_clips()))
    assert [one["frame"] for one in clip.metadata["creator_studio"]["offsets"]] == frames


def test_a_blurred_or_letter_boxed_shape_is_fitted() -> None:
    text = text_of(reframed(), "fcpxml", ratio="1:1")
    assert '<adjust-conform type="fit" />' in text
    assert "adjust-transform" not in text
    assert "<value>56.25</value>" in text_of(reframed(), "premiere", ratio="1:1")


# -- names that people chose, edits that do not fit


@pytest.mark.parametrize("form", list(exchange.FORMATS))
def test_no_name_breaks_out_of_a_file(form: str) -> None:
    words = (Word(word="</text><x/>\n", start=0.1, end=0.5), Word(word=HOSTILE, start=1.5, end=1.9))
    edit = timeline([30, 10, 30], words=words, language='en"/><x/>')
    plain = timeline([30, 10, 30], words=(Word(word="a", start=0.1, end=0.5), Word(word="b", start=1.5, end=1.9)))
    text = text_of(edit, form, SourceFile(HOSTILE, has_audio=True), name=HOSTILE)
    usual = text_of(plain.model_copy(update={"language": "en"}), form, SourceFile("a.mp4", has_audio=True), name="a")
    if form == "otio":
        assert len(list(otio.adapters.read_from_string(text, "otio_json").find_clips())) == 4
        assert [*json.loads(text)] == [*json.loads(usual)]
    elif form == "edl":
        assert [line[:6] for line in text.splitlines()] == [line[:6] for line in usual.splitlines()]
        assert len(text.splitlines()) == len(text.split("\r\n")) - 1
    else:
        tags = [element.tag for element in fromstring(text).iter()]
        assert tags == [element.tag for element in fromstring(usual).iter()]
    assert "ตัดต่อ" in text


def test_a_cut_list_says_when_it_is_full() -> None:
    full = timeline([2, 1] * 999, "25")
    assert text_of(full, "edl").count("AA/V  C") == 999
    with pytest.raises(InvalidInput, match="1000 pieces"):
        text_of(timeline([2, 1] * 1000, "25"), "edl")
    assert len(read_xmeml(text_of(timeline([2, 1] * 1000, "25"), "premiere"))) == 1000


@pytest.mark.parametrize("text", ["", ",", "aaf", "otio,aaf", "OTIO"])
def test_formats_that_are_not_written_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="does not write"):
        exchange.wanted_formats(text)


def test_formats_are_taken_once_in_the_order_asked() -> None:
    assert exchange.wanted_formats("edl, otio,edl") == ["edl", "otio"]
