"""The signature of a debug build: by a key that is made on the spot and means nothing, except to the next install."""

import os
from pathlib import Path

from .tool import run

# As for Android's own debug keys, the password is no secret.
_PASSWORD = "android"
_ALIAS = "fauxlens-debug"


def sign(unsigned: Path, signed: Path) -> None:
    """Sign an APK by the schemes 1 to 3 and check it. Raises ApkError."""
    key = _key()
    command: list[str | Path] = ["apksigner", "sign", "--ks", key, "--ks-key-alias", _ALIAS]
    command += ["--ks-pass", f"pass:{_PASSWORD}", "--v1-signer-name", "CERT", "--v4-signing-enabled", "false"]
    for scheme in (1, 2, 3):
        command += [f"--v{scheme}-signing-enabled", "true"]
    temporary = signed.with_name(f".{signed.name}.part")
    try:
        run([*command, "--out", temporary, unsigned])
        run(["apksigner", "verify", temporary])
        temporary.replace(signed)
    finally:
        temporary.unlink(missing_ok=True)


def _key() -> Path:
    """One key a user, in the cache folder, so that a new build installs over the one before."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = cache / "fauxlens" / "android-debug.p12"
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        temporary = key.with_name(f".{key.name}.{os.getpid()}")
        command: list[str | Path] = ["keytool", "-genkeypair", "-keystore", temporary, "-storetype", "PKCS12"]
        command += ["-storepass", _PASSWORD, "-alias", _ALIAS, "-dname", "CN=Fauxlens debug"]
        run([*command, "-keyalg", "RSA", "-keysize", "2048", "-validity", "10000"])
        temporary.replace(key)
    return key
