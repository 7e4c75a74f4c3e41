"""A TLS server on this machine whose certificate comes from an authority of its own.

    untrusted.py FOLDER

It writes FOLDER/authority.pem, proves itself by a client that trusts it, and prints the port that it listens on. Then it
prints a line for each connection: `trusted`, or `refused: ` and why the handshake failed.
"""

import datetime
import ipaddress
import socket
import ssl
import sys
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TODAY = datetime.datetime.now(datetime.UTC)


def certificate(subject, key, issuer, issuer_key, authority):
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(TODAY - datetime.timedelta(days=1))
        .not_valid_after(TODAY + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def server_context(folder):
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = certificate("authority", authority_key, "authority", authority_key, True)
    own = certificate("localhost", key, "authority", authority_key, False)
    encoding = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(encoding))
    chain = folder / "own.pem"
    plain = serialization.NoEncryption()
    chain.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
        + own.public_bytes(encoding)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def answer(context, connection):
    """How the handshake of a connection ends."""
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            # In TLS 1.3 a client may find the certificate wrong after the server has finished.
            stream.recv(1)
        return "trusted"
    except (ssl.SSLError, OSError) as error:
        return f"refused: {getattr(error, 'reason', error)}"


def reach(port, folder):
    """A client that trusts the authority."""
    context = ssl.create_default_context(cafile=folder / "authority.pem")
    with socket.create_connection(("localhost", port)) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as stream:
            stream.sendall(b"x")


def main():
    folder = Path(sys.argv[1])
    context = server_context(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = threading.Thread(target=reach, args=(port, folder))
        client.start()
        outcome = answer(context, listener.accept()[0])
        client.join()
        print(f"{outcome} {port}", flush=True)
        while True:
            print(answer(context, listener.accept()[0]), flush=True)


main()
