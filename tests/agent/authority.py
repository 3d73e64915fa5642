"""Certificates for tests, made by openssl."""

import subprocess


class Authority:
    """Signs certificates into a directory of its own; ``certificate`` is its own."""

    def __init__(self, directory, name="tests"):
        self.directory = directory
        self.certificate, self._key = directory / f"{name}-ca.pem", directory / f"{name}-ca.key"
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "30", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate,
        )  # fmt: skip

    def sign(self, name, file=None):
        """Return the paths of a certificate for ``name`` and 127.0.0.1, and of its key."""
        file = file or name
        certificate, key = self.directory / f"{file}.pem", self.directory / f"{file}.key"
        request, names = self.directory / f"{file}.csr", self.directory / f"{file}.ext"
        names.write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
        _openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", request,
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
            "-CAcreateserial", "-days", "30", "-extfile", names, "-out", certificate,
        )  # fmt: skip
        return certificate, key


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
