"""A table is brought back under its own name, with all that the template says of it."""

import os
import sys
import unittest
from datetime import UTC, datetime
from unittest import mock

import boto3
from deployments import deployment
from moto import mock_aws
from translated import REGION, ROOT

sys.path.insert(0, str(ROOT / "infra"))
from restore import Restoration

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "example",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": REGION,
}


def made(dynamodb, logical_id):
    """A table as the template has it."""
    declared = deployment("as it comes").properties(logical_id)
    known = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    name = f"id-{logical_id}-1ABC"
    dynamodb.create_table(
        TableName=name,
        DeletionProtectionEnabled=declared["DeletionProtectionEnabled"],
        SSESpecification={"Enabled": True},
        **{key: declared[key] for key in known if key in declared},
    )
    dynamodb.update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification=declared["PointInTimeRecoverySpecification"],
    )
    if ttl := declared.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    return name


def settings(dynamodb, table):
    described = dynamodb.describe_table(TableName=table)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return {
        "keys": described["KeySchema"],
        "indexes": [index["KeySchema"] for index in described.get("GlobalSecondaryIndexes", [])],
        "protected": described["DeletionProtectionEnabled"],
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "ttl": dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"],
    }


@mock.patch.dict(os.environ, CREDENTIALS)
@mock_aws
class Restored(unittest.TestCase):
    def test_each_table_has_its_name_its_items_and_its_settings_again(self):
        dynamodb = boto3.client("dynamodb")
        for logical_id in ("ClientsTable", "AccountsTable", "KeysTable", "GrantsTable"):
            with self.subTest(logical_id):
                table = made(dynamodb, logical_id)
                item = {name: {"S": name} for name in ("pk", "sk", "listing", "id", "kept")}
                dynamodb.put_item(TableName=table, Item=item)
                before = settings(dynamodb, table)

                restoration = Restoration(dynamodb, table, pause=lambda seconds: None)
                restoration.restore_copy(datetime.now(UTC))
                dynamodb.put_item(TableName=table, Item=item | {"pk": {"S": "later"}})
                self.assertEqual((restoration.count(restoration.copy), restoration.count(table)), (1, 2))
                restoration.put_in_place()

                self.assertEqual(settings(dynamodb, table), before)
                self.assertEqual(dynamodb.scan(TableName=table)["Items"], [item])

    def test_a_restored_table_is_encrypted_and_paid_for_like_the_stacks(self):
        # moto does not heed it, so the requests are looked at.
        dynamodb, sent = boto3.client("dynamodb"), []
        for operation in ("RestoreTableToPointInTime", "RestoreTableFromBackup"):
            event = f"provide-client-params.dynamodb.{operation}"
            dynamodb.meta.events.register(event, lambda params, **_: sent.append(params))
        declared = deployment("as it comes").properties("ClientsTable")
        restoration = Restoration(dynamodb, made(dynamodb, "ClientsTable"))
        restoration.restore_copy(datetime.now(UTC))
        restoration.put_in_place()
        self.assertEqual(len(sent), 2)
        for params in sent:
            self.assertEqual(params["BillingModeOverride"], declared["BillingMode"])
            self.assertEqual(params["SSESpecificationOverride"]["Enabled"], declared["SSESpecification"]["SSEEnabled"])

    def test_a_table_stays_as_it_is_until_it_is_put_in_place(self):
        dynamodb = boto3.client("dynamodb")
        table = made(dynamodb, "ClientsTable")
        before = settings(dynamodb, table)
        restoration = Restoration(dynamodb, table)
        restoration.restore_copy(datetime.now(UTC))
        self.assertEqual(settings(dynamodb, table), before)
        self.assertIn(restoration.copy, dynamodb.list_tables()["TableNames"])


if __name__ == "__main__":
    unittest.main()
