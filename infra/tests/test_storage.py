"""What is stored: encrypted, recoverable, and there after the stack is gone."""

import unittest

from code_of_functions import made_by_code, times_to_live_by_code
from deployments import deployment, each_deployment
from translated import REGION

TABLE = "AWS::DynamoDB::GlobalTable"
# What the template calls a table, and what the code that makes one for `identety serve` does.
NAMES = {
    "ClientsTable": "clients",
    "AccountsTable": "accounts",
    "KeysTable": "keys",
    "GrantsTable": "grants",
}


def declared(table):
    """What a table of the template is made of: attributes, keys, indexes."""
    indexes = table.get("GlobalSecondaryIndexes", [])
    return {
        "attributes": {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]},
        "keys": [(one["AttributeName"], one["KeyType"]) for one in table["KeySchema"]],
        "indexes": {
            index["IndexName"]: {
                "keys": [(one["AttributeName"], one["KeyType"]) for one in index["KeySchema"]],
                "projection": index["Projection"],
            }
            for index in indexes
        },
    }


def replica(table):
    """The one replica of a table."""
    (only,) = table["Replicas"]
    return only


class Tables(unittest.TestCase):
    @each_deployment
    def test_there_is_no_table_but_those_and_each_is_in_this_region_alone(self, one):
        self.assertEqual(one.of_type("AWS::DynamoDB::Table"), {})
        for name, table in one.of_type(TABLE).items():
            self.assertEqual(replica(table)["Region"], REGION, name)

    def test_a_table_in_use_changes_no_table_of_the_stack(self):
        own, other = deployment("as it comes"), deployment("other tables")
        self.assertEqual(other.of_type(TABLE), own.of_type(TABLE))

    @each_deployment
    def test_there_are_four_with_the_attributes_the_keys_and_the_indexes_that_the_stores_use(self, one):
        found = {NAMES[name]: declared(table) for name, table in one.of_type(TABLE).items()}
        self.assertEqual(found, {name: made_by_code(name) for name in NAMES.values()})

    @each_deployment
    def test_each_is_encrypted(self, one):
        for name, table in one.of_type(TABLE).items():
            self.assertEqual(table["SSESpecification"], {"SSEEnabled": True, "SSEType": "KMS"}, name)

    @each_deployment
    def test_each_can_be_brought_back_to_any_second_of_the_last_weeks(self, one):
        for name, table in one.of_type(TABLE).items():
            recovery = replica(table)["PointInTimeRecoverySpecification"]
            self.assertIs(recovery["PointInTimeRecoveryEnabled"], True, name)

    @each_deployment
    def test_none_can_be_deleted_by_mistake(self, one):
        for name, table in one.of_type(TABLE).items():
            self.assertIs(replica(table)["DeletionProtectionEnabled"], True, name)

    @each_deployment
    def test_each_outlives_the_stack_and_is_not_in_the_way_of_the_next(self, one):
        for name in one.of_type(TABLE):
            self.assertEqual(one.resources[name]["DeletionPolicy"], "Retain", name)
            self.assertEqual(one.resources[name]["UpdateReplacePolicy"], "Retain", name)
            self.assertNotIn("TableName", one.properties(name))

    @each_deployment
    def test_only_grants_are_cleaned_up_by_their_time_to_live(self, one):
        found = {
            name: table["TimeToLiveSpecification"]
            for name, table in one.of_type(TABLE).items()
            if "TimeToLiveSpecification" in table
        }
        self.assertEqual(found, {"GrantsTable": {"AttributeName": "ttl", "Enabled": True}})
        self.assertEqual(
            {NAMES[name]: ttl["AttributeName"] for name, ttl in found.items()}, times_to_live_by_code()
        )

    @each_deployment
    def test_each_is_paid_by_the_request(self, one):
        for name, table in one.of_type(TABLE).items():
            self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST", name)

    @each_deployment
    def test_no_index_copies_a_hash_or_an_address(self, one):
        for table in one.of_type(TABLE).values():
            for index in table.get("GlobalSecondaryIndexes", []):
                self.assertEqual(index["Projection"], {"ProjectionType": "KEYS_ONLY"})


class SealingKey(unittest.TestCase):
    @each_deployment
    def test_it_outlives_the_stack_as_what_it_sealed(self, one):
        # But not a first deployment that fails: it has sealed nothing then.
        key = one.resources["SealingKey"]
        self.assertEqual(key["DeletionPolicy"], "RetainExceptOnCreate")
        self.assertEqual(key["UpdateReplacePolicy"], "Retain")

    @each_deployment
    def test_it_is_rotated_and_takes_a_month_to_delete(self, one):
        key = one.properties("SealingKey")
        self.assertIs(key["EnableKeyRotation"], True)
        self.assertEqual(key["PendingWindowInDays"], 30)

    @each_deployment
    def test_it_can_have_replicas_in_other_regions(self, one):
        self.assertIs(one.properties("SealingKey")["MultiRegion"], True)

    @each_deployment
    def test_it_belongs_to_the_account_and_to_nobody_else(self, one):
        (statement,) = one.properties("SealingKey")["KeyPolicy"]["Statement"]
        self.assertEqual(statement["Principal"], {"AWS": "arn:aws:iam::123456789012:root"})


if __name__ == "__main__":
    unittest.main()
