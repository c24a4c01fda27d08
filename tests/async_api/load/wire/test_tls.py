"""The expiry of a certificate is read from its bytes, whether it was verified or not."""

import ssl
import subprocess
from pathlib import Path

import pytest

from async_api.load.wire.tls import certificate_expiry, tls_context


@pytest.mark.parametrize(
    "days", ["1", "9000", "40000"]
)  # UTCTime, then GeneralizedTime
@pytest.mark.parametrize(
    "kind", [["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]]
)
def test_the_expiry_is_that_which_openssl_reads(
    tmp_path: Path, days: str, kind: list[str]
) -> None:
    path = tmp_path / "certificate.pem"
    subprocess.run(
        f"openssl req -x509 -nodes -keyout {tmp_path / 'key.pem'} -out {path}"
        f" -days {days} -subj /CN=localhost -newkey".split()
        + kind,
        check=True,
        capture_output=True,
    )
    line = subprocess.run(
        f"openssl x509 -in {path} -noout -enddate".split(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    expected = ssl.cert_time_to_seconds(line.strip().removeprefix("notAfter="))

    assert certificate_expiry(ssl.PEM_cert_to_DER_cert(path.read_text())) == expected


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x03\x30\x01", b"\x30\x80" * 9, b"x" * 90]
)
def test_what_is_not_a_certificate_has_no_expiry(data: bytes) -> None:
    assert certificate_expiry(data) is None


def test_certificates_are_verified_unless_the_plan_is_insecure() -> None:
    usual = tls_context(insecure=False, ca_file="")
    insecure = tls_context(insecure=True, ca_file="")

    assert (usual.verify_mode, usual.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (insecure.verify_mode, insecure.check_hostname) == (ssl.CERT_NONE, False)


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")

    with pytest.raises(OSError):
        tls_context(insecure=False, ca_file=str(tmp_path / "ca.pem"))
