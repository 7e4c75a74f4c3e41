#!/usr/bin/env python3
"""Builds the functions and deploys the stack, with the answers that were given before.

    infra/deploy.py build   [--architecture A]
    infra/deploy.py deploy  [--architecture A]                  asks every question of the SAM CLI
    infra/deploy.py upgrade [--architecture A] [NAME=VALUE …]   asks only whether to go on

The answers are in infra/samconfig.local.toml, which Git does not know: the first deployment makes it of infra/samconfig.toml,
and SAM saves into it. `deploy` shows what is saved as what Enter means, and `upgrade` takes it; parameters that are in neither
keep the value that the stack has. NAME=VALUE is saved too. What is built is for the processor that is saved, or for A, which
is saved then; arm64 without either.

Needs the programs of tests/requirements.txt on PATH, as `make build`, `make deploy` and `make upgrade` have them.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import tomlkit

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "infra/template.yaml"
ARCHITECTURES = ("arm64", "x86_64")
# As SAM reads and writes parameters: A="b c" D=e
OVERRIDE = re.compile(r"""(\w+)=("(?:\\.|[^"\\])*"|\S+)""")


def quoted(value):
    return '"{}"'.format(value.replace('"', r"\""))


def unquoted(value):
    return (value[1:-1] if value.startswith('"') else value).replace(r"\"", '"')


class Saved:
    """The saved answers."""

    def __init__(self, folder):
        self.path = folder / "samconfig.local.toml"
        source = self.path if self.path.exists() else folder / "samconfig.toml"
        self.document = tomlkit.parse(source.read_text())

    @property
    def answers(self):
        return self.document["default"]["deploy"]["parameters"]

    def parameters(self):
        """The parameters, by name."""
        written = self.answers.get("parameter_overrides", "")
        if isinstance(written, list):
            written = " ".join(written)
        return {name: unquoted(value) for name, value in OVERRIDE.findall(written)}

    def save(self, parameters):
        """Adds these to the parameters, and writes all down."""
        written = [f"{name}={quoted(value)}" for name, value in (self.parameters() | parameters).items()]
        self.answers["parameter_overrides"] = " ".join(written)
        self.path.write_text(tomlkit.dumps(self.document))


def known_parameters(template):
    """The names of the parameters of the template. SAM would pass over a name that is none."""
    section = re.search(r"^Parameters:\n(.*?)^\w", template, re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(r"^  (\w+):", section, re.MULTILINE))


def arguments(given):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["build", "deploy", "upgrade"])
    parser.add_argument("--architecture", choices=ARCHITECTURES)
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    given = parser.parse_args(given)
    if given.parameters and given.command != "upgrade":
        parser.error("NAME=VALUE is for upgrade; deploy asks")
    known = known_parameters((ROOT / TEMPLATE).read_text())
    for word in given.parameters:
        name, is_one, _ = word.partition("=")
        if not is_one or name not in known:
            parser.error(f"{word} is not NAME=VALUE of a parameter of the template")
        if name == "Architecture":
            parser.error("say --architecture, for what is built")
    return given


def commands(given, saved):
    """What SAM is asked to do."""
    architecture = given.architecture or saved.parameters().get("Architecture", ARCHITECTURES[0])
    build = ["sam", "build", "-t", TEMPLATE, "--parameter-overrides", f"Architecture={architecture}"]
    if given.command == "build":
        return [build]
    named = dict(word.split("=", 1) for word in given.parameters)
    saved.save({"Architecture": architecture} | named)
    # No parameter is named on the command line: those would be taken instead of all that are saved. The whole path, since
    # SAM looks for another one beside the template.
    deploy = ["sam", "deploy", "--config-file", str(saved.path)]
    return [build, [*deploy, "--guided"] if given.command == "deploy" else deploy]


def main(given=None, folder=ROOT / "infra"):
    given, saved = arguments(given), Saved(folder)
    # SAM saves the region with the answers.
    if given.command == "deploy" and "region" not in saved.answers:
        print(
            "No answers are saved here, so the questions begin with the defaults. For a stack that is there already, stop"
            " this and say `make upgrade`: it keeps what the stack has.",
            flush=True,
        )
    for command in commands(given, saved):
        done = subprocess.run(command, cwd=ROOT)
        if done.returncode != 0:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
