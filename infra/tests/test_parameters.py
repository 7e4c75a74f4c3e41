"""Parameters, rules and outputs: what a person is asked, and told."""

import unittest

from deployments import CERTIFICATE, DEPLOYMENTS, DOMAIN, changed, deployment, each_deployment, used
from translated import Translated, refused, source

ISSUERS = {
    "as it comes": "https://${HttpApi}.execute-api.eu-central-1.amazonaws.com",
    "a domain name": "https://id.example.com",
    "an issuer that is led here by something else": "https://id.example.com",
}


class Parameters(unittest.TestCase):
    def test_each_has_a_description_and_a_default_and_says_it(self):
        for name, parameter in source()["Parameters"].items():
            with self.subTest(name):
                default = str(parameter["Default"])
                said = parameter["Description"]
                self.assertIn("default", said)
                self.assertIn(default or "Empty (the default)", said.replace("empty (the", "Empty (the"))

    def test_each_is_asked_in_one_group(self):
        groups = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        asked = [name for group in groups for name in group["Parameters"]]
        self.assertCountEqual(asked, source()["Parameters"])

    def test_what_can_be_meant_is_taken(self):
        for name, given in DEPLOYMENTS.items():
            with self.subTest(name):
                self.assertEqual(refused(given), [])

    def test_what_cannot_be_meant_is_refused(self):
        for given, word in [
            ({"DomainName": "id.example.com"}, "needs CertificateArn"),
            ({"CertificateArn": CERTIFICATE}, "without DomainName"),
            ({"HostedZoneId": "Z0123456789"}, "without DomainName"),
            (DOMAIN | {"Issuer": "https://id.example.com"}, "must be empty with DomainName"),
            (DOMAIN | {"DomainName": "ID.example.com"}, "lower-case"),
            (DOMAIN | {"DomainName": "https://id.example.com"}, "lower-case"),
            (DOMAIN | {"DomainName": "localhost"}, "lower-case"),
            ({"Issuer": f"https://{'a' * 83}"}, "90 characters"),
            ({"DefaultAudience": "a" * 91}, "90 printable"),
            (DOMAIN | {"DomainName": f"{'a' * 79}.com"}, "82 characters"),
            ({"Issuer": "http://id.example.com"}, "https://"),
            ({"Issuer": "https://id.example.com/"}, "no trailing slash"),
            ({"Issuer": "https://id.example.com/a"}, "no path"),
            ({"DefaultAudience": "two words"}, "without spaces"),
            ({"AlarmEmail": "ops"}, "e-mail"),
            ({"AlarmEmail": "a@example.com, b@example.com"}, "one e-mail"),
            ({"KeyRotationDays": 1}, "2 to 365"),
            ({"KeyRotationDays": 366}, "2 to 365"),
            ({"ClientCacheSeconds": 301}, "0 to 300"),
            ({"TokenMemory": 127}, "128 to 10240"),
            ({"RequestsPerSecond": 0}, "1 to"),
            ({"Generation": 0}, "1 to 9999"),
            ({"ClientsTableInUse": "arn:aws:dynamodb:eu-central-1:123456789012:table/id"}, "name of a DynamoDB table"),
            ({"LogRetentionDays": 2}, "none of its values"),
            ({"SelfRegistration": "yes"}, "none of its values"),
            ({"Rollout": "Linear10PercentEvery1Minute"}, "none of its values"),
        ]:
            with self.subTest(given):
                self.assertIn(word, " ".join(refused(given)))

    def test_each_parameter_changes_something(self):
        for name in source()["Parameters"]:
            with self.subTest(name):
                before, after = (Translated(given) for given in changed(name))
                self.assertNotEqual(before.resources, after.resources)


class Outputs(unittest.TestCase):
    @each_deployment
    def test_they_say_the_issuer_that_the_functions_have(self, one):
        issuer = one.outputs["Issuer"]["Value"]
        for name in ("TokenFunction", "AuthorizeFunction", "ClientAdminFunction"):
            environment = one.properties(name)["Environment"]["Variables"]
            self.assertEqual(environment["IDENTETY_ISSUER"], issuer)

    def test_the_issuer_is_the_name_by_which_the_world_knows_the_server(self):
        for name, issuer in ISSUERS.items():
            with self.subTest(name):
                self.assertEqual(deployment(name).outputs["Issuer"]["Value"], issuer)

    @each_deployment
    def test_the_endpoints_are_the_issuers(self, one):
        issuer = one.outputs["Issuer"]["Value"]
        for name, path in {
            "TokenEndpoint": "/oauth2/token",
            "AuthorizationEndpoint": "/oauth2/authorize",
            "UserinfoEndpoint": "/oauth2/userinfo",
            "EndSessionEndpoint": "/oauth2/logout",
            "JwksUri": "/.well-known/jwks.json",
            "DiscoveryUrl": "/.well-known/openid-configuration",
            "AdminApi": "/admin",
        }.items():
            self.assertEqual(one.outputs[name]["Value"], issuer + path)

    @each_deployment
    def test_they_say_what_to_do_next(self, one):
        command = one.outputs["BootstrapCommand"]["Value"]
        self.assertEqual(command, "AWS_REGION=eu-central-1 identety bootstrap --stack id")
        self.assertIn("dashboards:name=${Dashboard}", one.outputs["DashboardUrl"]["Value"])
        has_domain = one.parameters["DomainName"] != ""
        self.assertEqual("DomainTarget" in one.outputs, has_domain)

    @each_deployment
    def test_they_name_what_the_command_line_needs(self, one):
        for name, value in {
            "ClientsTableName": used(one, "ClientsTable")[0],
            "AccountsTableName": used(one, "AccountsTable")[0],
            "KeysTableName": used(one, "KeysTable")[0],
            "GrantsTableName": used(one, "GrantsTable")[0],
            "SealingKeyArn": "${SealingKey.Arn}",
        }.items():
            self.assertEqual(one.outputs[name]["Value"], value)

    @each_deployment
    def test_each_has_a_description(self, one):
        for name, output in one.outputs.items():
            self.assertTrue(output.get("Description"), name)


if __name__ == "__main__":
    unittest.main()
