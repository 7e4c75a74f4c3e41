#!/usr/bin/env python3
"""Brings a table of a deployed stack back to what it held at a moment of the last 35 days.

    .venv/bin/python infra/restore.py TABLE TIME [--yes]

TABLE is the table's name, from the stack's outputs; TIME is a time of ISO 8601 with its offset, for example
2026-11-25T08:00:00+01:00. Credentials and region are found as by any AWS program.

DynamoDB restores into a new table only, and the stack knows its tables by their names. So the table is restored under another
name first, TABLE-restored, where you can look at it. When you have said yes, the table itself is deleted and made again of a
backup of that copy, under its own name, with its own settings: the stack needs no change. In between, some minutes, the server
answers that it is unavailable. What was written after TIME is gone; for a single item that was deleted by mistake, say no, and copy
that item from TABLE-restored by hand.

Nothing here is lost for good: of a table that is deleted, DynamoDB keeps a system backup for 35 days.
"""

import argparse
import sys
import time
from datetime import datetime

import boto3

# What a restoration may change, and is told not to.
AS_IN_THE_STACK = {
    "BillingModeOverride": "PAY_PER_REQUEST",
    "SSESpecificationOverride": {"Enabled": True},
}


class Restoration:
    """The restoration of one table."""

    def __init__(self, dynamodb, table, pause=time.sleep):
        self.dynamodb, self.table, self.pause = dynamodb, table, pause
        self.copy = f"{table}-restored"
        self.settings = self.read_settings()

    def read_settings(self):
        """What a restoration does not bring back."""
        described = self.dynamodb.describe_table(TableName=self.table)["Table"]
        ttl = self.dynamodb.describe_time_to_live(TableName=self.table)["TimeToLiveDescription"]
        return {
            "protected": described.get("DeletionProtectionEnabled", False),
            "ttl": ttl.get("AttributeName"),
            "tags": self.dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"],
        }

    def restore_copy(self, moment):
        """Restores what the table held at the moment, under the other name."""
        self.dynamodb.restore_table_to_point_in_time(
            SourceTableName=self.table,
            TargetTableName=self.copy,
            RestoreDateTime=moment,
            **AS_IN_THE_STACK,
        )
        self.wait_for("table_exists", self.copy)

    def count(self, table):
        """How many items a table holds."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def put_in_place(self):
        """Makes the table anew of the copy, under its own name and with its own settings."""
        backup = self.back_up_copy()
        self.dynamodb.update_table(TableName=self.table, DeletionProtectionEnabled=False)
        self.dynamodb.delete_table(TableName=self.table)
        self.wait_for("table_not_exists", self.table)
        self.dynamodb.restore_table_from_backup(
            TargetTableName=self.table, BackupArn=backup, **AS_IN_THE_STACK
        )
        self.wait_for("table_exists", self.table)
        self.apply_settings()

    def back_up_copy(self):
        made = self.dynamodb.create_backup(TableName=self.copy, BackupName=self.copy)
        arn = made["BackupDetails"]["BackupArn"]
        while True:
            described = self.dynamodb.describe_backup(BackupArn=arn)["BackupDescription"]
            if described["BackupDetails"]["BackupStatus"] == "AVAILABLE":
                return arn
            self.pause(5)

    def apply_settings(self):
        self.dynamodb.update_continuous_backups(
            TableName=self.table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        if self.settings["ttl"]:
            specification = {"Enabled": True, "AttributeName": self.settings["ttl"]}
            self.dynamodb.update_time_to_live(
                TableName=self.table, TimeToLiveSpecification=specification
            )
        # CloudFormation's own tags cannot be set, and are not missed.
        tags = [tag for tag in self.settings["tags"] if not tag["Key"].startswith("aws:")]
        if tags:
            arn = self.dynamodb.describe_table(TableName=self.table)["Table"]["TableArn"]
            self.dynamodb.tag_resource(ResourceArn=arn, Tags=tags)
        if self.settings["protected"]:
            self.dynamodb.update_table(TableName=self.table, DeletionProtectionEnabled=True)

    def wait_for(self, what, table):
        # Half a day: a restoration takes minutes, or hours where there is much.
        waiting = {"Delay": 15, "MaxAttempts": 2880}
        self.dynamodb.get_waiter(what).wait(TableName=table, WaiterConfig=waiting)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table")
    parser.add_argument("time", type=datetime.fromisoformat)
    parser.add_argument("--yes", action="store_true", help="put it in place without asking")
    given = parser.parse_args()
    if given.time.tzinfo is None:
        parser.error("TIME needs an offset, such as Z or +01:00")
    return given


def main():
    given = arguments()
    restoration = Restoration(boto3.client("dynamodb"), given.table)
    print(f"Restoring {given.table}, as it was at {given.time.isoformat()}, to {restoration.copy} …")
    restoration.restore_copy(given.time)
    then, now = (restoration.count(table) for table in (restoration.copy, given.table))
    print(f"It held {then} items then, and holds {now} now.")
    question = f"Type {given.table} to put that in its place: "
    if not given.yes and input(question) != given.table:
        sys.exit(f"Left as it is. {restoration.copy} is there for you to look at and to delete.")
    restoration.put_in_place()
    print(f"Done. Delete the table {restoration.copy} and its backup when you need them no more.")


if __name__ == "__main__":
    main()
