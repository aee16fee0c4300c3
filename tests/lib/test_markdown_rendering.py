"""What Markdown looks like on the page."""

from __future__ import annotations

import pytest

from tests.lib.markup import page
from webapp.lib.markdown import render

COPY = '<button type="button" class="btn btn-ghost btn-sm push" data-copy="" hidden=""></button>'
REL = 'target="_blank" rel="noopener noreferrer nofollow"'


def inline(source: str) -> str:
    """Render one paragraph and return what is inside."""
    html = render(source)
    assert html.startswith("<p>")
    assert html.endswith("</p>\n")
    return html[3:-5]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("plain & <b>", "<p>plain &amp; &lt;b&gt;</p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("# A\n###### B", "<h2>A</h2>\n<h6>B</h6>\n"),
        ("##### A", "<h6>A</h6>\n"),
        ("A\n==", "<h2>A</h2>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("- a\n\n- b", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n"),
        (
            "- [ ] a\n- [x] b",
            '<ul>\n<li class="task">☐ a</li>\n<li class="task">☑ b</li>\n</ul>\n',
        ),
        ("- [x] a\n\n  b", '<ul>\n<li class="task"><p>☑ a</p>\n<p>b</p>\n</li>\n</ul>\n'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("***", "<hr>\n"),
        ("", ""),
        ("\n \n", ""),
        (
            "[x]: https://example.com",
            f'<p>[x]: <a href="https://example.com" {REL}>https://example.com</a></p>\n',
        ),
    ],
)
def test_blocks(source: str, html: str) -> None:
    assert render(source) == html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("*a* **b** ~~c~~ `d`", "<em>a</em> <strong>b</strong> <s>c</s> <code>d</code>"),
        ("`<b>` &amp; &lt;", "<code>&lt;b&gt;</code> &amp; &lt;"),
        ("**注意：**后面", "<strong>注意：</strong>后面"),
        ("前面**“引用”**后面", "前面<strong>“引用”</strong>后面"),
        ("使用**`x`**表示", "使用<strong><code>x</code></strong>表示"),
        ("这是*重点*。", "这是<em>重点</em>。"),
        ("共**3（三）**个", "共<strong>3（三）</strong>个"),
        ("~~旧的。~~新的", "<s>旧的。</s>新的"),
        ("3*（4+5）*2", "3*（4+5）*2"),
        ("2*3*4 和 a * b * c", "2<em>3</em>4 和 a * b * c"),
        ("snake_case_名称_x", "snake_case_名称_x"),
        ("これは**「強調」**です", "これは<strong>「強調」</strong>です"),
        ("**bold:**text", "**bold:**text"),
    ],
)
def test_emphasis(source: str, html: str) -> None:
    assert inline(source) == html


@pytest.mark.parametrize(
    ("source", "address", "words"),
    [
        ("[a](https://example.com/x?y=1&z=2)", "https://example.com/x?y=1&z=2", "a"),
        ("<https://example.com>", "https://example.com", "https://example.com"),
        ("<a@example.com>", "mailto:a@example.com", "a@example.com"),
        ("see https://example.com/a_(b).", "https://example.com/a_(b)", "see https://example.com/a_(b)."),
        ("(https://example.com/a)", "https://example.com/a", "(https://example.com/a)"),
        ("访问https://example.com/a，然后", "https://example.com/a", "访问https://example.com/a，然后"),
        ("**https://example.com/a**", "https://example.com/a", "https://example.com/a"),
        ("https://example.com/?a=1&b=2;", "https://example.com/?a=1&b=2", "https://example.com/?a=1&b=2;"),
        ("![chart](https://example.com/c.png)", "https://example.com/c.png", "chart"),
        ("![](https://example.com/c.png)", "https://example.com/c.png", "https://example.com/c.png"),
        ("[![chart](https://example.com/c.png)](https://example.com)", "https://example.com", "chart"),
        ("![a [b](https://b.example)](https://a.example)", "https://a.example", "a b"),
    ],
)
def test_links(source: str, address: str, words: str) -> None:
    read = page(source)
    assert read.links == [address]
    assert read.text.strip() == words


@pytest.mark.parametrize(
    "source",
    [
        "[a](/relative)",
        "[a](//host/x)",
        "[a](#part)",
        "[a](ftp://x/y)",
        "[a]()",
        "[a](https://)",
        "xhttps://a.b",
        "http://",
        "[a](mailto:)",
        f"[a](https://example.com/{'x' * 3000})",
    ],
)
def test_no_links(source: str) -> None:
    assert page(source).links == []


def test_code_has_a_head_with_language_and_hook() -> None:
    html = render('```py\nx = "a" # <b>\n```')
    assert html == (
        f'<div class="code"><header>Python{COPY}</header><pre tabindex="0"><code>x = <span class="s">"a"</span> '
        '<span class="c"># &lt;b&gt;</span></code></pre></div>\n'
    )


@pytest.mark.parametrize(
    ("info", "label"),
    [
        ("", ""),
        ("text", ""),
        ("PYTHON", "Python"),
        ("js title=x", "JavaScript"),
        ("{.python}", "Python"),
        ("python{1,3}", "Python"),
        ("c++", "C++"),
        ("c#", "C#"),
        ("mermaid", "mermaid"),
        ("no-such-language", "no-such-language"),
        ("<script>", "<script>"),
        ("x" * 100, "x" * 24),
        ("{}", ""),
    ],
)
def test_language_labels(info: str, label: str) -> None:
    assert page(f"~~~{info}\ncode\n~~~").text == label + "code\n"


def test_indented_code() -> None:
    assert "<code>a\n  b</code>" in render("    a\n      b\n")


def test_a_table() -> None:
    html = render("| a | b | c |\n|---|--:|:-:|\n| *1* | 2 \\| 3 | |\n")
    assert html == (
        '<div class="table-wrap" tabindex="0"><table>\n'
        '<thead><tr><th>a</th><th class="ta-r">b</th><th class="ta-c">c</th></tr>\n</thead>\n'
        '<tbody><tr><td><em>1</em></td><td class="ta-r">2 | 3</td><td class="ta-c"></td></tr>\n</tbody></table></div>\n'
    )


MATHEMATICS = [
    "$x$",
    "其中$x$是",
    r"\(x\)",
    "$$x$$ inside",
    r"inside \[x\]",
    "($x$)",
    "$x$.",
    "**$x$**",
]


@pytest.mark.parametrize("source", MATHEMATICS)
def test_inline_mathematics(source: str) -> None:
    assert "<math><mrow><mi>x</mi></mrow></math>" in inline(source)


@pytest.mark.parametrize(
    "source",
    [
        "$5 and $6",
        "$5, or $6/month",
        "US$5 and 6$",
        "costs $5 or $10.",
        "between $5-$10",
        "$HOME/$USER",
        "$HOME is where ${HOME} is",
        "$5 for `x$`",
        "价格是$100，而不是200$",
        r"\$x\$",
        "$ x $",
        "$x",
        "$$",
        r"\(x",
        r"\\(x\\)",
        "`$x$`",
    ],
)
def test_no_mathematics(source: str) -> None:
    assert "math" not in page(source).tags


@pytest.mark.parametrize(
    "source",
    ["$$x$$", "$$\nx\n$$", "\\[x\\]", "\\[\nx\n\\]", "text\n$$\nx\n$$\nmore", "- a\n  $$\n  x\n  $$"],
)
def test_block_mathematics(source: str) -> None:
    assert (
        '<div class="mathbox" tabindex="0"><math display="block"><mrow><mi>x</mi></mrow></math></div>'
        in render(source)
    )


def test_punctuation_stays_with_the_formula() -> None:
    assert page("$$\nx\n$$。").text.strip() == "x。"


@pytest.mark.parametrize(
    ("latex", "mathml"),
    [
        (r"a<b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        (r"\frac{1}{2}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\text{其他 <b>}", "<mtext>其他&nbsp;&lt;b&gt;</mtext>"),
        (r"\mathrm{d}x", '<mi mathvariant="normal">d</mi>'),
        (r"\begin{aligned}a&=b\\c&=d\end{aligned}", '<mtd columnalign="right" class="ta-r"><mi>a</mi></mtd>'),
        (r"\begin{equation}x\label{eq:1}\end{equation}", "<mi>x</mi>"),
        (r"\begin{cases}1&x>0\\0&\text{else}\end{cases}", "<mtable>"),
        (r"\begin{alignat}{2}a&=b\end{alignat}", "<mi>b</mi>"),
    ],
)
def test_latex(latex: str, mathml: str) -> None:
    html = render(f"$${latex}$$")
    assert mathml in html
    assert "alignat" not in html


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{1}",
        "x^",
        "a_b_c",
        r"\left( x",
        r"\nosuchcommand{x}",
        "{x",
        "x}",
        r"\begin{cases} 1",
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{x}\a",
        "{" * 60 + "x" + "}" * 60,
        r"\sqrt" * 300 + "x",
    ],
)
def test_invalid_latex_is_shown_as_code(latex: str) -> None:
    inside, block = page(f"a \\({latex}\\)"), page(f"$$\n{latex}\n$$")
    assert "math" not in inside.tags + block.tags
    assert inside.text.strip() == f"a {latex}"
    assert block.text.strip() == f"LaTeX{latex}"
    assert {"code"} <= set(inside.tags) & set(block.tags)


def test_windows_line_ends() -> None:
    assert render("# A\r\n\r\nb\r\nc\r\n") == render("# A\n\nb\nc\n")


def test_a_nul_is_shown_as_a_replacement() -> None:
    assert inline("a\0b") == "a\ufffdb"
