"""What README and docs/operations.md tell people to do."""

import json
import re
import unittest

from deployments import deployment
from translated import ROOT, source

README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(text, kinds):
    return [content for kind, content in BLOCK.findall(text) if kind in kinds]


def policies():
    """The policies to copy, in their order."""
    return [json.loads(one) for one in blocks(OPERATIONS, ["json"]) if '"Statement"' in one]


def actions(policy):
    found = set()
    for statement in policy["Statement"]:
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found


class Commands(unittest.TestCase):
    def test_programs_of_the_virtual_environment_are_named_with_their_folder(self):
        for text in (README, OPERATIONS):
            for block in blocks(text, ["sh", "console"]):
                self.assertNotRegex(block, r"(?m)(^|[;&|] *|\$ )\s*(sam|cfn-lint|python3?) ")

    def test_parameters_that_are_set_are_parameters_of_the_template(self):
        named = re.findall(r"SET=\"?([^`\"#]+)", README + OPERATIONS)
        names = {word.split("=")[0] for one in named for word in one.split() if "=" in word}
        self.assertGreaterEqual(names, {"Generation", "Rollout"})
        self.assertLessEqual(names - {"NAME"}, set(source()["Parameters"]))

    def test_whatever_needs_an_account_is_marked_by_itself_or_with_its_chapter(self):
        for chapter in re.split(r"(?m)^## ", OPERATIONS):
            all_of_it = "☁ all of it" in chapter
            for block in blocks(chapter, ["sh"]):
                for command in block.replace("\\\n", " ").splitlines():
                    if re.search(r"(^|[ (;])aws |\bsam |make upgrade|--stack", command) and not all_of_it:
                        self.assertIn("☁", command)


class Policies(unittest.TestCase):
    """The rights that the commands need; those of a function that does the same are proven by tests/it/policies.rs."""

    def test_there_is_one_for_each_kind_of_work_and_each_allows_exact_actions(self):
        self.assertEqual(len(policies()), 4)
        for policy in policies():
            self.assertEqual(policy["Version"], "2012-10-17")
            for action in actions(policy):
                self.assertRegex(action, r"^[a-z]+:[A-Za-z]+$")

    def test_that_of_the_bootstrap_writes_clients_and_does_no_more(self):
        written = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
        self.assertEqual(actions(policies()[0]), {"cloudformation:DescribeStacks"} | written)

    def test_that_of_the_keys_command_is_that_of_the_rotation_which_does_the_same(self):
        role = deployment("as it comes").properties("KeyRotationRole")
        (own,) = role["Policies"]
        rotation = {one for one in actions(own["PolicyDocument"]) if not one.startswith("logs:")}
        self.assertEqual(actions(policies()[1]), rotation | {"cloudformation:DescribeStacks"})
        (kms,) = [one for one in policies()[1]["Statement"] if one["Action"] == "kms:Decrypt"]
        (theirs,) = [one for one in own["PolicyDocument"]["Statement"] if one["Action"] == "kms:Decrypt"]
        self.assertEqual(kms["Condition"], theirs["Condition"])


if __name__ == "__main__":
    unittest.main()
