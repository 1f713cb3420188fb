import io
from html.parser import HTMLParser

import pytest
from rich.console import Console

from jaxneuro.launch.directory import Run
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.report import Section, write_figures, write_report

HOSTILE = '<script>alert("x")</script> & more'
SECTIONS = [
    Section("Scores", "Some text.", ["network", "score"], [["a", "1.5 %"], ["b", "-2,000"]]),
    Section("A figure, of one neuron", figure="<svg><title>drawn</title></svg>"),
    Section(HOSTILE, HOSTILE, [HOSTILE], [[HOSTILE]]),
]


class Reader(HTMLParser):
    """What a browser makes of a page: tags in order, and text by tag; an unbalanced tag is an error."""

    VOID = ("meta", "br", "!doctype")

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.texts, self.attributes = [], [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1], data))


@pytest.fixture
def path(tmp_path):
    with Run(tmp_path / "it", {"seed": 7, "note": HOSTILE}, console=Console(file=io.StringIO())) as run:
        run.finish({"score": 1.5})
    return tmp_path / "it"


@pytest.fixture
def page(path):
    write_report(path, SECTIONS)
    return Reader((path / "report.html").read_text(encoding="utf-8"))


def test_the_page_shows_every_section_and_where_the_numbers_come_from(page):
    heads = [text for tag, text in page.texts if tag == "h2"]
    assert heads == ["Scores", "A figure, of one neuron", HOSTILE, "Where these numbers come from"]
    assert ("p", "Some text.") in page.texts
    assert [text for tag, text in page.texts if tag == "td"][:4] == ["a", "1.5 %", "b", "-2,000"]
    told = [text for tag, text in page.texts if tag == "td"]
    assert told[told.index("seed") + 1] == "7"
    assert any("jax " in text for text in told)


def test_the_page_holds_the_whole_config_and_the_figures(page):
    (config,) = [text for tag, text in page.texts if tag == "pre"]
    assert "seed: 7" in config
    assert ("title", "drawn") in page.texts


def test_text_is_text_and_nothing_comes_from_outside(page):
    assert "script" not in page.tags
    assert ("p", HOSTILE) in page.texts
    assert not [value for name, value in page.attributes if name in ("src", "href", "onload")]


def test_columns_of_numbers_are_aligned_as_numbers(path):
    write_report(path, SECTIONS[:1])
    text = (path / "report.html").read_text()
    assert '<td class="number">1.5 %</td>' in text
    assert '<th class="number">score</th>' in text
    assert "<td>a</td>" in text


def test_figures_are_files_too(tmp_path):
    (file,) = write_figures(tmp_path / "new" / "folder", SECTIONS)
    assert file.name == "a-figure-of-one-neuron.svg"
    assert file.read_text() == SECTIONS[1].figure


def test_a_run_without_results_has_no_report(tmp_path):
    with pytest.raises(RunError, match=r"results\.json"):
        write_report(tmp_path, SECTIONS)
