"""From Maven's output to a signed APK."""

import zipfile
from pathlib import Path

from . import layout
from .archive import read_archive, write_archive
from .dexing import make_dex
from .errors import ApkError
from .inputs import is_packaged
from .lock import check_lock
from .pages import can_be_laid_out, lay_out
from .repository import check_repository, repository_of
from .resources import copy_bundle, link_release, with_bundle
from .signing import Key, debug_key, sign
from .tool import run

_BUILD = ("mvn", "-f", layout.DEMO, "package", "-Dmaven.test.skip=true")


def build(assets: Path | None, release: Key | None = None) -> Path:
    """Let Maven compile, then put the APK together; its path. `assets` as for make_resources.

    release: a key of the user's own, for an APK that cannot be debugged. Raises ApkError.
    """
    if is_packaged():
        copy_bundle(assets)
        with_bundle(layout.LINKED)
    else:
        run([*_BUILD, *([f"-Dfauxlens.assets={assets.resolve()}"] if assets else [])])
    # Once more: what the last steps needed was fetched after the first look.
    check_repository(repository_of(Path(layout.PLATFORM.read_text(encoding="utf-8").strip())))
    aars = sorted((layout.TFLITE / "aars").glob("*.aar"))
    # Our own two are built from the rest; what an earlier version of them left there is not packed.
    own = {f"{module}-{layout.VERSION_NAME}.jar" for module in ("core", "tflite")}
    older = {path for module in ("core", "tflite") for path in layout.LIBRARIES.glob(f"{module}-*.jar")}
    libraries = sorted(path for path in layout.LIBRARIES.glob("*.jar") if path.name in own or path not in older)
    check_lock([*aars, *(path for path in libraries if path.name not in own)])
    if release:
        link_release()
    linked, apk = (layout.LINKED_RELEASE, layout.RELEASE_APK) if release else (layout.LINKED, layout.APK)
    unsigned = layout.TARGET / "unsigned.apk"
    _assemble(linked, unsigned, make_dex(libraries), aars)
    run(["zipalign", "-c", "-p", "4", unsigned])
    sign(unsigned, apk, release or debug_key())
    return apk


def _assemble(linked: Path, unsigned: Path, dex: list[Path], aars: list[Path]) -> None:
    entries, stored = read_archive(linked)
    entries |= {path.name: path.read_bytes() for path in dex}
    entries |= _resources_of_core()
    entries |= _native_libraries(aars)
    write_archive(unsigned, entries, stored)


def _resources_of_core() -> dict[str, bytes]:
    """What `core` reads beside its classes; R8 gives classes only."""
    with zipfile.ZipFile(layout.LIBRARIES / f"core-{layout.VERSION_NAME}.jar") as jar:
        names = [name for name in jar.namelist() if name.startswith("fauxlens/") and name.endswith(".json")]
        return {name: jar.read(name) for name in names}


def _native_libraries(aars: list[Path]) -> dict[str, bytes]:
    """The libraries of the processors that the app is for, out of the checked packages."""
    libraries = {}
    for aar in aars:
        with zipfile.ZipFile(aar) as package:
            for name in package.namelist():
                folder, _, rest = name.partition("/")
                abi = rest.split("/")[0]
                wanted = abi in layout.ABIS and not (abi == layout.EMULATOR and "-gpu-" in aar.name)
                if folder == "jni" and rest.endswith(".so") and wanted:
                    library = package.read(name)
                    libraries[f"lib/{rest}"] = lay_out(library, rest) if can_be_laid_out(library) else library
    if not libraries:
        raise ApkError(f"{layout.TFLITE} has no native libraries; run `mvn -f android_demo clean` and build again.")
    return dict(sorted(libraries.items()))
