use rstest::rstest;
use serde_json::json;

use super::*;
use crate::deployment::template;

fn allows(function: &str, operation: &str, table: &str, key: &str) -> bool {
    let request = json!({"TableName": table, "Key": {"pk": {"S": key}}});
    let accesses = Access::of(operation, &request, str::to_owned);
    let role = Role::of(&template(), function, &[]).unwrap();
    accesses.iter().all(|access| role.allows(access))
}

#[rstest]
#[case("TokenFunction", "GetItem", "ClientsTable", "CLIENT#1", true)]
#[case("TokenFunction", "GetItem", "ClientsTable", "APIKEY", false)]
#[case("TokenFunction", "PutItem", "ClientsTable", "CLIENT#1", false)]
#[case("TokenFunction", "UpdateItem", "GrantsTable", "GRANT#1", true)]
#[case("TokenFunction", "PutItem", "GrantsTable", "GRANT#1", false)]
#[case("TokenFunction", "UpdateItem", "GrantsTable", "SESSION#1", false)]
#[case("TokenFunction", "UpdateItem", "AccountsTable", "USER#1", false)]
#[case("AuthorizeFunction", "PutItem", "GrantsTable", "GRANT#1", true)]
#[case("AuthorizeFunction", "UpdateItem", "GrantsTable", "GRANT#1", false)]
#[case("AuthorizeFunction", "DeleteItem", "GrantsTable", "GRANT#1", false)]
#[case("AuthorizeFunction", "GetItem", "ClientsTable", "APIKEY", false)]
#[case("AuthorizeFunction", "UpdateItem", "ClientsTable", "CLIENT#1", false)]
#[case("AuthorizeFunction", "PutItem", "AccountsTable", "USER#1", false)]
#[case("AuthorizeFunction", "DeleteItem", "AccountsTable", "CONSENT#1", false)]
#[case("AuthorizeFunction", "PutItem", "KeysTable", "KEY", false)]
#[case("ClientAdminFunction", "PutItem", "KeysTable", "KEY", false)]
#[case("ClientAdminFunction", "UpdateItem", "GrantsTable", "GRANT#1", false)]
#[case("ClientAdminFunction", "GetItem", "GrantsTable", "GRANT#1", false)]
fn a_role_reaches_no_further_than_its_function(
    #[case] function: &str,
    #[case] operation: &str,
    #[case] table: &str,
    #[case] key: &str,
    #[case] expected: bool,
) {
    assert_eq!(allows(function, operation, table, key), expected);
}

#[test]
fn users_are_written_only_where_people_may_register_themselves() {
    let put = |table, key| json!({"Put": {"TableName": table, "Item": {"pk": {"S": key}}}});
    let request = json!({"TransactItems": [
        put("AccountsTable", "USER#1"), put("AccountsTable", "EMAIL#a@example.com"),
    ]});
    let accesses = Access::of("TransactWriteItems", &request, str::to_owned);
    assert_eq!(accesses.len(), 2);
    for (conditions, expected) in [(&[][..], false), (&["RegistrationIsOpen"][..], true)] {
        let role = Role::of(&template(), "AuthorizeFunction", conditions).unwrap();
        assert!(accesses.iter().all(|access| role.allows(access) == expected));
    }
}

#[rstest]
#[case("TokenFunction", "ClientsTable", "CLIENT#1", "secrets", true)]
#[case("TokenFunction", "ClientsTable", "CLIENT#1", "metadata", false)]
#[case("AuthorizeFunction", "AccountsTable", "USER#1", "password", true)]
#[case("AuthorizeFunction", "AccountsTable", "USER#1", "details", false)]
fn of_an_item_a_role_may_change_only_these_attributes(
    #[case] function: &str,
    #[case] table: &str,
    #[case] key: &str,
    #[case] attribute: &str,
    #[case] expected: bool,
) {
    let request = json!({
        "TableName": table,
        "Key": {"pk": {"S": key}},
        "UpdateExpression": "SET #a.#b = :value",
        "ConditionExpression": "#a.#b = :old",
        "ExpressionAttributeNames": {"#a": attribute, "#b": "inner"},
    });
    let role = Role::of(&template(), function, &[]).unwrap();
    let accesses = Access::of("UpdateItem", &request, str::to_owned);
    assert!(accesses.iter().all(|access| role.allows(access) == expected), "{accesses:?}");
}
