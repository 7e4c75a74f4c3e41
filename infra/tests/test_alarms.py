"""Alarms and the dashboard: what goes wrong is seen, and somebody is told."""

import json
import re
import unittest

from code_of_functions import sources
from deployments import deployment, each_deployment, used
from translated import source

ALARM = "AWS::CloudWatch::Alarm"
OWN = "Identety/id"
TABLES = ("ClientsTable", "AccountsTable", "KeysTable", "GrantsTable")
FUNCTIONS = ("TokenFunction", "AuthorizeFunction", "ClientAdminFunction", "KeyRotationFunction")
# When each alarm goes off: seconds of a period, what is made of them, the threshold, of how many periods how many, and what
# silence means. Where nothing was measured nothing was wrong: nobody called, nothing was throttled.
ABOVE = "GreaterThanThreshold"
QUIET, SILENT = "notBreaching", "breaching"
ONCE = (300, "Sum", ABOVE, 0, 1, 1, QUIET)
FEW = (300, "Sum", ABOVE, 10, 1, 1, QUIET)
# Each minute counts: a version is tried for five of them.
NEW = (60, "Sum", ABOVE, 0, 1, 1, QUIET)
GOES_OFF = {
    # Percent. One minute of few requests must not be enough.
    "ApiErrorsAlarm": (60, "Sum", ABOVE, 1, 3, 2, QUIET),
    # It ends a roll-out, so it must be quick.
    "FailuresAlarm": (60, "Sum", ABOVE, 1, 3, 2, QUIET),
    # Milliseconds. A single slow five minutes are a burst of cold starts.
    "ApiLatencyAlarm": (300, "p95", ABOVE, 1000, 3, 3, QUIET),
    "TokenErrorsAlarm": ONCE,
    "TokenThrottlesAlarm": ONCE,
    "AuthorizeErrorsAlarm": ONCE,
    "AuthorizeThrottlesAlarm": ONCE,
    "ClientAdminErrorsAlarm": ONCE,
    "ClientAdminThrottlesAlarm": ONCE,
    # An hour may fail: the next one does the same work.
    "KeyRotationErrorsAlarm": (3600, "Sum", ABOVE, 0, 2, 2, QUIET),
    "KeyRotationThrottlesAlarm": ONCE,
    "TokenVersionAlarm": NEW,
    "AuthorizeVersionAlarm": NEW,
    "ClientAdminVersionAlarm": NEW,
    # The functions try again, so a few pass unnoticed.
    "ClientsTableThrottlesAlarm": FEW,
    "AccountsTableThrottlesAlarm": FEW,
    "KeysTableThrottlesAlarm": FEW,
    "GrantsTableThrottlesAlarm": FEW,
    # Days beyond the period. It is measured once in an hour, so one hour and the next may be missed; more is a rotation that
    # does not run, which nothing else would tell.
    "KeyAgeAlarm": (3600, "Maximum", ABOVE, 7, 3, 3, SILENT),
    # One is an app with a defect.
    "RefreshReuseAlarm": (300, "Sum", ABOVE, 5, 1, 1, QUIET),
}
# A reference that the evaluation left in a text: a logical id, and perhaps an attribute.
REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?\}")


def measured(alarm):
    """Each metric of an alarm, as namespace, name and dimensions."""
    metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return [
        (
            one["Namespace"],
            one["MetricName"],
            {dimension["Name"]: dimension["Value"] for dimension in one.get("Dimensions", [])},
        )
        for one in metrics or [alarm]
    ]


def watched(one):
    """Each metric that an alarm watches, with the alarm; not those that look at one version."""
    for name, alarm in one.of_type(ALARM).items():
        if not name.endswith("VersionAlarm"):
            for namespace, metric, dimensions in measured(alarm):
                yield namespace, metric, dimensions, alarm


def goes_off(alarm):
    """When it does: a row of the table above."""
    sources = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    measures = {(one["Period"], one["Stat"]) for one in sources} or {
        (alarm["Period"], alarm.get("Statistic") or alarm["ExtendedStatistic"])
    }
    (measure,) = measures
    periods = alarm["EvaluationPeriods"]
    return (
        *measure,
        alarm["ComparisonOperator"],
        alarm["Threshold"],
        periods,
        alarm.get("DatapointsToAlarm", periods),
        alarm["TreatMissingData"],
    )


class Alarms(unittest.TestCase):
    @each_deployment
    def test_each_goes_off_when_it_should(self, one):
        found = {name: goes_off(alarm) for name, alarm in one.of_type(ALARM).items()}
        self.assertEqual(found, GOES_OFF)

    def found(self, one, namespace, metric, dimensions):
        """The one alarm that watches this."""
        alarms = [alarm for *what, alarm in watched(one) if what == [namespace, metric, dimensions]]
        self.assertEqual(len(alarms), 1, f"{namespace} {metric} {dimensions}")
        return alarms[0]

    def check_share(self, alarm, expression):
        """That an alarm sets what it counts against the requests of the API."""
        self.assertIn(("AWS/ApiGateway", "Count", {"ApiId": "${HttpApi}"}), measured(alarm))
        self.assertEqual(alarm["Metrics"][0]["Expression"], expression)

    @each_deployment
    def test_one_watches_the_share_of_5xx_answers(self, one):
        alarm = self.found(one, "AWS/ApiGateway", "5xx", {"ApiId": "${HttpApi}"})
        self.check_share(alarm, "100 * errors / requests")

    @each_deployment
    def test_one_watches_the_share_of_500_answers_alone(self, one):
        alarm = self.found(one, OWN, "Failures", {})
        self.check_share(alarm, "100 * failures / requests")

    @each_deployment
    def test_no_alarm_that_ends_a_roll_out_counts_what_strangers_can_cause(self, one):
        groups = one.of_type("AWS::CodeDeploy::DeploymentGroup").values()
        names = {alarm["Name"].strip("${}") for group in groups for alarm in group["AlarmConfiguration"].get("Alarms", [])}
        counted = {metric[:2] for name in names for metric in measured(one.properties(name))}
        # A busy server answers 503, and Lambda turns away whom it has no process for: enough requests do that.
        safe = {("AWS/Lambda", "Errors"), (OWN, "Failures"), ("AWS/ApiGateway", "Count")}
        self.assertEqual(counted, safe if names else set())

    @each_deployment
    def test_one_watches_the_latency_that_callers_see(self, one):
        alarm = self.found(one, "AWS/ApiGateway", "Latency", {"ApiId": "${HttpApi}"})
        self.assertEqual(alarm["ExtendedStatistic"], "p95")

    @each_deployment
    def test_two_watch_each_function_for_errors_and_throttles(self, one):
        for function in FUNCTIONS:
            for metric in ("Errors", "Throttles"):
                name = {"FunctionName": f"${{{function}}}"}
                self.assertEqual(self.found(one, "AWS/Lambda", metric, name)["Statistic"], "Sum")

    @each_deployment
    def test_one_watches_each_table_for_throttled_reads_and_writes(self, one):
        for table in TABLES:
            name = {"TableName": used(one, table)[0]}
            reads = self.found(one, "AWS/DynamoDB", "ReadThrottleEvents", name)
            self.assertEqual(self.found(one, "AWS/DynamoDB", "WriteThrottleEvents", name), reads)

    @each_deployment
    def test_one_watches_the_age_of_the_keys(self, one):
        alarm = self.found(one, OWN, "KeyAgeDays", {})
        days = one.parameters["KeyRotationDays"]
        self.assertEqual(alarm["Metrics"][0]["Expression"], f"age - {days}")

    @each_deployment
    def test_one_watches_for_refresh_tokens_that_come_twice(self, one):
        self.assertEqual(self.found(one, OWN, "RefreshReuse", {})["Period"], 300)

    @each_deployment
    def test_an_expression_names_metrics_of_its_own_alarm_and_has_one_result(self, one):
        for name, alarm in one.of_type(ALARM).items():
            metrics = alarm.get("Metrics", [])
            if metrics:
                ids = {metric["Id"] for metric in metrics}
                (result,) = [one for one in metrics if one.get("ReturnData", True)]
                used = set(re.findall(r"\b[a-z]+\b", result["Expression"]))
                self.assertEqual(used, ids - {result["Id"]}, name)

    @each_deployment
    def test_each_says_what_it_means(self, one):
        for name, alarm in one.of_type(ALARM).items():
            self.assertRegex(alarm["AlarmDescription"], r"^id: .*\.$", name)

    @each_deployment
    def test_each_tells_somebody_when_there_is_somebody_to_tell(self, one):
        topics = ["${AlarmTopic}"] if one.parameters["AlarmEmail"] else None
        for name, alarm in one.of_type(ALARM).items():
            # An alarm about a new version ends its roll-out, and CodeDeploy says so.
            wanted = None if name.endswith("VersionAlarm") else topics
            self.assertEqual(alarm.get("AlarmActions"), wanted, name)
            self.assertEqual(alarm.get("OKActions"), wanted, name)


class Messages(unittest.TestCase):
    @each_deployment
    def test_they_go_to_the_address_that_was_given(self, one):
        email = one.parameters["AlarmEmail"]
        topics = list(one.of_type("AWS::SNS::Topic").values())
        self.assertEqual(len(topics), 1 if email else 0)
        for topic in topics:
            self.assertEqual(topic["Subscription"], [{"Protocol": "email", "Endpoint": email}])

    def test_they_are_encrypted_with_a_key_that_alarms_may_use(self):
        one = deployment("alarms by e-mail")
        self.assertEqual(one.properties("AlarmTopic")["KmsMasterKeyId"], "${AlarmKey}")
        _, alarms = one.properties("AlarmKey")["KeyPolicy"]["Statement"]
        self.assertEqual(alarms["Principal"], {"Service": "cloudwatch.amazonaws.com"})
        self.assertEqual(alarms["Action"], ["kms:Decrypt", "kms:GenerateDataKey"])
        self.assertEqual(alarms["Condition"]["StringEquals"], {"aws:SourceAccount": "123456789012"})

    def test_they_come_from_alarms_of_this_stack_alone(self):
        one = deployment("alarms by e-mail")
        (statement,) = one.properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
        self.assertEqual(statement["Action"], "sns:Publish")
        self.assertEqual(
            statement["Condition"]["ArnLike"]["aws:SourceArn"],
            "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:id-*",
        )


class Dashboard(unittest.TestCase):
    def widgets(self, one):
        return json.loads(one.properties("Dashboard")["DashboardBody"])["widgets"]

    def metrics(self, one):
        """Each metric that the dashboard shows, as namespace, name and the one dimension by which it is searched."""
        for widget in self.widgets(one):
            for metric in widget["properties"].get("metrics", []):
                searched = isinstance(metric[0], dict) and re.match(
                    r"""SEARCH\('\{"([^"]+)",(\w+)\} MetricName="(\w+)"', '\w+', \d+\)$""",
                    metric[0]["expression"],
                )
                yield searched.group(1, 3, 2) if searched else (*metric[:2], None)

    @each_deployment
    def test_it_shows_what_there_is_to_see(self, one):
        shown = {(namespace, metric) for namespace, metric, _ in self.metrics(one)}
        own = (
            *("Tokens", "Refusals", "Failures", "Unavailable"),
            *("RefreshReuse", "StoreRetries", "ColdStarts", "KeyAgeDays"),
        )
        self.assertEqual({metric for namespace, metric in shown if namespace == OWN}, set(own))
        self.assertLessEqual(
            {
                ("AWS/ApiGateway", "Latency"),
                ("AWS/ApiGateway", "5xx"),
                ("AWS/Lambda", "Errors"),
                ("AWS/Lambda", "Throttles"),
                ("AWS/Lambda", "Duration"),
                ("AWS/DynamoDB", "ConsumedReadCapacityUnits"),
                ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"),
                ("AWS/DynamoDB", "ReadThrottleEvents"),
            },
            shown,
        )

    @each_deployment
    def test_every_metric_of_the_servers_own_is_one_that_its_code_writes(self, one):
        code = "".join([*sources("shared/http/src").values(), *sources("functions").values()])
        for namespace, metric, dimension in self.metrics(one):
            if namespace == OWN:
                self.assertIn(f'"{metric}"', code)
                self.assertIn(f'"{dimension or metric}"', code)
        for namespace, metric, dimensions, _ in watched(one):
            if namespace == OWN:
                self.assertIn(f'"{metric}"', code)
                self.assertEqual(dimensions, {})

    @each_deployment
    def test_it_shows_every_alarm_that_somebody_is_told_of(self, one):
        (alarms,) = [w["properties"]["alarms"] for w in self.widgets(one) if w["type"] == "alarm"]
        told = [name for name in one.of_type(ALARM) if not name.endswith("VersionAlarm")]
        self.assertCountEqual(alarms, [f"${{{name}.Arn}}" for name in told])

    @each_deployment
    def test_its_widgets_lie_beside_each_other_in_its_24_columns(self, one):
        taken = set()
        for widget in self.widgets(one):
            columns = range(widget["x"], widget["x"] + widget["width"])
            rows = range(widget["y"], widget["y"] + widget["height"])
            cells = {(column, row) for column in columns for row in rows}
            self.assertFalse(cells & taken, widget["properties"]["title"])
            self.assertLessEqual(columns.stop, 24)
            taken |= cells

    @each_deployment
    def test_each_metric_of_a_resource_is_of_one_in_this_region(self, one):
        for widget in self.widgets(one):
            if widget["type"] == "metric":
                self.assertEqual(widget["properties"]["region"], "eu-central-1")


class References(unittest.TestCase):
    @each_deployment
    def test_everything_that_is_referred_to_is_there(self, one):
        for where in (one.resources, one.outputs):
            for name, value in where.items():
                for referred in REFERENCE.findall(json.dumps(value)):
                    self.assertIn(referred, one.resources, name)

    def test_no_condition_is_idle(self):
        text = json.dumps({key: source()[key] for key in ("Globals", "Resources", "Outputs", "Conditions")})
        for name in source()["Conditions"]:
            self.assertGreater(text.count(f'"{name}"'), 1, name)


if __name__ == "__main__":
    unittest.main()
