"""A table is brought back under its own name, with all that the template says of it."""

import contextlib
import io
import itertools
import os
import re
import sys
import unittest
from datetime import UTC, datetime, timedelta
from unittest import mock

import boto3
from deployments import deployment
from moto import mock_aws
from test_documents import policies
from translated import REGION, ROOT

sys.path.insert(0, str(ROOT / "infra"))
from restore import Restoration, main

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "example",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": REGION,
}

NUMBERS = itertools.count(1)


def made(dynamodb, logical_id):
    """A table as the template has it."""
    declared = deployment("as it comes").properties(logical_id)
    (replica,) = declared["Replicas"]
    known = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    name = f"id-{logical_id}-{next(NUMBERS)}ABC"
    dynamodb.create_table(
        TableName=name,
        DeletionProtectionEnabled=replica["DeletionProtectionEnabled"],
        SSESpecification={"Enabled": True},
        **{key: declared[key] for key in known if key in declared},
    )
    dynamodb.update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification=replica["PointInTimeRecoverySpecification"],
    )
    if ttl := declared.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    # CloudFormation hands on the tags of the stack.
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "identity"}])
    return name


def settings(dynamodb, table):
    described = dynamodb.describe_table(TableName=table)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    tags = dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
    return {
        "keys": described["KeySchema"],
        "indexes": [index["KeySchema"] for index in described.get("GlobalSecondaryIndexes", [])],
        "protected": described["DeletionProtectionEnabled"],
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "ttl": dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"],
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


ITEM = {name: {"S": name} for name in ("pk", "sk", "listing", "id", "kept")}


def restored(*given):
    """What the program prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            main([*given, "--yes"], pause=lambda seconds: None)
        except KeyboardInterrupt:
            pass
    return printed.getvalue()


class Interruption:
    """Ctrl-C before the call of this number to DynamoDB, counted from the first one after a certain call."""

    def __init__(self, dynamodb, after, number):
        self.after, self.left, self.came = after, number, False
        dynamodb.meta.events.register("before-call.dynamodb", self.count)

    def count(self, model, **_):
        if self.after is None:
            self.left -= 1
            if self.left == 0:
                self.came = True
                raise KeyboardInterrupt
        elif model.name == self.after:
            self.after = None


@mock.patch.dict(os.environ, CREDENTIALS)
class Restored(unittest.TestCase):
    def setUp(self):
        aws = mock_aws()
        aws.start()
        self.addCleanup(aws.stop)
        self.moment = datetime.now(UTC)

    def filled(self, dynamodb, logical_id="ClientsTable"):
        table = made(dynamodb, logical_id)
        dynamodb.put_item(TableName=table, Item=ITEM)
        return table

    def test_each_table_has_its_name_its_items_and_its_settings_again(self):
        dynamodb = boto3.client("dynamodb")
        for logical_id in ("ClientsTable", "AccountsTable", "KeysTable", "GrantsTable"):
            with self.subTest(logical_id):
                table = self.filled(dynamodb, logical_id)
                before = settings(dynamodb, table)

                restoration = Restoration(dynamodb, table, pause=lambda seconds: None)
                restoration.restore_copy(self.moment)
                dynamodb.put_item(TableName=table, Item=ITEM | {"pk": {"S": "later"}})
                self.assertEqual((restoration.count(restoration.copy), restoration.count(table)), (1, 2))
                restoration.put_in_place(restoration.back_up_copy())

                self.assertEqual(settings(dynamodb, table), before)
                self.assertEqual(dynamodb.scan(TableName=table)["Items"], [ITEM])

    def test_a_restored_table_is_encrypted_and_paid_for_like_the_stacks(self):
        # moto does not heed it, so the requests are looked at.
        dynamodb, sent = boto3.client("dynamodb"), []
        for operation in ("RestoreTableToPointInTime", "RestoreTableFromBackup"):
            event = f"provide-client-params.dynamodb.{operation}"
            dynamodb.meta.events.register(event, lambda params, **_: sent.append(params))
        declared = deployment("as it comes").properties("ClientsTable")
        restoration = Restoration(dynamodb, made(dynamodb, "ClientsTable"))
        restoration.restore_copy(self.moment)
        restoration.put_in_place(restoration.back_up_copy())
        self.assertEqual(len(sent), 2)
        for params in sent:
            self.assertEqual(params["BillingModeOverride"], declared["BillingMode"])
            self.assertEqual(params["SSESpecificationOverride"]["Enabled"], declared["SSESpecification"]["SSEEnabled"])

    def test_a_table_stays_as_it_is_until_it_is_put_in_place(self):
        dynamodb = boto3.client("dynamodb")
        table = made(dynamodb, "ClientsTable")
        before = settings(dynamodb, table)
        restoration = Restoration(dynamodb, table)
        restoration.restore_copy(self.moment)
        restoration.back_up_copy()
        self.assertEqual(settings(dynamodb, table), before)
        self.assertIn(restoration.copy, dynamodb.list_tables()["TableNames"])

    def test_whenever_it_is_interrupted_after_the_backup_it_goes_on_with_what_it_has_printed(self):
        dynamodb = boto3.client("dynamodb")
        for number in range(1, 100):
            table = self.filled(dynamodb, "GrantsTable")
            before = settings(dynamodb, table)
            interruption = Interruption(dynamodb, "DescribeBackup", number)
            with mock.patch("boto3.client", return_value=dynamodb):
                printed = restored(table, self.moment.isoformat())
                if not interruption.came:
                    break
                self.assertIn("It is not done.", printed)
                (backup,) = set(re.findall(r"--resume (\S+)", printed))
                self.assertIn("Done.", restored("--resume", backup))
            self.assertEqual(settings(dynamodb, table), before, number)
            self.assertEqual(dynamodb.scan(TableName=table)["Items"], [ITEM], number)
        # There was nothing left to interrupt, and before that enough.
        self.assertIn(number, range(10, 50))

    def test_the_interruption_that_matters_leaves_no_table_and_is_one_of_those(self):
        dynamodb = boto3.client("dynamodb")
        table = self.filled(dynamodb)
        Interruption(dynamodb, "DeleteTable", 1)
        with mock.patch("boto3.client", return_value=dynamodb):
            printed = restored(table, self.moment.isoformat())
            self.assertNotIn(table, dynamodb.list_tables()["TableNames"])
            with self.assertRaisesRegex(SystemExit, "go on with --resume"):
                restored(table, self.moment.isoformat())
            restored("--resume", re.search(r"--resume (\S+)", printed)[1])
        self.assertEqual(dynamodb.scan(TableName=table)["Items"], [ITEM])

    def test_it_does_what_the_policy_to_copy_allows_and_no_more(self):
        dynamodb, calls = boto3.client("dynamodb"), set()
        dynamodb.meta.events.register(
            "before-call.dynamodb", lambda model, **_: calls.add(f"dynamodb:{model.name}")
        )
        # Of the tables, this one needs the most.
        table = self.filled(dynamodb, "GrantsTable")
        calls.clear()
        with mock.patch("boto3.client", return_value=dynamodb):
            restored(table, self.moment.isoformat())
        (statement,) = [
            one for policy in policies() for one in policy["Statement"] if one["Sid"] == "ReplaceTables"
        ]
        self.assertEqual(calls, set(statement["Action"]))

    def test_a_restoration_of_the_copy_that_was_begun_is_waited_for_but_none_of_another_moment(self):
        dynamodb = boto3.client("dynamodb")
        restoration = Restoration(dynamodb, self.filled(dynamodb))
        restoration.restore_copy(self.moment)
        # To moto, a copy is of the moment at which it was asked for.
        copy = dynamodb.describe_table(TableName=restoration.copy)["Table"]
        moment = copy["RestoreSummary"]["RestoreDateTime"]
        restoration.restore_copy(moment)
        with self.assertRaisesRegex(SystemExit, "of another moment"):
            restoration.restore_copy(moment - timedelta(seconds=1))

    def test_a_second_attempt_keeps_the_settings_that_the_first_has_seen(self):
        dynamodb = boto3.client("dynamodb")
        table = self.filled(dynamodb)
        before = settings(dynamodb, table)
        restoration = Restoration(dynamodb, table)
        restoration.restore_copy(self.moment)
        restoration.back_up_copy()
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        restoration.put_in_place(restoration.back_up_copy())
        self.assertEqual(settings(dynamodb, table), before)

    def test_a_table_whose_settings_nobody_knows_is_left_alone(self):
        dynamodb = boto3.client("dynamodb")
        table = self.filled(dynamodb)
        restoration = Restoration(dynamodb, table)
        restoration.restore_copy(self.moment)
        made = dynamodb.create_backup(TableName=restoration.copy, BackupName="by-hand")
        with self.assertRaisesRegex(SystemExit, "Nothing was changed"):
            restored("--resume", made["BackupDetails"]["BackupArn"])
        self.assertIn(table, dynamodb.list_tables()["TableNames"])

    def test_a_backup_of_another_table_is_refused(self):
        arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/id-ClientsTable-1ABC/backup/0123"
        with self.assertRaises(SystemExit):
            restored("--resume", arn)

    def test_recovery_is_enabled_as_soon_as_dynamodb_lets_it_be(self):
        dynamodb, refusals, pauses = boto3.client("dynamodb"), 3, []
        restoration = Restoration(dynamodb, self.filled(dynamodb), pause=pauses.append)
        error = {"Error": {"Code": "ContinuousBackupsUnavailableException"}}
        refused = dynamodb.exceptions.ContinuousBackupsUnavailableException(error, "")
        enable = dynamodb.update_continuous_backups
        effects = [refused] * refusals + [enable]
        with mock.patch.object(dynamodb, "update_continuous_backups", side_effect=effects):
            restoration.enable_recovery()
        self.assertEqual(len(pauses), refusals)

    def test_a_table_that_is_still_being_updated_is_waited_for_before_it_is_deleted(self):
        dynamodb, calls = boto3.client("dynamodb"), []
        table = self.filled(dynamodb)
        restoration = Restoration(dynamodb, table)
        restoration.restore_copy(self.moment)
        backup = restoration.back_up_copy()
        dynamodb.meta.events.register(
            "before-call.dynamodb", lambda model, **_: calls.append(model.name)
        )
        restoration.put_in_place(backup)
        update, delete = calls.index("UpdateTable"), calls.index("DeleteTable")
        self.assertIn("DescribeTable", calls[update:delete])


if __name__ == "__main__":
    unittest.main()
