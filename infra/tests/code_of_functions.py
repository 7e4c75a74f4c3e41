"""What the Rust code says of itself: the paths of its routers, the variables that it reads, and the tables that it makes."""

import re
from functools import cache

from translated import ROOT

ROUTE = re.compile(r'\.route\(\s*("[^"]+"|[A-Za-z_:]+)\s*,')
CONSTANT = re.compile(r'const ([A-Z_]+): &(?:\'static )?str = "([^"]+)"')
VARIABLE = re.compile(r'"(IDENTETY_[A-Z_]+)"')
FUNCTION = re.compile(r"^\s*(?:pub(?:\([a-z]+\))? )?(?:async )?fn ([a-z_0-9]+)", re.MULTILINE)


def sources(folder):
    """The text of each Rust file below a folder, without its tests."""
    files = sorted((ROOT / folder).rglob("*.rs"))
    texts = {path: path.read_text().split("#[cfg(test)]\nmod tests {")[0] for path in files}
    return {path: text for path, text in texts.items() if path.name not in ("tests.rs", "testing.rs")}


@cache
def paths(package):
    """The paths that the function's router answers, as API Gateway writes them."""
    own = sources(f"functions/{package}/src")
    constants = {}
    for text in [*sources("shared/domain/src").values(), *own.values()]:
        constants |= dict(CONSTANT.findall(text))
    found = set()
    for text in own.values():
        for path in ROUTE.findall(text):
            literal = path.strip('"') if path.startswith('"') else constants[path.split("::")[-1]]
            found.add(literal)
    return found


def shape(path):
    """A path with its variables as `{}`, and `{+}` for the rest of it."""
    path = re.sub(r"\{(\*[a-z_]+|[A-Za-z]+\+)\}", "{+}", path)
    return re.sub(r"\{[A-Za-z_]+\}", "{}", path)


def functions_of(text):
    """The functions of a file, with what is written in each."""
    starts = [(found.start(), found[1]) for found in FUNCTION.finditer(text)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return {name: text[start:end] for (start, name), end in zip(starts, ends)}


@cache
def variables(package):
    """The environment variables that the function `package` reads, by itself or by what it calls in shared/.

    What it calls is what it names: `module::function(`, or in the same file `function(`.
    """
    shared = {}
    for crate in ("http", "dynamodb", "keys"):
        for path, text in sources(f"shared/{crate}/src").items():
            for name, body in functions_of(text).items():
                shared[path.stem, name] = body
    found, asked = set(), set()
    waiting = [(None, text) for text in sources(f"functions/{package}/src").values()]
    while waiting:
        module, text = waiting.pop()
        found.update(VARIABLE.findall(text))
        for target, body in shared.items():
            stem, name = target
            near = rf"(?<![\w.:]){name}\(" if stem == module else None
            named = re.search(rf"\b{stem}::{name}\b", text) or (near and re.search(near, text))
            if named and target not in asked:
                asked.add(target)
                waiting.append((stem, body))
    return found


@cache
def schema():
    """The functions of the code that makes tables, with what is written in each, and the constants that they use."""
    folder = ROOT / "shared/dynamodb/src"
    constants = dict(CONSTANT.findall((folder / "attributes.rs").read_text()))
    return functions_of((folder / "schema.rs").read_text()), constants


def reached(name):
    """What is written in a function of that code, and in those that it calls."""
    functions, _ = schema()
    body = functions[name]
    called = [other for other in functions if other != name and re.search(rf"\b{other}\(", body)]
    return body + "".join(map(reached, called))


def made_by_code(table):
    """What the code makes a table of: attributes, keys, indexes."""
    _, constants = schema()
    text = reached(f"{table}_table")
    index = re.compile(r"GlobalSecondaryIndex::builder\(\)(.*?)\.build\(\)\?;", re.DOTALL)

    def keys(text):
        found = re.findall(r"key_schema\(key\(([A-Z]+), KeyType::([A-Za-z]+)\)", text)
        return [(constants[name], kind.upper()) for name, kind in found]

    return {
        "attributes": {constants[name]: "S" for name in re.findall(r"attribute_definitions\(string\(([A-Z]+)\)", text)},
        "keys": keys(index.sub("", text)),
        "indexes": {
            constants[re.search(r"index_name\(([A-Z]+)\)", one)[1]]: {
                "keys": keys(one),
                "projection": {"ProjectionType": projection_type(one)},
            }
            for one in index.findall(text)
        },
    }


def projection_type(text):
    """As CloudFormation writes what the code calls `KeysOnly`."""
    kind = re.search(r"ProjectionType::([A-Za-z]+)", text)[1]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper()


def times_to_live_by_code():
    """The attribute by which each table is cleaned up, where one is."""
    functions, constants = schema()
    tables = re.findall(r"enable_ttl\(dynamo, &tables\.([a-z]+)\)", functions["create_tables"])
    attribute = re.search(r"attribute_name\(([A-Z]+)\)", functions["enable_ttl"])[1]
    return {table: constants[attribute] for table in tables}
