"""The functions: their variables, their versions and how these follow each other, their logs and their schedule."""

import unittest

from code_of_functions import variables
from deployments import CERTIFICATE, OTHER_TABLES, changed, each_deployment
from translated import ROOT, Translated, refused, source

PACKAGES = {
    "TokenFunction": "token",
    "AuthorizeFunction": "authorize",
    "ClientAdminFunction": "client-admin",
    "KeyRotationFunction": "key-rotation",
}
# Read by no code: it makes a function another one, so that a version of it is made, and all processes replaced.
FOR_NOBODY = {"IDENTETY_GENERATION"}
# The ones that answer requests.
ANSWERING = [name for name in PACKAGES if name != "KeyRotationFunction"]


def versions(one):
    """The logical id of each function's version."""
    found = one.of_type("AWS::Lambda::Version")
    return {version["FunctionName"].strip("${}"): name for name, version in found.items()}


def version(one, function):
    """What makes a version another one: its logical id, which SAM makes of the template, or its description."""
    name = versions(one)[function]
    return name, one.properties(name)["Description"]


class Functions(unittest.TestCase):
    @each_deployment
    def test_they_are_the_packages_that_there_are(self, one):
        self.assertEqual(set(one.functions()), set(PACKAGES))
        folders = {path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")}
        self.assertEqual(folders, set(PACKAGES.values()))

    @each_deployment
    def test_each_has_the_variables_that_its_code_reads_and_no_other(self, one):
        for name, function in one.functions().items():
            given = set(function["Environment"]["Variables"])
            self.assertEqual(given - FOR_NOBODY, variables(PACKAGES[name]), name)

    @each_deployment
    def test_no_variable_is_a_secret(self, one):
        for function in one.functions().values():
            for name in function["Environment"]["Variables"]:
                self.assertNotRegex(name, "SECRET|PASSWORD|TOKEN|CREDENTIAL|API_KEY")

    @each_deployment
    def test_each_runs_on_the_chosen_processor_with_its_memory(self, one):
        given = one.parameters
        for name, function in one.functions().items():
            self.assertEqual(function["Architectures"], [given["Architecture"]])
            self.assertEqual(function["MemorySize"], given[name.replace("Function", "Memory")])
            self.assertEqual(function["Runtime"], "provided.al2023")
            self.assertLessEqual(function["Timeout"], 60)


class Versions(unittest.TestCase):
    @each_deployment
    def test_each_function_is_asked_by_its_alias(self, one):
        aliases = one.of_type("AWS::Lambda::Alias").values()
        found = {alias["FunctionName"].strip("${}"): alias for alias in aliases}
        self.assertEqual(set(found), set(PACKAGES))
        for name, alias in found.items():
            self.assertEqual(alias["Name"], "live")
            self.assertEqual(alias["FunctionVersion"], f"${{{versions(one)[name]}.Version}}")

    @each_deployment
    def test_a_new_version_is_tried_with_a_tenth_of_the_requests_and_ended_by_alarms(self, one):
        for name in ANSWERING:
            alias = one.resources[f"{name}Aliaslive"]
            update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
            group = one.properties(update["DeploymentGroupName"].strip("${}"))
            rollout = f"CodeDeployDefault.Lambda{one.parameters['Rollout']}"
            self.assertEqual(group["DeploymentConfigName"], rollout)
            self.assertEqual(group["ServiceRoleArn"], "${DeploymentRole.Arn}")
            alarms = group["AlarmConfiguration"]
            own = name.replace("Function", "VersionAlarm")
            names = [{"Name": "${FailuresAlarm}"}, {"Name": f"${{{own}}}"}]
            # What is rolled out at once may be there to end an alarm, so no alarm ends it.
            is_canary = one.parameters["Rollout"] != "AllAtOnce"
            self.assertEqual(alarms, {"Enabled": True, "Alarms": names} if is_canary else {})
            rollback = group["AutoRollbackConfiguration"]
            self.assertIs(rollback["Enabled"], True)
            self.assertIn("DEPLOYMENT_STOP_ON_ALARM", rollback["Events"])

    @each_deployment
    def test_the_alarm_that_ends_a_roll_out_looks_at_the_new_version(self, one):
        for name in ANSWERING:
            alarm = one.properties(name.replace("Function", "VersionAlarm"))
            dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
            self.assertEqual(
                dimensions,
                {
                    "FunctionName": f"${{{name}}}",
                    "Resource": f"${{{name}}}:live",
                    "ExecutedVersion": f"${{{versions(one)[name]}.Version}}",
                },
            )

    def test_a_parameter_that_changes_a_function_makes_a_new_version_and_no_other_does(self):
        # Where the function stays as it is, Lambda would refuse to make another version of it.
        for name in source()["Parameters"]:
            before, after = (Translated(given) for given in changed(name))
            for function in PACKAGES:
                with self.subTest(f"{name}: {function}"):
                    is_changed = before.properties(function) != after.properties(function)
                    self.assertEqual(version(before, function) != version(after, function), is_changed)

    def test_another_generation_makes_a_new_version_of_every_function(self):
        before, after = (Translated(given) for given in changed("Generation"))
        for function in PACKAGES:
            self.assertNotEqual(before.properties(function), after.properties(function))
            self.assertNotEqual(version(before, function), version(after, function))

    def test_a_description_has_room_for_the_longest_values(self):
        for who in ("DomainName", "Issuer"):
            given = {
                name: longest(name)
                for name in source()["Parameters"]
                if name not in {"DomainName", "Issuer", "HostedZoneId", "CertificateArn"} - {who}
            }
            if who == "DomainName":
                given["CertificateArn"] = CERTIFICATE
            self.assertEqual(refused(given), [])
            one = Translated(given)
            for function in PACKAGES:
                _, description = version(one, function)
                self.assertLessEqual(len(description), 256, f"{function} {who}")


def longest(name):
    """The value of this parameter that is written with the most characters."""
    declared = source()["Parameters"][name]
    if "AllowedValues" in declared:
        return max(declared["AllowedValues"], key=lambda value: len(str(value)))
    if declared["Type"] == "Number":
        return declared.get("MaxValue", declared["Default"])
    most = declared.get("MaxLength", 0)
    return {
        "DomainName": f"{(most - 4) * 'a'}.com",
        "Issuer": f"https://{(most - 8) * 'a'}",
        "DefaultAudience": most * "a",
        **OTHER_TABLES,
    }.get(name, declared["Default"])


class Logs(unittest.TestCase):
    @each_deployment
    def test_each_function_writes_to_a_group_of_its_own(self, one):
        groups = one.of_type("AWS::Logs::LogGroup")
        for name, function in one.functions().items():
            logging = function["LoggingConfig"]
            self.assertEqual(logging["LogFormat"], "JSON")
            group = groups[logging["LogGroup"].strip("${}")]
            self.assertEqual(group["LogGroupName"], f"/aws/lambda/id/{PACKAGES[name]}")

    @each_deployment
    def test_no_log_is_kept_longer_than_was_said(self, one):
        groups = one.of_type("AWS::Logs::LogGroup")
        self.assertEqual(len(groups), len(PACKAGES) + 1)
        for name, group in groups.items():
            self.assertEqual(group["RetentionInDays"], one.parameters["LogRetentionDays"], name)


class Schedule(unittest.TestCase):
    @each_deployment
    def test_the_keys_are_looked_after_every_hour(self, one):
        (schedule,) = one.of_type("AWS::Scheduler::Schedule").values()
        self.assertEqual(schedule["ScheduleExpression"], "rate(1 hour)")
        self.assertEqual(schedule.get("State", "ENABLED"), "ENABLED")
        target = schedule["Target"]
        self.assertEqual(target["Arn"], "${KeyRotationFunctionAliaslive}")
        self.assertEqual(target["RoleArn"], "${KeyRotationScheduleRole.Arn}")

    @each_deployment
    def test_what_fails_is_tried_again_but_not_beyond_the_next_hour(self, one):
        (schedule,) = one.of_type("AWS::Scheduler::Schedule").values()
        retries = schedule["Target"]["RetryPolicy"]
        (events,) = one.of_type("AWS::Lambda::EventInvokeConfig").values()
        self.assertEqual(events["Qualifier"], "live")
        for attempts in (retries, events):
            self.assertGreater(attempts["MaximumRetryAttempts"], 0)
            self.assertLess(attempts["MaximumEventAgeInSeconds"], 3600)


if __name__ == "__main__":
    unittest.main()
