"""Markdown to HTML: any input renders to safe HTML with the author's meaning."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from education.text.prose import plain_prose
from education.text.readability import find_forbidden, reading_grade
from education.text.rendering import ALLOWED_TAGS, LONGEST_TEXT, Citation, GlossaryTerm, Heading, render_markdown


class Tags(HTMLParser):
    """Collects the tags and attributes that a browser would see."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


def assert_harmless(html):
    seen = Tags(html)
    assert seen.tags <= ALLOWED_TAGS
    for name, value in seen.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "src", "srcset", "formaction")
        if name == "href":
            scheme = re.match(r"[\s\x00-\x1f]*([a-z][a-z0-9+.-]*):", value, re.IGNORECASE)
            assert scheme is None or scheme[1].lower() in ("https", "http", "mailto", "tel"), value


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![x](figure:../../settings)",
    "[a]: javascript:alert(1)\n\n[a]",
    '[x](https://a.example "onmouseover=alert(1)")',
    "::: emergency <script>alert(1)</script>\n:::",
    "## <img onerror=alert(1) src=x>",
    "| <b onclick=x> | a |\n|---|---|\n| <iframe> | b |",
    '<a href="x" style="position:fixed">',
    "<!-- --><style>*{display:none}</style>",
    '<figure class="figure-drawn" data-figure="0"></figure>',
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attack_is_harmless(text):
    assert_harmless(render_markdown(text).html)


@given(
    st.lists(
        st.sampled_from([*ATTACKS, "**", "`", "\n", "    ", "> ", "- ", "{strong}", "[@a]", ":::", "\x00"]), max_size=12
    )
)
@settings(max_examples=150, deadline=None)
def test_combined_attacks_are_harmless(parts):
    assert_harmless(render_markdown("".join(parts), references=["a"]).html)


@given(st.text(max_size=400))
@example("\ud800")
@settings(max_examples=150, deadline=None)
def test_any_text_is_harmless(text):
    text = text.encode("utf-8", "ignore").decode()
    assert_harmless(render_markdown(text).html)
    plain_prose(text)


@pytest.mark.parametrize(
    "text",
    [
        ">" * 40_000,
        "[" * 40_000,
        "![[" * 15_000,
        "- " * 20_000,
        "*a_" * 20_000,
        "::: note\n" * 8_000,
        "[@a; @a" * 10_000,
        "\n".join(" " * depth + "- x" for depth in range(400)),
    ],
    ids=["quotes", "brackets", "images", "lists", "emphasis", "cards", "citations", "stairs"],
)
def test_deep_nesting_renders_quickly(text):
    start = time.process_time()  # CPU time, since other tests may run
    html = render_markdown(text).html
    assert time.process_time() - start < 5
    assert_harmless(html)


@pytest.mark.parametrize(
    "text",
    [
        "|" + "a|" * 900 + "\n|" + "-|" * 900 + "\n" + ("|" + "b|" * 900 + "\n") * 8,
        "|a|b|\n|-|-|\n" + "|x|y|\n" * 2_500,
        "\"a'" * 10_000,
        "## a\n" * 6_000,
        "[a](" * 7_500,
        "`" + " `".join("`" * n for n in range(1, 240)),
        "\n".join(f"[{n}]: /x" for n in range(3_000)),
        "[@" + "a" * 29_000,
        "::: emergency " + " " * 29_000,
        "~~a" * 10_000,
        "![a](picture:" * 2_300,
        "?!.\n" * 7_500,
        "a'" * 15_000,
    ],
    ids=[
        *(
            "wide table",
            "long table",
            "quotes",
            "same headings",
            "links",
            "backticks",
            "definitions",
            "endless citation",
        ),
        *("spaces", "strikes", "pictures", "marks", "apostrophes"),
    ],
)
def test_malicious_markdown_renders_within_seconds(text):
    """An algorithm that is quadratic in these 30,000 characters would take much longer."""
    start = time.process_time()
    html = render_markdown(text).html
    prose = plain_prose(text)
    find_forbidden(prose)
    reading_grade(prose)
    assert time.process_time() - start < 4
    assert_harmless(html)


def test_equal_headings_have_different_ids():
    html = render_markdown("## A\n## A-2\n## A\n## A\n## Main").html
    assert re.findall('id="([^"]+)"', html) == ["a", "a-2", "a-3", "a-4", "main-2"]


def test_text_over_the_length_limit_is_refused():
    with pytest.raises(ValueError, match="100000"):
        render_markdown("a" * (LONGEST_TEXT + 1))


def test_citations_are_numbered_by_first_mention_and_link_to_the_source():
    page = render_markdown("One [@b]. Two [@a; @b].", references=["a", "b"])
    assert page.citations == (Citation(1, "b"), Citation(2, "a"))
    assert '<p>One<sup class="cite"><a href="#ref.1" id="cited.1" aria-label="Source 1">1</a></sup>.' in page.html
    assert page.html.count('id="cited.1"') == 1


def test_citation_numbers_continue_from_the_text_before():
    assert render_markdown("Two [@b].", references=["a", "b"], cited=["a"]).citations[-1] == Citation(2, "b")


def test_unknown_citation_is_omitted_and_reported():
    page = render_markdown("One [@lost].", references=[])
    assert "sup" not in page.html
    assert len(page.faults) == 1 and "“lost”" in page.faults[0]


@pytest.mark.parametrize(
    ("mark", "words"),
    [("strong", "strong evidence"), ("limited", "limited evidence"), ("opinion", "expert opinion")],
)
def test_evidence_mark_becomes_a_badge(mark, words):
    html = render_markdown(f"It helps. {{{mark}}}").html
    assert f'<span class="badge-evidence badge-{mark}">{words}</span>' in html


def test_unknown_mark_in_braces_is_plain_text():
    assert render_markdown("{perhaps}").html == "<p>{perhaps}</p>\n"


def test_emergency_number_is_a_phone_link():
    assert '<a href="tel:112">112</a>' in render_markdown("Call {emergency}.", emergency_number="112").html


def test_card_has_its_title_and_content():
    html = render_markdown("::: urgent Stop & ask\n- walking hurts\n:::\n\nAfter.").html
    assert html.startswith('<section class="care-card care-urgent">\n<h2>Stop &amp; ask</h2>\n<ul>')
    assert html.endswith("</section>\n<p>After.</p>\n")


def test_card_title_is_one_level_lower_below_a_heading():
    assert "<h3>Stop</h3>" in render_markdown("## Bone\n\n::: tell Stop\nNow.\n:::").html


def test_unclosed_card_ends_with_the_text():
    assert render_markdown("::: note\nWords.").html.count("section") == 2


def test_text_after_a_card_in_a_quote_is_kept():
    assert "and more" in render_markdown("> ::: note\nand more").html


def test_unknown_card_is_plain_text():
    assert "::: sale" in render_markdown("::: sale Buy\n:::").html


def test_headings_get_ids_and_fill_the_contents():
    page = render_markdown("# What it is\n\n## What it is\n\n### Finer\n\n## References")
    assert page.contents == (
        Heading("what-it-is", "What it is"),
        Heading("what-it-is-2", "What it is"),
        Heading("references-2", "References"),
    )
    assert "<h1" not in page.html
    assert '<h3 id="finer">' in page.html


def test_figure_is_drawn_with_its_caption_outside_the_paragraph():
    page = render_markdown(
        '![A hip](figure:hip "Seen <from> the side")', draw_figure=lambda name, alt: f"<svg>{name} {alt}</svg>"
    )
    assert page.html.strip() == (
        '<figure class="figure-drawn"><svg>hip A hip</svg><figcaption>Seen &lt;from&gt; the side</figcaption></figure>'
    )


def test_figure_without_alternative_text_or_drawing_is_reported():
    assert len(render_markdown("![](figure:lost)").faults) == 2
    assert len(render_markdown("![A hip](figure:lost)").faults) == 1


def test_external_link_is_marked_and_internal_link_is_not():
    html = render_markdown("[a](https://doi.org/x) [b](/learn/)").html
    assert '<a href="https://doi.org/x" rel="external noopener">' in html
    assert '<a href="/learn/">' in html


def test_table_headers_have_a_scope_and_alignment_adds_no_style():
    html = render_markdown("| a | b |\n|---|--:|\n| 1 | 2 |").html
    assert '<th scope="col">a</th>' in html
    assert "style" not in html


CADENCE = {"cadence": GlossaryTerm("Cadence", 'Steps in a minute, "both" feet.', "/learn/glossary/#cadence")}


def test_glossary_term_has_a_tooltip_and_a_popover():
    html = render_markdown("Your [step rate](term:cadence).", terms=CADENCE).html
    assert 'popovertarget="term-cadence" title="Steps in a minute, &quot;both&quot; feet.">step rate</button>' in html
    note = html.split('id="term-cadence" popover="">')[1]
    assert note.startswith(
        '<strong>Cadence</strong> Steps in a minute, "both" feet. <a href="/learn/glossary/#cadence">'
    )


def test_glossary_term_is_explained_once_on_a_page_and_opens_from_each_mention():
    text = "Your [step rate](term:cadence). Your [cadence](term:cadence)."
    first = render_markdown(text, terms=CADENCE)
    assert first.html.count('id="term-cadence"') == 1
    assert first.html.count('popovertarget="term-cadence"') == 2
    again = render_markdown(text, terms=CADENCE, explained=first.explained)
    assert 'id="term-cadence"' not in again.html


@pytest.mark.parametrize("name", ["lost", "", "javascript:alert(1)", "<script>"])
def test_unknown_glossary_term_is_plain_text_and_reported(name):
    rendered = render_markdown(
        f"A [word](<term:{name}>)." if "<" not in name else f"A [word](term:{name}).", terms=CADENCE
    )
    assert (
        "javascript" not in rendered.html
        and "<script" not in rendered.html
        and "term:" not in rendered.html.replace("(term:", "")
    )
    assert "word" in rendered.html
