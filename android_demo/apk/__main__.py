"""`python3 -m android_demo.apk`: makes the debug APK without Google's tools. Needs the standard library only."""

import argparse
import sys
from pathlib import Path

from .errors import ApkError
from .packaging import build
from .resources import make_resources


def main() -> int:
    """Do what the command line says; 0 if it is done, 2 with a sentence if it cannot be."""
    parser = argparse.ArgumentParser(prog="python3 -m android_demo.apk", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    resources = verbs.add_parser("resources", help="R.java and linked resources; Maven's build calls this")
    resources.add_argument("android_jar", type=Path, help="Robolectric's android-all")
    whole = verbs.add_parser("build", help="let Maven compile, then make the APK")
    for verb in (resources, whole):
        verb.add_argument("--assets", default="", help="the folder of bundle.zip, if not the app's own")
    arguments = parser.parse_args()
    assets = Path(arguments.assets) if arguments.assets else None
    try:
        if arguments.verb == "resources":
            make_resources(arguments.android_jar, assets)
        else:
            apk = build(assets)
            print(f"{apk}: {apk.stat().st_size / 1e6:.1f} MB, signed with a debug key; install it with `adb install`.")
    except ApkError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
