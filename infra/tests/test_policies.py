"""Who may do what: exact actions on exact resources, and nobody what is another's to do.

That a policy has everything that the code calls, and nothing that it does not call, is proven where the code runs:
tests/it/policies.rs.
"""

import re
import unittest

from deployments import deployment, each_deployment, used
from test_storage import NAMES

ROLE = "AWS::IAM::Role"
EXACT_ACTION = re.compile(r"^[a-z0-9-]+:[A-Za-z]+$")
# The one question that has no exact resource: IAM takes "these alarms?" as a question about any.
ANY_ALARM = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:*"
EXACT_RESOURCE = re.compile(r"^\$\{[A-Za-z0-9.]+\}(/index/[a-z]+|:live)?$")
TRUSTED = {
    "TokenRole": "lambda.amazonaws.com",
    "AuthorizeRole": "lambda.amazonaws.com",
    "ClientAdminRole": "lambda.amazonaws.com",
    "KeyRotationRole": "lambda.amazonaws.com",
    "KeyRotationScheduleRole": "scheduler.amazonaws.com",
    "DeploymentRole": "codedeploy.amazonaws.com",
}
READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(one):
    """Each statement with the name of its role."""
    for name, role in one.of_type(ROLE).items():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def grants(one):
    """Each pair of an action and a resource, with the role and the statement that allows it.

    A table that is used in place of one of the stack's goes by that one's name.
    """
    own = {used(one, table)[1]: f"${{{table}.Arn}}" for table in NAMES}
    for role, statement in statements(one):
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                table, slash, index = resource.partition("/index/")
                yield role, action, own.get(table, table) + slash + index, statement


def leading_keys(statement):
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    return set(listed(condition.get("dynamodb:LeadingKeys", ["*"])))


class Statements(unittest.TestCase):
    @each_deployment
    def test_each_allows_exact_actions_on_exact_resources(self, one):
        for role, action, resource, statement in grants(one):
            where = f"{role}: {statement['Sid']}"
            self.assertEqual(statement["Effect"], "Allow", where)
            self.assertRegex(action, EXACT_ACTION, where)
            if action != "cloudwatch:DescribeAlarms":
                self.assertRegex(resource, EXACT_RESOURCE, where)
            else:
                self.assertEqual(resource, ANY_ALARM, where)
            self.assertFalse({"NotAction", "NotResource"} & set(statement), where)

    @each_deployment
    def test_each_has_a_name_that_says_why(self, one):
        names = [(role, statement["Sid"]) for role, statement in statements(one)]
        self.assertEqual(len(names), len(set(names)))

    @each_deployment
    def test_every_condition_is_one_of_those_that_the_tests_understand(self, one):
        known = {
            ("ForAllValues:StringLike", "dynamodb:LeadingKeys"),
            ("ForAllValues:StringEquals", "dynamodb:Attributes"),
            ("StringEquals", "kms:EncryptionContext:purpose"),
        }
        for _, statement in statements(one):
            for operator, keys in statement.get("Condition", {}).items():
                self.assertLessEqual({(operator, key) for key in keys}, known, statement["Sid"])


    def test_no_statement_reaches_a_table_of_the_stack_that_another_stands_in_for(self):
        reached = [resource for _, statement in statements(deployment("other tables")) for resource in listed(statement["Resource"])]
        for table in NAMES:
            self.assertFalse([resource for resource in reached if table in resource and "-restored" not in resource], table)


class Roles(unittest.TestCase):
    @each_deployment
    def test_each_is_trusted_to_one_service_and_has_no_policy_but_its_own(self, one):
        roles = one.of_type(ROLE)
        self.assertEqual(set(roles), set(TRUSTED))
        for name, role in roles.items():
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual(trust["Principal"], {"Service": TRUSTED[name]})
            self.assertEqual(trust["Action"], "sts:AssumeRole")
            self.assertNotIn("ManagedPolicyArns", role)
            self.assertEqual(len(role["Policies"]), 1)
            # With a name of its own it could not be made with CAPABILITY_IAM alone, nor twice in an account.
            self.assertNotIn("RoleName", role)

    @each_deployment
    def test_a_service_that_works_for_many_accounts_takes_the_role_for_this_one_alone(self, one):
        for name in ("KeyRotationScheduleRole", "DeploymentRole"):
            (trust,) = one.properties(name)["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual(trust["Condition"]["StringEquals"]["aws:SourceAccount"], "123456789012")

    @each_deployment
    def test_each_function_has_a_role_of_its_own_and_writes_to_its_log_alone(self, one):
        for name, function in one.functions().items():
            own = name.removesuffix("Function")
            self.assertEqual(function["Role"], f"${{{own}Role.Arn}}")
            logs = {(action, resource) for role, action, resource, _ in grants(one)
                    if role == f"{own}Role" and action.startswith("logs:")}
            group = f"${{{own}LogGroup.Arn}}"
            wanted = {("logs:CreateLogStream", group), ("logs:PutLogEvents", group)}
            self.assertEqual(logs, wanted)


class Reach(unittest.TestCase):
    """No role does what is another's to do."""

    def who(self, one, resource, actions=None):
        """The roles that may do something to the resource, other than these actions."""
        return {role for role, action, reached, _ in grants(one)
                if reached.startswith(resource) and action not in (actions or set())}

    @each_deployment
    def test_signing_keys_are_opened_by_those_who_sign_and_rotate_and_for_that_purpose_alone(self, one):
        self.assertEqual(self.who(one, "${SealingKey"), {"TokenRole", "KeyRotationRole"})
        for role, action, _, statement in grants(one):
            if action.startswith("kms:"):
                purpose = statement["Condition"]["StringEquals"]
                self.assertEqual(purpose, {"kms:EncryptionContext:purpose": "identety-signing-keys"})
                self.assertEqual(action == "kms:GenerateDataKey" and role != "TokenRole", False)

    @each_deployment
    def test_signing_keys_are_written_by_those_who_can_seal_them(self, one):
        self.assertEqual(self.who(one, "${KeysTable", READ), {"TokenRole", "KeyRotationRole"})

    @each_deployment
    def test_clients_are_written_by_the_administration_but_for_the_times_of_secrets(self, one):
        self.assertEqual(self.who(one, "${ClientsTable", READ), {"TokenRole", "ClientAdminRole"})
        for role, action, resource, statement in grants(one):
            if role == "TokenRole" and resource == "${ClientsTable.Arn}" and action not in READ:
                self.assertEqual(action, "dynamodb:UpdateItem")
                attributes = statement["Condition"]["ForAllValues:StringEquals"]
                self.assertEqual(attributes, {"dynamodb:Attributes": ["pk", "secrets"]})
                self.assertEqual(leading_keys(statement), {"CLIENT#*"})

    @each_deployment
    def test_the_administrators_key_is_read_by_the_administration_alone(self, one):
        for role, action, resource, statement in grants(one):
            if resource == "${ClientsTable.Arn}" and action in READ and role != "ClientAdminRole":
                self.assertEqual(leading_keys(statement), {"CLIENT#*"}, role)

    @each_deployment
    def test_users_are_made_by_the_administration_or_by_themselves_where_they_may(self, one):
        makers = {role for role, action, resource, _ in grants(one)
                  if resource == "${AccountsTable.Arn}" and action == "dynamodb:PutItem"}
        by_themselves = {"AuthorizeRole"} if one.parameters["SelfRegistration"] == "true" else set()
        self.assertEqual(makers, {"ClientAdminRole"} | by_themselves)

    @each_deployment
    def test_grants_are_made_in_the_front_channel_and_moved_on_in_the_back_channel(self, one):
        for role, action, resource, statement in grants(one):
            if resource == "${GrantsTable.Arn}" and "GRANT#*" in leading_keys(statement):
                allowed = {
                    "AuthorizeRole": {"dynamodb:GetItem", "dynamodb:PutItem"},
                    "TokenRole": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
                }
                self.assertIn(action, allowed.get(role, set()), role)

    @each_deployment
    def test_the_key_rotation_reaches_nothing_but_keys_and_its_log(self, one):
        reached = {resource for role, _, resource, _ in grants(one) if role == "KeyRotationRole"}
        self.assertEqual(
            reached, {"${KeysTable.Arn}", "${SealingKey.Arn}", "${KeyRotationLogGroup.Arn}"}
        )

    @each_deployment
    def test_nobody_deletes_or_scans_a_table_or_reaches_its_backups(self, one):
        actions = {action for _, action, _, _ in grants(one) if action.startswith("dynamodb:")}
        written = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
        self.assertLessEqual(actions, READ | written)

    @each_deployment
    def test_the_schedule_asks_the_alias_and_the_roll_out_moves_aliases(self, one):
        asked = {(action, resource) for role, action, resource, _ in grants(one)
                 if role == "KeyRotationScheduleRole"}
        self.assertEqual(asked, {("lambda:InvokeFunction", "${KeyRotationFunctionAliaslive}")})
        groups = one.of_type("AWS::CodeDeploy::DeploymentGroup")
        functions = {name.removesuffix("DeploymentGroup") for name in groups}
        moved = {resource for role, action, resource, _ in grants(one)
                 if role == "DeploymentRole" and action == "lambda:UpdateAlias"}
        arns = {f"${{{name}.Arn}}{end}" for name in functions for end in ("", ":live")}
        self.assertEqual(moved, arns)


if __name__ == "__main__":
    unittest.main()
