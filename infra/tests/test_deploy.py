"""What is deployed with which answers. A program that stands in for SAM writes down what it is asked."""

import contextlib
import io
import json
import os
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path
from unittest import mock

from samcli.cli.types import CfnParameterOverridesType
from translated import ROOT, source

sys.path.insert(0, str(ROOT / "infra"))
import deploy

SAM = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit({code})
"""


class Deployment(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "bin").mkdir()
        tracked = (ROOT / "infra/samconfig.toml").read_text()
        (self.folder / "samconfig.toml").write_text(tracked)
        self.local = self.folder / "samconfig.local.toml"
        self.sam_ends_with(0)
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        patched = mock.patch.dict(os.environ, {"PATH": path})
        patched.start()
        self.addCleanup(patched.stop)

    def sam_ends_with(self, code):
        sam = self.folder / "bin/sam"
        sam.write_text(SAM.format(python=sys.executable, log=str(self.folder / "log"), code=code))
        sam.chmod(0o755)

    def asked(self, *given):
        """What SAM is asked to do, one list of arguments after another."""
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said):
            deploy.main(list(given), self.folder)
        return [json.loads(line) for line in log.read_text().splitlines()]

    def saved(self):
        """The saved parameters, as SAM reads them."""
        written = tomllib.loads(self.local.read_text())["default"]["deploy"]["parameters"]
        return CfnParameterOverridesType().convert((written["parameter_overrides"],), None, None)

    def answer(self, **parameters):
        """As SAM saves what somebody has answered."""
        answers = deploy.Saved(self.folder)
        answers.answers["region"] = "eu-central-1"
        answers.save(parameters)

    def refusal(self, *given):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            self.asked(*given)
        return said.getvalue()

    def test_the_first_deployment_builds_for_arm64_and_asks_everything(self):
        build, deploy_ = self.asked("deploy")
        self.assertEqual(
            build, ["build", "-t", "infra/template.yaml", "--parameter-overrides", "Architecture=arm64"]
        )
        self.assertEqual(deploy_, ["deploy", "--config-file", str(self.local), "--guided"])
        self.assertEqual(self.saved(), {"Architecture": "arm64"})
        self.assertIn("begin with the defaults", self.said.getvalue())
        self.answer(DomainName="id.example.com")
        self.asked("deploy")
        self.assertEqual(self.said.getvalue(), "")

    def test_answers_are_saved_where_git_does_not_look(self):
        before = (self.folder / "samconfig.toml").read_text()
        self.asked("deploy", "--architecture", "x86_64")
        self.assertEqual((self.folder / "samconfig.toml").read_text(), before)
        self.assertIn("/infra/samconfig.local.toml", (ROOT / ".gitignore").read_text().splitlines())

    def test_the_defaults_of_the_project_are_those_of_the_first_deployment(self):
        self.asked("deploy")
        ours = tomllib.loads((self.folder / "samconfig.toml").read_text())
        theirs = tomllib.loads(self.local.read_text())
        del theirs["default"]["deploy"]["parameters"]["parameter_overrides"]
        self.assertEqual(theirs, ours)

    def test_a_second_deployment_shows_the_saved_answers_and_names_no_parameter_that_would_hide_them(self):
        self.asked("deploy", "--architecture", "x86_64")
        answers = {"Architecture": "x86_64", "DomainName": "id.example.com", "DefaultAudience": 'a"b\\c', "AlarmEmail": ""}
        self.answer(**answers)
        for given in (["deploy"], ["upgrade"]):
            build, deploy_ = self.asked(*given)
            self.assertEqual(build[-1], "Architecture=x86_64")
            self.assertNotIn("--parameter-overrides", deploy_)
            self.assertEqual("--guided" in deploy_, given == ["deploy"])
            self.assertEqual(self.saved(), answers)

    def test_another_processor_is_saved_beside_the_other_answers(self):
        self.answer(Architecture="arm64", DomainName="id.example.com")
        build, _ = self.asked("upgrade", "--architecture", "x86_64")
        self.assertEqual(build[-1], "Architecture=x86_64")
        self.assertEqual(self.saved(), {"Architecture": "x86_64", "DomainName": "id.example.com"})

    def test_an_upgrade_changes_what_is_named_and_keeps_the_rest(self):
        self.answer(Architecture="arm64", DomainName="id.example.com", Generation="1")
        self.asked("upgrade", "SelfRegistration=true", "DefaultAudience=https://a.example.com/?b=c")
        self.assertEqual(
            self.saved(),
            {
                "Architecture": "arm64",
                "DomainName": "id.example.com",
                "Generation": "1",
                "SelfRegistration": "true",
                "DefaultAudience": "https://a.example.com/?b=c",
            },
        )

    def test_an_upgrade_from_another_machine_leaves_to_the_stack_what_it_does_not_know(self):
        # SAM keeps the stack's value of each parameter that is not named.
        self.asked("upgrade")
        self.assertEqual(self.saved(), {"Architecture": "arm64"})

    def test_to_build_saves_nothing(self):
        self.assertEqual(self.asked("build", "--architecture", "x86_64")[0][-1], "Architecture=x86_64")
        self.assertFalse(self.local.exists())

    def test_what_does_not_build_is_not_deployed(self):
        self.sam_ends_with(3)
        with self.assertRaises(SystemExit) as ended:
            self.asked("deploy")
        self.assertEqual(ended.exception.code, 3)
        self.assertEqual(len((self.folder / "log").read_text().splitlines()), 1)

    def test_a_parameter_that_there_is_not_is_refused_for_sam_would_pass_over_it(self):
        self.assertIn("Generatoin=2 is not", self.refusal("upgrade", "Generatoin=2"))
        self.assertIn("Generation is not", self.refusal("upgrade", "Generation"))
        self.assertIn("say --architecture", self.refusal("upgrade", "Architecture=x86_64"))
        self.assertIn("deploy asks", self.refusal("deploy", "Generation=2"))
        self.assertFalse(self.local.exists())

    def test_every_parameter_of_the_template_is_known(self):
        known = deploy.known_parameters((ROOT / "infra/template.yaml").read_text())
        self.assertEqual(known, set(source()["Parameters"]))


if __name__ == "__main__":
    unittest.main()
