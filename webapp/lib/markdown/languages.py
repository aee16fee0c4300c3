"""The programming languages that are highlighted: Pygments lexers by the names that models write behind a fence.

An allow-list rather than Pygments' own look-up: that one raises on unknown names, searches the installed packages'
entry points, and reaches lexers that load others by names found in the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """A language's name for readers, and its lexer (with those it hands parts of its text to)."""

    label: str
    module: str
    lexers: tuple[str, ...]


_TABLE: Final = """
Python             python      PythonLexer          python py python3 py3 pyi sage
Python_console     python      PythonConsoleLexer,PythonLexer,PythonTracebackLexer  pycon
JavaScript         javascript  JavascriptLexer      javascript js mjs cjs node
TypeScript         javascript  TypeScriptLexer      typescript ts
JSX                jsx         JsxLexer             jsx react
TSX                jsx         TsxLexer             tsx
JSON               data        JsonLexer            json jsonc json5 jsonl
YAML               data        YamlLexer            yaml yml
HTML               html        HtmlLexer,javascript.JavascriptLexer,css.CssLexer  html htm xhtml svg vue svelte
XML                html        XmlLexer             xml xsl xsd
CSS                css         CssLexer             css
SCSS               css         ScssLexer            scss sass
Bash               shell       BashLexer            bash sh zsh shell ksh
Console            shell       BashSessionLexer,BashLexer  console shell-session terminal
PowerShell         shell       PowerShellLexer      powershell pwsh ps1
Batch              shell       BatchLexer           batch bat cmd
SQL                sql         SqlLexer             sql mysql sqlite postgresql postgres plsql tsql
Java               jvm         JavaLexer            java
Kotlin             jvm         KotlinLexer          kotlin kt
Scala              jvm         ScalaLexer           scala
Groovy             jvm         GroovyLexer          groovy gradle
C                  c_cpp       CLexer               c h
C++                c_cpp       CppLexer             cpp c++ cc hpp cxx
C#                 dotnet      CSharpLexer          csharp c# cs
Objective-C        objective   ObjectiveCLexer      objective-c objectivec objc
Swift              objective   SwiftLexer           swift
Go                 go          GoLexer              go golang
Rust               rust        RustLexer            rust rs
Zig                zig         ZigLexer             zig
Ruby               ruby        RubyLexer            ruby rb
PHP                php         PhpLexer             php
Perl               perl        PerlLexer            perl pl
Lua                scripting   LuaLexer             lua
R                  r           SLexer               r
Julia              julia       JuliaLexer           julia jl
MATLAB             matlab      MatlabLexer          matlab
Haskell            haskell     HaskellLexer         haskell hs
Elixir             erlang      ElixirLexer          elixir ex exs
Clojure            jvm         ClojureLexer         clojure clj
Dart               javascript  DartLexer            dart
TOML               configs     TOMLLexer            toml
INI                configs     IniLexer             ini cfg conf dotenv env properties
Dockerfile         configs     DockerLexer,shell.BashLexer,data.JsonLexer  dockerfile docker
nginx              configs     NginxConfLexer       nginx
Terraform          configs     TerraformLexer       terraform tf hcl
Makefile           make        MakefileLexer,shell.BashLexer  makefile make mk
CMake              make        CMakeLexer           cmake
Diff               diff        DiffLexer            diff patch udiff
GraphQL            graphql     GraphQLLexer         graphql gql
Protocol_Buffers   dsls        ProtoBufLexer        protobuf proto
LaTeX              markup      TexLexer             latex tex
Assembly           asm         NasmLexer            nasm asm assembly
Fortran            fortran     FortranLexer         fortran f90
Solidity           solidity    SolidityLexer        solidity sol
"""


def _read_table() -> dict[str, Language]:
    languages: dict[str, Language] = {}
    for row in _TABLE.strip().splitlines():
        label, module, lexers, *names = row.split()
        language = Language(label.replace("_", " "), module, tuple(lexers.split(",")))
        languages |= dict.fromkeys(names, language)
    return languages


LANGUAGES: Final = _read_table()
"""Languages by the lower-case names for them."""

PLAIN: Final = frozenset({"", "text", "plaintext", "plain", "txt", "none", "output"})
"""Names that say that the content is in no language."""
