"""What is stored: encrypted, recoverable, and there after the stack is gone."""

import unittest

from deployments import each_deployment

TABLE = "AWS::DynamoDB::Table"
KEYS = {
    "ClientsTable": ["pk"],
    "AccountsTable": ["pk", "sk"],
    "KeysTable": ["pk", "sk"],
    "GrantsTable": ["pk"],
}


class Tables(unittest.TestCase):
    @each_deployment
    def test_there_are_four_with_the_keys_that_the_stores_use(self, one):
        tables = one.of_type(TABLE)
        found = {
            name: [key["AttributeName"] for key in table["KeySchema"]]
            for name, table in tables.items()
        }
        self.assertEqual(found, KEYS)

    @each_deployment
    def test_each_is_encrypted(self, one):
        for name, table in one.of_type(TABLE).items():
            self.assertIs(table["SSESpecification"]["SSEEnabled"], True, name)

    @each_deployment
    def test_each_can_be_brought_back_to_any_second_of_the_last_weeks(self, one):
        for name, table in one.of_type(TABLE).items():
            recovery = table["PointInTimeRecoverySpecification"]
            self.assertIs(recovery["PointInTimeRecoveryEnabled"], True, name)

    @each_deployment
    def test_none_can_be_deleted_by_mistake(self, one):
        for name, table in one.of_type(TABLE).items():
            self.assertIs(table["DeletionProtectionEnabled"], True, name)

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
        key = one.resources["SealingKey"]
        self.assertEqual(key["DeletionPolicy"], "Retain")
        self.assertEqual(key["UpdateReplacePolicy"], "Retain")

    @each_deployment
    def test_it_is_rotated_and_takes_a_month_to_delete(self, one):
        key = one.properties("SealingKey")
        self.assertIs(key["EnableKeyRotation"], True)
        self.assertEqual(key["PendingWindowInDays"], 30)

    @each_deployment
    def test_it_belongs_to_the_account_and_to_nobody_else(self, one):
        (statement,) = one.properties("SealingKey")["KeyPolicy"]["Statement"]
        self.assertEqual(statement["Principal"], {"AWS": "arn:aws:iam::123456789012:root"})


if __name__ == "__main__":
    unittest.main()
