"""An authority of the suite's own, and the certificate of its servers."""
import ssl
import subprocess


class Authority:
    """Made below home: ca.pem, and server.pem with its server.key for the
    addresses."""

    def __init__(self, home, addresses):
        self.ca = home / "ca.pem"
        self.cert, self.key = home / "server.pem", home / "server.key"
        ca_key, asked = home / "ca.key", home / "server.csr"
        names = home / "server.ext"
        names.write_text("subjectAltName=" + ",".join(
            f"IP:{address}" for address in addresses))
        openssl("req", "-x509", *new_key(ca_key), "-out", self.ca, "-subj",
                "/CN=chaos authority", "-days", "2")
        openssl("req", *new_key(self.key), "-out", asked, "-subj", "/CN=chaos")
        openssl("x509", "-req", "-in", asked, "-CA", self.ca, "-CAkey", ca_key,
                "-set_serial", "1", "-days", "2", "-extfile", names, "-out",
                self.cert)
        self.context = ssl.create_default_context(cafile=self.ca)


def new_key(path):
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", path)


def openssl(*args):
    done = subprocess.run(["openssl", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args[0]}: {done.stdout[-300:]}")
