"""The verb `fauxlens web`: a page that evaluates pictures in the browser, served from here or put into a folder."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import OUTPUT_WHOLE_FOLDER
from train.cli.terminal import print_lines, verb
from train.common.errors import DataError, ExportError


@verb(DataError, ExportError)
def web_verb(
    model: Annotated[Path | None, typer.Option(help="A bundle.", show_default="the shipped detector")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Instead of serving, write the site for a web server."),
        OUTPUT_WHOLE_FOLDER,
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Classify pictures on a local web page; pictures are not uploaded."""
    from export.inference.detect_files import detector_path

    bundle = detector_path(model)
    if out is not None:
        from export.web.site import write_site

        print_lines(f"site: {write_site(bundle, out)}")
        return
    import webbrowser

    from export.web.serve import serving, wait_for_interrupt

    with serving(bundle) as page:
        print_lines(page, "Ctrl-C stops it.")
        if open_browser:
            webbrowser.open(page)
        wait_for_interrupt()
