"""The deployments that every assertion is made of."""

from functools import cache, wraps

from translated import ACCOUNT, REGION, Translated, source

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
DOMAIN = {"DomainName": "id.example.com", "CertificateArn": CERTIFICATE}
OTHER_TABLES = {
    "ClientsTableInUse": "id-ClientsTable-1ABC-restored",
    "AccountsTableInUse": "id-AccountsTable-1ABC-restored",
    "KeysTableInUse": "id-KeysTable-1ABC-restored",
    "GrantsTableInUse": "id-GrantsTable-1ABC-restored",
}

DEPLOYMENTS = {
    "as it comes": {},
    "a domain name": DOMAIN,
    "a domain name in a hosted zone": DOMAIN | {"HostedZoneId": "Z0123456789ABCDEFGHIJ"},
    "an issuer that is led here by something else": {"Issuer": "https://id.example.com"},
    "people may register themselves": {"SelfRegistration": "true"},
    "alarms by e-mail": {"AlarmEmail": "ops@example.com"},
    "x86_64": {"Architecture": "x86_64"},
    "all at once": {"Rollout": "AllAtOnce"},
    "other tables": OTHER_TABLES,
    "the least of everything": {
        "TokenMemory": 128,
        "AuthorizeMemory": 128,
        "ClientAdminMemory": 128,
        "KeyRotationMemory": 128,
        "KeyRotationDays": 2,
        "ClientCacheSeconds": 0,
        "RequestsPerSecond": 1,
        "RequestBurst": 1,
        "SignInsPerSecond": 1,
        "AdminRequestsPerSecond": 1,
        "LogRetentionDays": 1,
    },
    "the most of everything": DOMAIN
    | {
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "DefaultAudience": "https://api.example.com",
        "SelfRegistration": "true",
        "HstsIncludeSubDomains": "true",
        "TokenMemory": 10240,
        "AuthorizeMemory": 10240,
        "ClientAdminMemory": 10240,
        "KeyRotationMemory": 10240,
        "KeyRotationDays": 365,
        "ClientCacheSeconds": 300,
        "RequestsPerSecond": 100000,
        "RequestBurst": 50000,
        "SignInsPerSecond": 10000,
        "AdminRequestsPerSecond": 10000,
        "Generation": 9999,
        "LogRetentionDays": 3653,
        "AlarmEmail": "ops@example.com",
    },
}


OTHERWISE = {
    "Issuer": "https://id.example.com",
    "DefaultAudience": "https://api.example.com",
    "CertificateArn": CERTIFICATE.replace("0000", "1111"),
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    "Architecture": "x86_64",
    "Rollout": "AllAtOnce",
    "SelfRegistration": "true",
    "HstsIncludeSubDomains": "true",
    "AlarmEmail": "ops@example.com",
    "LogRetentionDays": 1,
} | OTHER_TABLES


def changed(parameter):
    """Two deployments that differ in this parameter alone, or for DomainName in what goes with it."""
    if parameter == "DomainName":
        return {}, DOMAIN
    base = DOMAIN if parameter in ("CertificateArn", "HostedZoneId") else {}
    default = source()["Parameters"][parameter]["Default"]
    value = OTHERWISE[parameter] if parameter in OTHERWISE else default + 1
    return base, base | {parameter: value}


@cache
def deployment(name):
    """The deployment of that name."""
    return Translated(DEPLOYMENTS[name])


def used(one, table):
    """The name of the table that the functions use for this one of the stack, and its ARN."""
    other = one.parameters[f"{table}InUse"]
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{other}"
    return (other, arn) if other else (f"${{{table}}}", f"${{{table}.Arn}}")


def each_deployment(test):
    """Makes the assertion about each deployment, and names the one that it fails for."""

    @wraps(test)
    def with_each(self):
        for name in DEPLOYMENTS:
            with self.subTest(name):
                test(self, deployment(name))

    return with_each
