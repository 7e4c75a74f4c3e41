#!/usr/bin/env python3
"""Proves that the arrows between the files of each crate go one way.

    infra/modules.py [CRATE...]

A node is a file. An arrow goes from a file that names something to the file that defines it: a re-export is followed to the
definition behind it, and is no arrow by itself where a module re-exports what its own children define. Tests are left out.

The script refuses two things: a circle of arrows, and in a crate with layers an arrow from a lower layer to a higher one.
It reads Rust by its tokens, without the compiler: what a macro defines counts as the file of the module that should have it.
"""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The functions and the program are left out: their roots are routers, which name the endpoints, which name the router's state.
CRATES = ["shared/domain", "shared/http", "shared/dynamodb", "shared/keys"]

# The layers of a crate, from the bottom to the top: the modules directly below its root. A module that no layer names belongs
# to the top. The root itself, which re-exports, belongs to none.
LAYERS = {"shared/domain": ["values", "models", "stores"]}
TOP = "use cases"

# Modules that only tests use.
TEST_MODULES = {"tests", "testing"}

TOKEN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*)
  | (?P<comment>/\*)
  | (?P<raw>(?:b|c)?r(?P<hashes>\#*)")
  | (?P<str>(?:b|c)?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:[^'\\]|\\(?:u\{[^}]*\}|x..|.))')
  | (?P<lifetime>'[A-Za-z_]\w*)
  | (?P<id>(?:r\#)?[^\W\d]\w*)
  | (?P<number>\d\w*)
  | (?P<op>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
OPEN, CLOSE = {"(", "[", "{"}, {")", "]", "}"}
MODIFIERS = {"pub", "async", "unsafe", "default", "safe", "auto"}
DEFINES = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}


@dataclass
class Token:
    kind: str
    text: str
    line: int


@dataclass
class Import:
    """One leaf of a `use`."""

    path: list
    name: str | None  # None for a glob
    public: bool
    line: int


@dataclass
class Module:
    file: Path
    path: tuple
    parent: "Module | None" = None
    children: dict = field(default_factory=dict)
    defined: set = field(default_factory=set)
    imports: list = field(default_factory=list)
    code: list = field(default_factory=list)

    def root(self):
        return self if self.parent is None else self.parent.root()

    def everything(self):
        yield self
        for child in self.children.values():
            yield from child.everything()


@dataclass(frozen=True, order=True)
class Arrow:
    source: Path
    target: Path
    name: str
    line: int


def tokens(text):
    """The tokens of a source, without comments."""
    found, at, line = [], 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        kind, end = match.lastgroup if match.lastgroup != "hashes" else "raw", match.end()
        if kind == "comment":
            end = end_of_comment(text, end)
        elif kind == "raw":
            close = text.find('"' + match["hashes"], end)
            end = len(text) if close < 0 else close + 1 + len(match["hashes"])
        if kind not in {"skip", "comment"}:
            found.append(Token("str" if kind == "raw" else kind, text[at:end].removeprefix("r#"), line))
        line += text.count("\n", at, end)
        at = end
    return found


def end_of_comment(text, at):
    depth = 1
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(text)


def closing(items, at):
    """The index behind the bracket that closes the one at this index."""
    depth = 0
    while at < len(items):
        depth += (items[at].text in OPEN) - (items[at].text in CLOSE) if items[at].kind == "op" else 0
        at += 1
        if depth == 0:
            break
    return at


def text_at(items, at):
    return items[at].text if at < len(items) else ""


class Reader:
    """Reads the tokens of a module into its parts: children, definitions, imports, and the rest as code."""

    def __init__(self, module, items, directory):
        self.module, self.items, self.directory = module, items, directory
        self.at = 0

    def read(self):
        while self.at < len(self.items):
            start, test = self.at, self.attributes()
            keyword = self.keyword()
            if test:
                self.at = self.end_of_item()
            elif keyword == "mod":
                self.child()
            else:
                self.item(start, keyword)
        self.module.imports += local_imports(self.module.code)

    def attributes(self):
        """Passes over the attributes; whether one of them says that what follows is for tests."""
        test = False
        while text_at(self.items, self.at) == "#":
            opening = self.at + 1 + (text_at(self.items, self.at + 1) == "!")
            end = closing(self.items, opening)
            inside = "".join(token.text for token in self.items[opening:end])
            test = test or re.match(r"\[cfg\((all\()?test\b", inside) is not None
            self.module.code += self.items[self.at : end]
            self.at = end
        return test

    def keyword(self):
        """Passes over the visibility and the modifiers; the word that says which kind of item this is."""
        while (word := text_at(self.items, self.at)) in MODIFIERS:
            self.at += 1
            if word == "pub" and text_at(self.items, self.at) == "(":
                self.at = closing(self.items, self.at)
        following = text_at(self.items, self.at + 1)
        if word == "const" and following in {"fn", "unsafe", "async", "extern"}:
            self.at += 1
            return self.keyword()
        if word == "extern" and following != "crate":
            self.at += 1 + (self.at + 1 < len(self.items) and self.items[self.at + 1].kind == "str")
            return self.keyword()
        return word

    def end_of_item(self):
        """The index behind the item: behind its semicolon, or behind the block that ends it."""
        at, word = self.at, text_at(self.items, self.at)
        until_semicolon = word in {"use", "const", "static", "type"}
        while at < len(self.items):
            text = self.items[at].text if self.items[at].kind == "op" else ""
            if text == ";":
                return at + 1
            if text in OPEN:
                at = closing(self.items, at)
                if text == "{" and not until_semicolon:
                    return at
            else:
                at += 1
        return at

    def child(self):
        name, end = text_at(self.items, self.at + 1), self.end_of_item()
        body = self.items[self.at + 3 : end - 1] if text_at(self.items, self.at + 2) == "{" else None
        self.at = end
        if name in TEST_MODULES:
            return
        path, below = (*self.module.path, name), self.directory / name
        if body is None:
            self.module.children[name] = read_file(file_of(below), path, self.module, below)
        else:
            self.module.children[name] = child = Module(self.module.file, path, self.module)
            Reader(child, body, below).read()

    def item(self, start, keyword):
        end = self.end_of_item()
        if keyword == "use":
            public = any(token.text == "pub" for token in self.items[start : self.at])
            self.module.imports += leaves(self.items[self.at + 1 : end - 1], public)
        else:
            if keyword in DEFINES:
                named = self.at + 1 + (text_at(self.items, self.at + 1) == "mut")
                self.module.defined.add(text_at(self.items, named))
            elif keyword == "macro_rules":
                self.module.defined.add(text_at(self.items, self.at + 2))
            self.module.code += self.items[self.at : end]
        self.at = max(end, self.at + 1)


def file_of(below):
    """The file of a module that is declared with a semicolon."""
    for file in (below.with_name(f"{below.name}.rs"), below / "mod.rs"):
        if file.is_file():
            return file
    raise SystemExit(f"modules: {below} has no file")


def read_file(file, path, parent, directory):
    module = Module(file, path, parent)
    Reader(module, tokens(file.read_text()), directory).read()
    return module


def leaves(items, public):
    """The leaves of the tree of a `use`."""
    found = []

    def tree(at, prefix):
        path, line = list(prefix), items[at].line
        while at < len(items):
            token = items[at]
            if token.text == "{":
                at += 1
                while text_at(items, at) != "}":
                    at = tree(at, path)
                    at += text_at(items, at) == ","
                return at + 1
            if token.text == "*":
                found.append(Import(path, None, public, line))
                return at + 1
            if token.text == "::":
                # Only a path to another crate begins with two colons.
                path = path or [""]
            else:
                path = path if token.text == "self" and path else [*path, token.text]
            at += 1
            if text_at(items, at) in {",", "}", "as", ""} and token.text != "::":
                break
        name = path[-1]
        if text_at(items, at) == "as":
            name, at = text_at(items, at + 1), at + 2
        found.append(Import(path, name, public, line))
        return at

    if items:
        tree(0, [])
    return found


def local_imports(code):
    """The imports inside functions; they leave the code."""
    at = 0
    while at < len(code):
        if code[at].kind == "id" and code[at].text == "use":
            end = next((i for i in range(at, len(code)) if code[i].text == ";"), len(code))
            yield from leaves(code[at + 1 : end], False)
            del code[at : end + 1]
        else:
            at += 1


class Resolver:
    """Follows paths to the modules and files that they name."""

    def named(self, module, name, seen=frozenset()):
        """All that a name means in a module: modules, and files that define it."""
        if (module.path, name) in seen:
            return set()
        seen = seen | {(module.path, name)}
        found = {Named(module=module.children[name])} if name in module.children else set()
        if name in module.defined:
            found.add(Named(file=module.file))
        for leaf in module.imports:
            if leaf.name == name:
                found |= self.path(module, leaf.path, seen)
        if not found:
            for leaf in module.imports:
                if leaf.name is None:
                    for target in self.path(module, leaf.path, seen):
                        if target.module is not None:
                            found |= self.named(target.module, name, seen)
        return found

    def path(self, module, path, seen=frozenset()):
        """All that a path means in a module; nothing for a path to another crate."""
        at, rest = self.start(module, path)
        if at is None:
            found, rest = (self.named(module, rest[0], seen), rest[1:]) if rest else (set(), [])
        else:
            found = {Named(module=at)}
        for index, name in enumerate(rest):
            modules = [target.module for target in found if target.module is not None]
            if not modules:
                break
            following = set()
            for inside in modules:
                following |= self.named(inside, name, seen) or {Named(file=inside.file)}
            # A name of a module and of a function at once: a longer path goes through the module.
            through = {target for target in following if target.module is not None}
            found = through if through and index + 1 < len(rest) else following
        return found

    @staticmethod
    def start(module, path):
        """The module in which a path begins, if its first word says it; and the rest of the path."""
        at, rest = None, list(path)
        if rest and rest[0] == "crate":
            return module.root(), rest[1:]
        if rest and rest[0] == "self":
            at, rest = module, rest[1:]
        while rest and rest[0] == "super":
            at, rest = (at or module).parent or module, rest[1:]
        return at, rest


@dataclass(frozen=True)
class Named:
    """What a path names: a module, or something that a file defines."""

    module: Module | None = None
    file: Path | None = None

    def where(self):
        return self.module.file if self.file is None else self.file

    def __hash__(self):
        return hash((self.module and self.module.path, self.file))

    def __eq__(self, other):
        return self.module is other.module and self.file == other.file


class Arrows:
    """The arrows that start in one module."""

    def __init__(self, module, resolver):
        self.module, self.resolver = module, resolver
        self.found = set()

    def all(self):
        uses = list(used_paths(self.module.code))
        heads = {path[0] for path, _, _ in uses}
        for leaf in self.module.imports:
            if leaf.name is not None and not self.offered(leaf):
                self.imported(leaf, heads)
        for path, line, bare in uses:
            self.used(path, line, bare)
        return self.found

    def offered(self, leaf):
        """Whether the import is a re-export of what the module's own children define."""
        targets = self.resolver.path(self.module, leaf.path)
        return leaf.public and all(self.below(target) for target in targets)

    def below(self, target):
        files = {inner.file for inner in self.module.everything()}
        return target.where() in files

    def imported(self, leaf, heads):
        targets = self.resolver.path(self.module, leaf.path)
        items = {target for target in targets if target.module is None}
        # What counts of an imported module is what is used through it.
        through = leaf.name in heads and not items and not leaf.public
        for target in items or (set() if through else targets):
            self.add(target, leaf.path, leaf.line)

    def used(self, path, line, bare):
        if len(path) == 1 and (bare or path[0] in {"crate", "self", "super"}):
            targets = self.in_scope(path[0]) if path[0] not in {"crate", "self", "super"} else set()
            targets = {target for target in targets if target.module is None}
        elif self.resolver.start(self.module, path)[0] is not None or self.in_scope(path[0]):
            targets = self.resolver.path(self.module, path)
        else:
            targets = set()
        for target in targets:
            self.add(target, path, line)

    def in_scope(self, name):
        """What a first word means that no import has counted yet: a child, a module, a re-export, a name through a glob."""
        if name in self.module.defined:
            return set()
        return self.resolver.named(self.module, name)

    def add(self, target, path, line):
        if target.where() != self.module.file:
            self.found.add(Arrow(self.module.file, target.where(), "::".join(path), line))


def used_paths(code):
    """The paths in code: their words, their line, and whether it is a bare name that may mean something local."""
    bound, behind_attribute = bindings(code), 0
    for at, token in enumerate(code):
        if token.text == "#" and text_at(code, at + 1) == "[":
            behind_attribute = closing(code, at + 1)
        if token.kind == "str":
            # An attribute names functions in strings.
            if at < behind_attribute and re.fullmatch(r'"(crate|super|self)(::\w+)+"', token.text):
                yield token.text.strip('"').split("::"), token.line, False
            continue
        before = text_at(code, at - 1) if at else ""
        if token.kind != "id" or before in {"::", "."} or before in DEFINES:
            continue
        path, end = [token.text], at + 1
        while text_at(code, end) == "::" and end + 1 < len(code) and code[end + 1].kind == "id":
            path.append(code[end + 1].text)
            end += 2
        if len(path) > 1:
            yield path, token.line, False
        elif text_at(code, end) != ":" and (token.text not in bound or text_at(code, end) == "::"):
            yield path, token.line, True


def bindings(code):
    """The names that are variables, parameters or members somewhere in the code."""
    found = set()
    for at, token in enumerate(code):
        before, after = text_at(code, at - 1) if at else "", text_at(code, at + 1)
        if token.kind == "id" and token.text.islower():
            if before in {"let", "mut", "ref", "for"} or after in {":", "|", "@"} or before == "|":
                found.add(token.text)
    return found


def arrows_of(root):
    """The arrows between the files below a crate's root file."""
    module = read_file(root, (), None, root.parent)
    resolver, found = Resolver(), set()
    for inner in module.everything():
        found |= Arrows(inner, resolver).all()
    return found


def circles(arrows):
    """The groups of files in which each can be reached from each other (Tarjan)."""
    graph = defaultdict(set)
    for arrow in arrows:
        graph[arrow.source].add(arrow.target)
    index, low, stack, groups = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for following in sorted(graph[node]):
            if following not in index:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], index[following])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return groups


def layer(file, top, layers):
    """The height of a file's layer; None for the root."""
    name = file.relative_to(top).parts[0].removesuffix(".rs")
    if name in {"lib", "main"}:
        return None
    return layers.index(name) if name in layers else len(layers)


def short(path):
    """The word of a path that a reader looks for: the first type or constant, or else the last word."""
    words = path.split("::")
    return next((word for word in words if word[0].isupper()), words[-1])


def problems(crate, layers=()):
    """What is wrong with a crate, in words: a text for each circle and each arrow that goes up."""
    top, found, layers = crate / "src", set(), list(layers)
    for root in ("lib.rs", "main.rs"):
        if (top / root).is_file():
            found |= arrows_of(top / root)

    def told(arrows):
        first = min(arrows, key=lambda arrow: arrow.line)
        names = ", ".join(sorted({short(arrow.name) for arrow in arrows}))
        return f"{first.source.relative_to(crate)}:{first.line} -> {first.target.relative_to(crate)}: {names}"

    pairs = defaultdict(set)
    for arrow in found:
        pairs[arrow.source, arrow.target].add(arrow)
    said = []
    for group in circles(found):
        inside = [told(pairs[pair]) for pair in sorted(pairs) if set(pair) <= set(group)]
        said.append("\n  ".join([f"{crate.name}: a circle of {len(group)} files", *inside]))
    for source, target in sorted(pairs) if layers else []:
        low, high = layer(source, top, layers), layer(target, top, layers)
        if low is not None and high is not None and low < high:
            names = [*layers, TOP]
            said.append(f"{crate.name}: {names[low]} must not know {names[high]}: {told(pairs[source, target])}")
    return said


def main(asked):
    failed = False
    for pattern in asked or CRATES:
        crates = sorted(crate for crate in ROOT.glob(pattern) if (crate / "Cargo.toml").is_file())
        if not crates:
            sys.exit(f"modules: no crate at {pattern}")
        for crate in crates:
            for problem in problems(crate, LAYERS.get(str(crate.relative_to(ROOT)), ())):
                print(f"modules: {problem}", file=sys.stderr)
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
