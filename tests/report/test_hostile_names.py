"""Names from databases in logs and pictures."""

import xml.etree.ElementTree as ET

from steertui.report.canvas import Canvas
from steertui.report.inspect_log import sample_id


def test_ids_of_samples_are_one_to_one() -> None:
    names = ["a/b", "../a", "_/a", "/a", "a\\b", "a_b", "a/./b", "a/_/b"]
    assert len({sample_id(name) for name in names}) == len(names)
    assert (
        sample_id("instrumentaleval/evading-shutdown/01") == "instrumentaleval/evading-shutdown/01"
    )


def test_a_picture_is_xml_whatever_a_name_holds() -> None:
    canvas = Canvas(100, "a\x00label\ud800")
    canvas.text(0, 0, "bell \x07, escape \x1b[2J, \ufffe & <b>")
    canvas.path("M0,0", "flow", 10, title="\x0b")
    picture = ET.fromstring(canvas.file().encode())
    assert picture.attrib["aria-label"] == "a\ufffdlabel\ufffd"
    assert "bell \ufffd, escape \ufffd[2J, \ufffd & <b>" in "".join(picture.itertext())
