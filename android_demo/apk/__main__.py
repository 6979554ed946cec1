"""`python3 -m android_demo.apk`: makes the APK without Google's tools. Needs the standard library only."""

import argparse
import sys
from pathlib import Path

from .errors import ApkError
from .older_java import write_for_java_17
from .packaging import build
from .repository import LOCK, write_maven_lock
from .resources import make_resources
from .signing import own_key


def main() -> int:
    """Do what the command line says; 0 if it is done, 2 with a sentence if it cannot be."""
    parser = argparse.ArgumentParser(prog="python3 -m android_demo.apk", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    resources = verbs.add_parser("resources", help="R.java and linked resources; Maven's build calls this")
    resources.add_argument("android_jar", type=Path, help="Robolectric's android-all")
    older = verbs.add_parser(
        "older-java", help="a platform's classes for the tests on Java 17; Maven's build calls this"
    )
    older.add_argument("source", type=Path, help="Robolectric's instrumented android-all")
    older.add_argument("target", type=Path, help="where the tests look for it")
    locked = verbs.add_parser("lock", help="write maven.lock anew; look at what differs before you commit it")
    locked.add_argument("--repository", type=Path, default=Path.home() / ".m2" / "repository", help="Maven's local one")
    whole = verbs.add_parser("build", help="let Maven compile, then make the APK")
    for verb in (resources, whole):
        verb.add_argument("--assets", default="", help="the folder of bundle.zip, if not the app's own")
    whole.add_argument("--keystore", type=Path, help="make a release APK, signed with a key of yours")
    whole.add_argument("--key-alias", default="fauxlens", help="the name of that key in the keystore")
    arguments = parser.parse_args()
    assets = Path(arguments.assets) if getattr(arguments, "assets", "") else None
    try:
        if arguments.verb == "resources":
            make_resources(arguments.android_jar, assets)
        elif arguments.verb == "older-java":
            write_for_java_17(arguments.source, arguments.target)
        elif arguments.verb == "lock":
            print(f"{LOCK}: {write_maven_lock(arguments.repository)} files.")
        else:
            key = own_key(arguments.keystore, arguments.key_alias) if arguments.keystore else None
            apk = build(assets, key)
            whose = "your key" if key else "a debug key"
            print(f"{apk}: {apk.stat().st_size / 1e6:.1f} MB, signed with {whose}; install it with `adb install`.")
    except ApkError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
