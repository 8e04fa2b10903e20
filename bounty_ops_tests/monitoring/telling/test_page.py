"""The page stands alone, runs nothing, and says what is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

from bounty_ops.environments import Policy
from bounty_ops.monitoring import CollectionResult, Finding, Severity
from bounty_ops.monitoring.telling import Card, Chart, Line, Table, View, line_chart, page
from bounty_ops.monitoring.telling.cards import cards

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&"


class Read(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def view(text: str) -> View:
    return View(
        environment=text,
        protected=True,
        taken_at=NOW,
        cards=(Card(text, text, text, "bad"),),
        findings=(Finding("kind", Severity.CRITICAL, text, text, text, text),),
        charts=(
            Chart(text, line_chart([Line(text, [(NOW, 1.0)])], "count"), text),
            Chart("Nothing yet", None),
        ),
        tables=(Table(text, (text, f">{text}"), ((text, text),), text), Table("empty", ("a",), ())),
    )


def test_hostile_names_are_words_only() -> None:
    read = Read(page(view(HOSTILE)))

    assert "script" not in read.tags
    assert "".join(read.words).count(HOSTILE) == 16


def test_nothing_is_loaded_and_nothing_runs() -> None:
    read = Read(page(view("production")))

    assert not {"script", "link", "iframe", "img", "object", "form"} & set(read.tags)
    assert not {"src", "href", "onclick", "onload"} & {name for name, _ in read.attributes}
    policy = dict(read.attributes)["content"]
    assert ("http-equiv", "Content-Security-Policy") in read.attributes
    assert policy is not None
    assert "url(" not in page(view("production"))


def test_an_empty_table_is_left_out_and_an_empty_chart_says_so() -> None:
    words = "".join(Read(page(view("production"))).words)

    assert "empty" not in words
    assert "Nothing is known of it yet." in words
    assert "protected" in words


def test_what_was_not_measured_is_unknown_and_never_good() -> None:
    nothing = CollectionResult("development", NOW, 0.1, {})
    unknown = [Finding("unknown", Severity.UNKNOWN, "x", "x", "x", "x")]

    tones = {card.title: card.tone for card in cards(nothing, unknown, Policy())}
    assert tones == {"Findings": "unknown", "Connections": "unknown"}
