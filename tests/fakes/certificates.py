"""Certificates for tests, made with the ``openssl`` of the command line."""

import ssl
import subprocess
from pathlib import Path

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
LEAF = "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nextendedKeyUsage={usage}\n"


class Authority:
    """Signs certificates for servers and clients; all files are in ``folder``."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.certificate = folder / "ca.pem"
        self._request("ca", name)
        (folder / "ca.ext").write_text(CA)
        self._run("x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-out", "ca.pem", "-extfile", "ca.ext",
                  "-days", "10")  # fmt: skip

    def issue(self, name: str, usage: str = "serverAuth") -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 and its key. ``usage``: serverAuth or clientAuth."""
        self._request(name, name)
        (self.folder / f"{name}.ext").write_text(LEAF.format(usage=usage))
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                  "-out", f"{name}.pem", "-extfile", f"{name}.ext", "-days", "5")  # fmt: skip
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def client(self, *pair: Path) -> ssl.SSLContext:
        """A client that believes this authority, with a certificate and key of its own if given."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if pair:
            context.load_cert_chain(*pair)
        return context

    def _request(self, file: str, name: str) -> None:
        self._run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                  "-keyout", f"{file}.key", "-out", f"{file}.csr", "-subj", f"/CN={name}")  # fmt: skip
        (self.folder / f"{file}.key").chmod(0o600)

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
