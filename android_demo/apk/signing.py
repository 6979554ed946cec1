"""The signature: of a debug build by a key that is made on the spot and means nothing, except to the next install."""

import os
from dataclasses import dataclass
from pathlib import Path

from .errors import ApkError
from .tool import run

# As for Android's own debug keys, the password is no secret.
_PASSWORD = "android"
_ALIAS = "fauxlens-debug"


@dataclass(frozen=True)
class Key:
    """A key in a keystore; `password` opens both, as apksigner takes it (pass:WORD, env:NAME, file:PATH)."""

    keystore: Path
    alias: str
    password: str


def own_key(keystore: Path, alias: str) -> Key:
    """The user's key; its password stands in FAUXLENS_KEY_PASSWORD. Raises ApkError where one of these is absent."""
    if not keystore.is_file():
        raise ApkError(f"There is no keystore {keystore}; make one with keytool, or name another.")
    if not os.environ.get("FAUXLENS_KEY_PASSWORD"):
        raise ApkError("The keystore's password is not known; put it into the variable FAUXLENS_KEY_PASSWORD.")
    return Key(keystore, alias, "env:FAUXLENS_KEY_PASSWORD")


def sign(unsigned: Path, signed: Path, key: Key) -> None:
    """Sign an APK by the schemes 1 to 3 and check it. Raises ApkError."""
    command: list[str | Path] = ["apksigner", "sign", "--ks", key.keystore, "--ks-key-alias", key.alias]
    command += ["--ks-pass", key.password, "--v1-signer-name", "CERT", "--v4-signing-enabled", "false"]
    for scheme in (1, 2, 3):
        command += [f"--v{scheme}-signing-enabled", "true"]
    temporary = signed.with_name(f".{signed.name}.part")
    try:
        run([*command, "--out", temporary, unsigned])
        run(["apksigner", "verify", temporary])
        temporary.replace(signed)
    finally:
        temporary.unlink(missing_ok=True)


def debug_key() -> Key:
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
    return Key(key, _ALIAS, f"pass:{_PASSWORD}")
