"""The API: routes and their handlers, limits, logs, and the door of one's own domain."""

import json
import re
import unittest

import code_of_functions as code
from deployments import deployment, each_deployment
from translated import Translated

# Of what API Gateway could write, what no caller chooses: no path, no query, no header, no address of a page.
LOGGED = {
    "requestId",
    "requestTime",
    "identity.sourceIp",
    "httpMethod",
    "routeKey",
    "status",
    "responseLength",
    "responseLatency",
    "integrationLatency",
    "integrationErrorMessage",
}
ALIAS = re.compile(r"^\$\{(\w+Function)Aliaslive\}$")
PACKAGES = {
    "TokenFunction": "token",
    "AuthorizeFunction": "authorize",
    "ClientAdminFunction": "client-admin",
}


def handlers(one):
    """Each route's key, and the function that it leads to."""
    integrations = one.of_type("AWS::ApiGatewayV2::Integration")
    found = {}
    for route in one.of_type("AWS::ApiGatewayV2::Route").values():
        name = re.fullmatch(r"integrations/\$\{(\w+)\}", route["Target"])[1]
        found[route["RouteKey"]] = ALIAS.match(integrations[name]["IntegrationUri"])[1]
    return found


class Routes(unittest.TestCase):
    @each_deployment
    def test_every_route_has_a_handler_in_its_function_and_every_handler_a_route(self, one):
        routes = {PACKAGES[function]: set() for function in PACKAGES}
        for key, function in handlers(one).items():
            if key != "$default":
                method, path = key.split(" ")
                self.assertEqual(method, "ANY")
                routes[PACKAGES[function]].add(code.shape(path))
        for package, paths in routes.items():
            self.assertEqual(paths, set(map(code.shape, code.paths(package))), package)

    @each_deployment
    def test_what_matches_no_route_gets_the_servers_own_404(self, one):
        self.assertEqual(handlers(one)["$default"], "TokenFunction")

    @each_deployment
    def test_the_api_may_call_the_alias_that_it_leads_to_and_others_may_not(self, one):
        permissions = one.of_type("AWS::Lambda::Permission").values()
        allowed = {ALIAS.match(one["FunctionName"])[1]: one for one in permissions}
        self.assertEqual(set(allowed), set(handlers(one).values()))
        self.assertEqual(len(allowed), len(permissions))
        api = "arn:aws:execute-api:eu-central-1:123456789012:${HttpApi}/*"
        for function, permission in allowed.items():
            self.assertEqual(permission["Action"], "lambda:InvokeFunction")
            self.assertEqual(permission["Principal"], "apigateway.amazonaws.com")
            paths = "/*/admin*" if function == "ClientAdminFunction" else ""
            self.assertEqual(permission["SourceArn"], api + paths)

    @each_deployment
    def test_a_function_ends_before_the_gateway_gives_up_on_it(self, one):
        for integration in one.of_type("AWS::ApiGatewayV2::Integration").values():
            function = one.properties(ALIAS.match(integration["IntegrationUri"])[1])
            self.assertLess(function["Timeout"] * 1000, integration["TimeoutInMillis"])
            self.assertLessEqual(integration["TimeoutInMillis"], 30000)
            self.assertEqual(integration["PayloadFormatVersion"], "2.0")


class Limits(unittest.TestCase):
    def throttles(self, one):
        """The rate and the burst of each route."""
        stage = one.properties("HttpApiStage")
        settings = {key: stage["DefaultRouteSettings"] for key in handlers(one)}
        self.assertEqual(set(stage["RouteSettings"]) - set(settings), set())
        settings |= stage["RouteSettings"]
        both = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
        return {key: tuple(limits[one] for one in both) for key, limits in settings.items()}

    @each_deployment
    def test_every_route_has_one(self, one):
        given = one.parameters
        general = (given["RequestsPerSecond"], given["RequestBurst"])
        for key, limit in self.throttles(one).items():
            path = key.removeprefix("ANY ")
            if path in ("/signin", "/register", "/known-browser"):
                self.assertEqual(limit, (given["SignInsPerSecond"],) * 2, key)
            elif path.startswith("/admin"):
                self.assertEqual(limit, (given["AdminRequestsPerSecond"],) * 2, key)
            else:
                self.assertEqual(limit, general, key)

    def test_passwords_and_administrators_keys_can_be_tried_less_often_than_tokens_fetched(self):
        limits = self.throttles(deployment("as it comes"))
        for path in ("/signin", "/register", "/known-browser", "/admin", "/admin/{proxy+}", "/admin/clients"):
            self.assertLess(limits[f"ANY {path}"], limits["ANY /oauth2/token"])

    @each_deployment
    def test_the_stage_is_made_after_the_routes_that_it_sets_limits_for(self, one):
        routes = one.of_type("AWS::ApiGatewayV2::Route")
        keys = {routes[name]["RouteKey"] for name in one.resources["HttpApiStage"]["DependsOn"]}
        self.assertEqual(keys, set(one.properties("HttpApiStage")["RouteSettings"]))


class Logs(unittest.TestCase):
    @each_deployment
    def test_an_access_is_logged_without_anything_that_the_caller_chooses(self, one):
        settings = one.properties("HttpApiStage")["AccessLogSettings"]
        self.assertEqual(settings["DestinationArn"], "${HttpApiLogGroup.Arn}")
        line = json.loads(settings["Format"])
        self.assertIn("status", line)
        variables = re.findall(r"\$context\.([A-Za-z.]+)", settings["Format"])
        self.assertEqual(set(variables), LOGGED)


class Domain(unittest.TestCase):
    @each_deployment
    def test_it_is_there_with_a_domain_name_and_only_then(self, one):
        name = one.parameters["DomainName"]
        domains = list(one.of_type("AWS::ApiGatewayV2::DomainName").values())
        self.assertEqual([domain["DomainName"] for domain in domains], [name] if name else [])
        mappings = list(one.of_type("AWS::ApiGatewayV2::ApiMapping").values())
        wanted = {"DomainName": "${Domain}", "ApiId": "${HttpApi}", "Stage": "${HttpApiStage}"}
        self.assertEqual(mappings, [wanted] if name else [])

    def test_it_speaks_tls_1_2_and_later(self):
        (domain,) = deployment("a domain name").properties("Domain")["DomainNameConfigurations"]
        self.assertEqual(domain["SecurityPolicy"], "TLS_1_2")
        self.assertEqual(domain["EndpointType"], "REGIONAL")

    @each_deployment
    def test_it_is_the_only_door_then(self, one):
        closed = one.properties("HttpApi")["DisableExecuteApiEndpoint"]
        self.assertEqual(closed, one.parameters["DomainName"] != "")

    @each_deployment
    def test_records_are_made_in_the_hosted_zone_that_was_named(self, one):
        zone = one.parameters["HostedZoneId"]
        records = one.of_type("AWS::Route53::RecordSet").values()
        self.assertEqual(sorted(record["Type"] for record in records), ["A", "AAAA"] if zone else [])
        for record in records:
            self.assertEqual(record["HostedZoneId"], zone)
            self.assertEqual(record["Name"], one.parameters["DomainName"])
            target = record["AliasTarget"]
            self.assertEqual(target["DNSName"], "${Domain.RegionalDomainName}")
            self.assertEqual(target["HostedZoneId"], "${Domain.RegionalHostedZoneId}")

    @each_deployment
    def test_where_addresses_of_both_kinds_are_published_both_are_served(self, one):
        self.assertEqual(one.properties("HttpApi")["IpAddressType"], "dualstack")
        for domain in one.of_type("AWS::ApiGatewayV2::DomainName").values():
            self.assertEqual(domain["DomainNameConfigurations"][0]["IpAddressType"], "dualstack")


if __name__ == "__main__":
    unittest.main()
