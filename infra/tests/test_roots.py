"""The root certificates that the functions trust: those of Amazon Trust Services, and no other."""

import datetime
import unittest
import warnings

import certifi
from cryptography import x509
from cryptography.x509.oid import NameOID
from translated import ROOT

# https://www.amazontrust.com/repository/
AMAZON = [
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
]


def name(certificate):
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


class Roots(unittest.TestCase):
    def setUp(self):
        # One of the roots has the serial number 0, which was right when it was made.
        warnings.simplefilter("ignore")
        self.roots = x509.load_pem_x509_certificates(
            (ROOT / "shared/dynamodb/src/roots.pem").read_bytes()
        )

    def test_they_are_the_five_that_amazon_recommends(self):
        self.assertEqual(sorted(map(name, self.roots)), AMAZON)

    def test_they_are_to_the_byte_those_that_browsers_trust(self):
        with open(certifi.where(), "rb") as everybody:
            trusted = x509.load_pem_x509_certificates(everybody.read())
        self.assertLessEqual(set(self.roots), set(trusted))

    def test_they_last_for_years(self):
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2 * 365)
        for root in self.roots:
            self.assertGreater(root.not_valid_after_utc, later, name(root))


if __name__ == "__main__":
    unittest.main()
