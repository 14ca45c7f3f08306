"""The documentation is executed: its programs run, its commands run, and what it shows is what they print.

In README.md and the pages of docs/

- a ``console`` block holds commands behind ``$`` and, if it shows any, exactly what they print on 80 columns;
- a ``python`` block is run; one with ``>>>`` shows exactly what Python prints. The blocks of a page are one program;
- a block of any language under ``<!-- file: NAME -->`` is that file, for the commands after it;
- what stands between ``<!-- shows: EXPRESSION -->`` and ``<!-- end -->`` is the value of the expression, in the page's
  program and with the functions of `Shown`: the formulas of the tutorial are the tool's own, none is typed;
- a ``sh`` block is for the reader's machine. It is not run here, but what it names must exist.

Blanks at the ends of lines do not count.

`make golden` writes the pages anew with what is printed now.
"""

from __future__ import annotations

import contextlib
import doctest
import gc
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import backproof as bp
from backproof.cli import main
from backproof.cli.commands import cli
from backproof.derivation.derivation import Derivation
from backproof.frontends.functions import ACTIVATIONS, ALIASES, LOSSES
from backproof.ops.expression import CONSTANTS, FUNCTIONS
from backproof.write.diagram import diagram
from backproof.write.doc import Block, Code, Display, Document, Figure, Inline, Step, Table
from backproof.write.document import document
from backproof.write.figure_svg import figure_svg
from backproof.write.markdown import markdown
from backproof.write.math import Math, Row, Sign
from backproof.write.spell import spell, symbol
from backproof.write.svg import svgs

sys.path.append(str(Path(__file__).parent))

from zoo import cookbook
from zoo.test_zoo import arguments_of

REPO = Path(__file__).resolve().parent.parent
PAGES = [Path("README.md"), *(path.relative_to(REPO) for path in sorted((REPO / "docs").glob("*.md")))]
GENERATED = {Path("docs/operations.md"): "operations.py", Path("docs/mistakes.md"): "mistakes.py"}
"""Pages that are made from a table, and what makes them."""
EXAMPLES = Path("docs/examples")

PART = re.compile(
    r"<!-- shows: (?P<expression>.+?) -->\n(?P<shown>.*?)<!-- end -->"
    r"|(?:<!-- file: (?P<file>\S+) -->\n+)?^(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)

Golden = Callable[[str | Path, str], None]


class Shown:
    """What a page may show by an expression, all of it the tool's own Markdown."""

    @staticmethod
    def equations(derivation: Derivation, *names: str) -> str:
        """The displayed equations of these names: ``dZ2``, ``dZ2-entries``, ``dW2-entry``."""
        found = {d.name: d for d in _displays(document(derivation, expand=True).blocks)}
        return _markdown([found[name] for name in names])

    @staticmethod
    def step(derivation: Derivation, symbol: str, *, expand: bool = False) -> str:
        """Everything that a derivation says about one quantity."""
        return _markdown(_step(derivation, symbol, expand).blocks)

    @staticmethod
    def formulas(chapter: str) -> str:
        """The functions of matrices of one chapter, with the derivatives that are derived from them."""
        rows = tuple(map(_formulas, cookbook.CHAPTERS[chapter]))
        header: tuple[Inline, ...] = (("function",), ("derivatives",), ("Matrix Cookbook",))
        return _markdown([Table(header, rows, "lll")])

    @staticmethod
    def options(command: str) -> str:
        """The arguments and options of a command, from the command itself."""
        rows = ["| argument or option | meaning | default |", "| --- | --- | --- |"]
        for option in cli.commands[command].params:
            if isinstance(option, click.Option):
                values = f" {'|'.join(option.type.choices)}" if isinstance(option.type, click.Choice) else ""
                kind = "" if option.is_flag or values else f" {option.type.name.split()[0].upper()}"
                names = ", ".join(f"`{name}{values}{kind}`".replace("|", "\\|") for name in option.opts)
                default = "required" if option.required else str(option.default) if option.show_default else ""
                about = (option.help or "").removesuffix(".").replace("|", "\\|")
                rows.append(f"| {names} | {about} | {default} |")
            else:
                about = {"SPEC": "the network", "FOLDER": "the folder"}[option.human_readable_name]
                rows.append(f"| `{option.human_readable_name}` | {about} | required |")
        return "\n".join(rows)


def _formulas(case: cookbook.Formula) -> tuple[Inline, ...]:
    arguments = arguments_of(case)
    derivation = bp.derive(case.function, arguments, wrt=list(arguments))
    lines = inspect.getsource(case.function).strip().splitlines()[1:]
    code = [Code(line.strip().removeprefix("return ")) for line in lines if not line.strip().startswith('"""')]
    equations = [
        Row((symbol(step.symbol), Sign("="), spell(step.node)))
        for step in derivation.backward
        if str(step.symbol) in case.gradients
    ]
    return _separated(code, "; "), _separated(equations, ", "), (case.source,)


def _separated(parts: Sequence[Code | Math], by: str) -> Inline:
    return tuple(x for k, part in enumerate(parts) for x in ((by, part) if k else (part,)))


def _markdown(blocks: Iterable[Block]) -> str:
    title, _, text = markdown(Document("", tuple(blocks))).partition("\n\n")
    assert title.strip() == "#"
    return text


def _displays(blocks: Iterable[Block]) -> Iterator[Display]:
    for block in blocks:
        if isinstance(block, Display):
            yield block
        elif isinstance(block, Step):
            yield from _displays(block.blocks)


def _step(derivation: Derivation, symbol: str, expand: bool) -> Step:
    blocks = document(derivation, expand=expand).blocks
    return next(block for block in blocks if isinstance(block, Step) and block.symbol == symbol)


# --- running ----------------------------------------------------------------------------------------------------------


class Page:
    """A page as a program: its parts are run in order, and its text is written anew with what they print."""

    def __init__(self) -> None:
        helpers = {name: getattr(Shown, name) for name in vars(Shown) if not name.startswith("_")}
        self.names: dict[str, Any] = {"__name__": "__main__", **helpers}
        self.status = 0

    def rewritten(self, text: str) -> str:
        return PART.sub(self._part, text)

    def _part(self, match: re.Match[str]) -> str:
        if match["expression"]:
            shown = eval(match["expression"], self.names)
            return f"<!-- shows: {match['expression']} -->\n\n{shown.strip()}\n\n<!-- end -->"
        language, body = match["language"], match["body"]
        if match["file"]:
            Path(match["file"]).parent.mkdir(exist_ok=True)
            Path(match["file"]).write_text(body, encoding="utf-8")
        elif language == "console":
            return match[0].replace(body, self._console(body))
        elif language == "python":
            return match[0].replace(body, self._session(body) if ">>>" in body else self._program(body))
        elif language == "sh":
            _check_named(body)
        elif not language.startswith("{"):  # a directive of the site
            raise AssertionError(f"a block of {language or 'no language'} that nothing runs:\n{body}")
        return match[0]

    def _program(self, body: str) -> str:
        exec(compile(body, "<documentation>", "exec"), self.names)
        return body

    def _session(self, body: str) -> str:
        written = []
        for part in doctest.DocTestParser().parse(body):
            if isinstance(part, str):
                written.append(part)
                continue
            first, *rest = part.source.splitlines()
            written += [f">>> {first}\n", *(f"... {line}\n" if line else "...\n" for line in rest)]
            written.append(self._printed(part.source, may_fail=part.want.startswith("Traceback")))
        return "".join(written)

    def _printed(self, source: str, *, may_fail: bool) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                exec(compile(source, "<documentation>", "single"), self.names)
            except Exception as error:
                if not may_fail:
                    raise
                print("Traceback (most recent call last):\n  ...")
                print("".join(traceback.format_exception_only(error)).replace("\n\n", "\n<BLANKLINE>\n"), end="")
        return "".join(f"{line}\n" if line.strip() else "<BLANKLINE>\n" for line in out.getvalue().splitlines())

    def _console(self, body: str) -> str:
        written = []
        for command, shown in _commands(body):
            printed = self._run(command.replace("\\\n", " "))
            expects_failure = shown.startswith("backproof: ") or "echo $?" in body
            assert self.status == 0 or expects_failure, f"{command} exits {self.status}:\n{printed}"
            if shown and not _same(shown, printed):
                shown = printed if printed.endswith("\n") else f"{printed}\n"
            written.append(f"$ {command}\n{shown}")
        return "".join(written)

    def _run(self, command: str) -> str:
        if command == "echo $?":
            return f"{self.status}\n"
        ours, _, others = command.partition(" | ")
        if ours.startswith("backproof "):
            printed = self._backproof(shlex.split(ours)[1:])
        else:
            printed, others = "", command
        if others:
            shell = ["bash", "-c", f"set -o pipefail; {others}"]
            done = subprocess.run(shell, input=printed, capture_output=True, text=True, encoding="utf-8", check=False)
            self.status = done.returncode
            printed = done.stdout + done.stderr
        return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())

    def _backproof(self, arguments: list[str]) -> str:
        """The installed command, in this process."""
        out, before = io.StringIO(), sys.argv
        sys.argv = ["backproof", *arguments]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                main()
            self.status = 0
        except SystemExit as end:
            self.status = int(end.code or 0)
        finally:
            sys.argv = before
            gc.enable()
        return out.getvalue()


def _commands(body: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with what is shown under it; a line that ends in a backslash goes on."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        match = re.match(r"(?:[^\n]*\\\n)*[^\n]*\n", part)
        assert match is not None, part
        yield match[0].rstrip("\n"), part[match.end() :]


def _same(shown: str, printed: str) -> bool:
    """Whether two outputs are the same. A verdict's numbers are errors of rounding, which differ between machines."""
    return _without_rounding(shown) == _without_rounding(printed)


VERDICT = re.compile(r"^([dDH]\S* +\d+(?: × \d+)*) .* (right|wrong|not comparable)")


def _without_rounding(text: str) -> str:
    if "relative error of" not in text:
        return text.rstrip("\n")
    lines = [match.expand(r"\1 \2") if (match := VERDICT.match(line)) else line for line in text.splitlines()]
    # The width of a table's columns follows its numbers.
    return re.sub(r"─+", "─", re.sub(r"[ \n]+", " ", "\n".join(lines))).strip()


def _check_named(body: str) -> None:
    """A block for the reader's machine names only targets of the Makefile, and files that are there."""
    targets = set(re.findall(r"^([a-z-]+):.*##", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for line in body.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert {word for word in words[1:] if "=" not in word} <= targets, line
        elif words:
            assert words[:4] in (["python3", "-m", "pip", "install"], ["python3", "-m", "venv", ".venv"]) or (
                words[0].startswith((".venv/bin/", ".venv-frameworks/bin/"))
            ), f"unknown command: {line}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a terminal of 80 columns without colour."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "LINES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GENERATED], ids=str)
def test_page_runs_and_shows_what_is_printed(page: Path, golden: Golden, desk: Path) -> None:
    text = (REPO / page).read_text(encoding="utf-8")
    golden(page, Page().rewritten(text))


# --- generated files --------------------------------------------------------------------------------------------------


def _script(path: Path) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["layer_norm", "attention", "lstm", "gru", "conv2d"])
def test_page_of_a_derivation_is_what_is_written(golden: Golden, name: str) -> None:
    golden(Path(f"docs/derivations/{name}.md"), _script(REPO / "docs" / "derivations.py").page(name))


@pytest.mark.parametrize("name", ["layer_norm", "attention", "lstm", "gru", "conv2d"])
def test_derivation_of_a_page_is_right(name: str) -> None:
    script = _script(REPO / "docs" / "derivations.py")
    values, wrt = script.arguments(name)
    function = vars(_script(REPO / "docs" / "models.py"))[name]
    assert bp.check(bp.run(bp.derive(function, values, wrt=wrt))).ok


@pytest.mark.parametrize("page", GENERATED, ids=str)
def test_page_is_that_of_its_table(page: Path, golden: Golden) -> None:
    golden(page, _script(REPO / "docs" / GENERATED[page]).page())


def article() -> tuple[Derivation, str]:
    """The network of the article, as the examples show it."""
    return bp.derive("3-4-3", mean="parameters"), "Forward and backward pass of the network 3 → 4 → 3"


DRAWN_WITH = {"ziamath": "0.13", "ziafont": "0.11"}
"""The releases that drew the pictures in docs: another one may place a stroke elsewhere."""

drawn = pytest.mark.skipif(
    any(not version(name).startswith(known) for name, known in DRAWN_WITH.items()),
    reason=f"the pictures in docs are those of {DRAWN_WITH}",
)


@pytest.mark.parametrize(
    ("suffix", "form"),
    [
        ("txt", "text"),
        ("md", "markdown"),
        ("tex", "latex"),
        ("json", "json"),
        pytest.param("html", "html", marks=drawn),
    ],
)
def test_example_is_what_is_written(suffix: str, form: str, golden: Golden) -> None:
    derivation, title = article()
    golden(EXAMPLES / f"article.{suffix}", bp.render(derivation, form, expand=True, title=title))  # type: ignore[arg-type]


ARTICLE = ("A2-names", "J", "dA2-entries", "A2-entries", "dZ2-entries")
"""The article's five equations."""


@drawn
def test_example_pictures_are_what_is_drawn(golden: Golden) -> None:
    derivation, _ = article()
    blocks = list(document(derivation).blocks)
    expanded = {d.name: d for d in _displays(document(derivation, expand=True).blocks)}
    pictures = svgs(Document("", (*blocks, *(expanded[name] for name in ARTICLE if name != "J"))))
    assert len(pictures) == 18
    for name, picture in pictures.items():
        golden(EXAMPLES / "article-svg" / name, picture)


@drawn
def test_picture_of_the_readme_is_the_network(golden: Golden) -> None:
    figure = diagram(article()[0])
    assert isinstance(figure, Figure)
    # A colour that can be read on a light and on a dark page.
    golden(Path("docs/network.svg"), figure_svg(figure).replace("<svg ", '<svg color="#6e7f96" ', 1))


# --- the pages among themselves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, Path("CONTRIBUTING.md"), Path("CHANGELOG.md")], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", (REPO / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (REPO / page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_option_is_used_in_an_example(command: str) -> None:
    text = "\n".join((REPO / page).read_text(encoding="utf-8") for page in PAGES)
    examples = [line for line in text.splitlines() if line.startswith(f"$ backproof {command} ")]
    for option in cli.commands[command].params:
        if isinstance(option, click.Option):
            assert any(name in shlex.split(line) for line in examples for name in option.opts), option.opts


def test_every_function_is_named() -> None:
    text = (REPO / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in (*ACTIVATIONS, *LOSSES, *ALIASES, *FUNCTIONS, *CONSTANTS):
        assert f"`{name}`" in text or f"`{name}(" in text, name


def test_contributing_names_every_target() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):.*##", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets
    assert targets - {"help", "clean"} <= named
