#!/usr/bin/env python3
"""Brings a table of a deployed stack back to what it held at a moment of the last 35 days.

    .venv/bin/python infra/restore.py TABLE TIME [--yes]
    .venv/bin/python infra/restore.py --resume BACKUP_ARN [--yes]

TABLE is the table's name, from the stack's outputs; TIME is a time of ISO 8601 with its offset, for example
2026-11-25T08:00:00+01:00. Credentials and region are found as by any AWS program.

DynamoDB restores into a new table only, and the stack knows its tables by their names. So the table is restored under another
name first, TABLE-restored, where you can look at it. When you have said yes, the table itself is deleted and made again of a
backup of that copy, under its own name, with its own settings: the stack needs no change. In between, some minutes, the server
answers that it is unavailable. What was written after TIME is gone; for a single item that was deleted by mistake, say no, and copy
that item from TABLE-restored by hand.

Whatever interrupts this, it goes on where it stopped. Before the table is deleted, give the same command again; from then on,
--resume with the ARN of the backup, which is printed before. The table's settings are tags of TABLE-restored meanwhile, so leave
that where it is until all is done.

Nothing here is lost for good: of a table that is deleted, DynamoDB keeps a system backup for 35 days.
"""

import argparse
import re
import sys
import time
from datetime import datetime

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# What a restoration may change, and is told not to.
AS_IN_THE_STACK = {
    "BillingModeOverride": "PAY_PER_REQUEST",
    "SSESpecificationOverride": {"Enabled": True},
}
SUFFIX = "-restored"
# The tags of the copy that remember the settings of the table.
PROTECTED, TTL = "identety:protected", "identety:ttl"
BACKUP = re.compile(rf"arn:[a-z0-9-]+:dynamodb:[a-z0-9-]+:\d+:table/([\w.-]+){SUFFIX}/backup/[\w-]+")


class Restoration:
    """The restoration of one table."""

    def __init__(self, dynamodb, table, pause=time.sleep):
        self.dynamodb, self.table, self.pause = dynamodb, table, pause
        self.copy = f"{table}{SUFFIX}"

    @classmethod
    def of_backup(cls, dynamodb, arn, pause=time.sleep):
        """The restoration that made this backup of its copy."""
        return cls(dynamodb, BACKUP.fullmatch(arn)[1], pause)

    def described(self, table):
        """What DynamoDB says of a table; None where there is none."""
        try:
            return self.dynamodb.describe_table(TableName=table)["Table"]
        except self.dynamodb.exceptions.ResourceNotFoundException:
            return None

    def restore_copy(self, moment):
        """Restores what the table held at the moment, under the other name; waits for it, if that was begun before."""
        begun = self.described(self.copy)
        if begun is None:
            self.dynamodb.restore_table_to_point_in_time(
                SourceTableName=self.table,
                TargetTableName=self.copy,
                RestoreDateTime=moment,
                **AS_IN_THE_STACK,
            )
        elif not self.is_of(begun, moment):
            sys.exit(f"There is a table {self.copy} already, of another moment. Delete it first, or see --resume.")
        self.wait_for("table_exists", self.copy)

    def is_of(self, copy, moment):
        restored = copy.get("RestoreSummary", {}).get("RestoreDateTime")
        # DynamoDB restores to a second.
        return restored is not None and abs((restored - moment).total_seconds()) < 1

    def count(self, table):
        """How many items a table holds."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def back_up_copy(self):
        """Writes down at the copy what the table's settings are, and makes the backup that the table is made of again."""
        self.remember_settings()
        made = self.dynamodb.create_backup(TableName=self.copy, BackupName=self.copy)
        arn = made["BackupDetails"]["BackupArn"]
        while self.backup_status(arn) != "AVAILABLE":
            self.pause(5)
        return arn

    def backup_status(self, arn):
        described = self.dynamodb.describe_backup(BackupArn=arn)["BackupDescription"]
        return described["BackupDetails"]["BackupStatus"]

    def is_in_place(self, backup):
        """Whether the table is the one that was made of the backup."""
        summary = (self.described(self.table) or {}).get("RestoreSummary", {})
        return summary.get("SourceBackupArn") == backup

    def put_in_place(self, backup):
        """Makes the table anew of the backup, with its own settings. Does what is left to do of that."""
        # Whatever happened before: without these, the table is left alone.
        settings = self.remembered_settings()
        if not self.is_in_place(backup):
            self.delete()
            self.dynamodb.restore_table_from_backup(
                TargetTableName=self.table, BackupArn=backup, **AS_IN_THE_STACK
            )
        self.wait_for("table_exists", self.table)
        self.apply(settings)

    def delete(self):
        described = self.described(self.table)
        if described is not None and described["TableStatus"] != "DELETING":
            self.protect(False)
            self.dynamodb.delete_table(TableName=self.table)
        self.wait_for("table_not_exists", self.table)

    def protect(self, protected):
        described = self.described(self.table)
        if described.get("DeletionProtectionEnabled", False) != protected:
            self.dynamodb.update_table(TableName=self.table, DeletionProtectionEnabled=protected)
        # A table that is being updated can neither be deleted nor be updated again.
        self.wait_for("table_exists", self.table)

    def remember_settings(self):
        """Keeps what a restoration does not bring back, where it outlives this program and the table."""
        if PROTECTED in self.tags_of(self.described(self.copy)):
            # From an earlier attempt. Since then, the table may have lost them.
            return
        described = self.described(self.table)
        remembered = self.tags_of(described) | {
            PROTECTED: str(described.get("DeletionProtectionEnabled", False)).lower(),
            TTL: self.ttl() or "",
        }
        self.tag(self.copy, remembered)

    def remembered_settings(self):
        """What was kept of the table's settings: whether it is protected, its time to live, its own tags."""
        copy = self.described(self.copy)
        tags = {} if copy is None else self.tags_of(copy)
        if PROTECTED not in tags:
            sys.exit(f"{self.copy} does not say what the settings of {self.table} are. Nothing was changed.")
        return tags.pop(PROTECTED) == "true", tags.pop(TTL), tags

    def apply(self, settings):
        protected, ttl, tags = settings
        self.enable_recovery()
        if ttl and not self.ttl():
            specification = {"Enabled": True, "AttributeName": ttl}
            self.dynamodb.update_time_to_live(
                TableName=self.table, TimeToLiveSpecification=specification
            )
        if tags:
            self.tag(self.table, tags)
        self.protect(protected)

    def enable_recovery(self):
        # DynamoDB refuses while it still sets up the backups of a table that has just been made.
        refused = self.dynamodb.exceptions.ContinuousBackupsUnavailableException
        for attempt in range(120):
            try:
                self.dynamodb.update_continuous_backups(
                    TableName=self.table,
                    PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                )
                return
            except refused:
                if attempt == 119:
                    raise
                self.pause(5)

    def ttl(self):
        """The attribute of the time to live; None without one."""
        described = self.dynamodb.describe_time_to_live(TableName=self.table)["TimeToLiveDescription"]
        return described.get("AttributeName")

    def tags_of(self, described):
        # CloudFormation's own tags cannot be set, and are not missed.
        pages = self.dynamodb.get_paginator("list_tags_of_resource")
        tags = [tag for page in pages.paginate(ResourceArn=described["TableArn"]) for tag in page["Tags"]]
        return {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")}

    def tag(self, table, tags):
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.dynamodb.tag_resource(ResourceArn=self.described(table)["TableArn"], Tags=listed)

    def wait_for(self, what, table):
        # Half a day: a restoration takes minutes, or hours where there is much.
        waiting = {"Delay": 15, "MaxAttempts": 2880}
        self.dynamodb.get_waiter(what).wait(TableName=table, WaiterConfig=waiting)


def begin(restoration, moment, yes):
    """Restores the copy, shows what is in it, and asks. Answers with the backup to go on with."""
    if restoration.described(restoration.table) is None:
        sys.exit(
            f"There is no table {restoration.table}. If its restoration was interrupted, go on with --resume and the ARN that"
            f" was printed, or that `aws dynamodb list-backups --table-name {restoration.copy}` shows."
        )
    print(f"Restoring {restoration.table}, as it was at {moment.isoformat()}, to {restoration.copy} …")
    restoration.restore_copy(moment)
    then, now = (restoration.count(table) for table in (restoration.copy, restoration.table))
    print(f"It held {then} items then, and holds {now} now.")
    ask(restoration, yes)
    return restoration.back_up_copy()


def ask(restoration, yes):
    question = f"Type {restoration.table} to put that in its place: "
    if not yes and input(question) != restoration.table:
        sys.exit(f"Left as it is. {restoration.copy} is there for you to look at and to delete.")


def arguments(given=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", nargs="?")
    parser.add_argument("time", nargs="?", type=datetime.fromisoformat)
    parser.add_argument("--resume", metavar="BACKUP_ARN", help="go on with a restoration that was interrupted")
    parser.add_argument("--yes", action="store_true", help="put it in place without asking")
    given = parser.parse_args(given)
    if given.resume:
        if given.table:
            parser.error("with --resume, the backup says which table")
        if not BACKUP.fullmatch(given.resume):
            parser.error(f"BACKUP_ARN is not that of a backup of a table whose name ends in {SUFFIX}")
    elif given.time is None:
        parser.error("TABLE and TIME are needed")
    elif given.time.tzinfo is None:
        parser.error("TIME needs an offset, such as Z or +01:00")
    return given


def main(given=None, pause=time.sleep):
    given = arguments(given)
    dynamodb = boto3.client("dynamodb")
    if given.resume:
        backup, restoration = given.resume, Restoration.of_backup(dynamodb, given.resume, pause)
        there = restoration.described(restoration.table) is not None
        if there and not restoration.is_in_place(backup):
            ask(restoration, given.yes)
    else:
        restoration = Restoration(dynamodb, given.table, pause)
        backup = begin(restoration, given.time, given.yes)
    resume = f"If this is interrupted, go on with:\n  .venv/bin/python infra/restore.py --resume {backup}"
    print(f"Now {restoration.table} is replaced. {resume}", flush=True)
    try:
        restoration.put_in_place(backup)
    except (KeyboardInterrupt, BotoCoreError, ClientError):
        print(f"It is not done. {resume}", file=sys.stderr)
        raise
    print(f"Done. Delete the table {restoration.copy} and its backup when you need them no more.")


if __name__ == "__main__":
    main()
