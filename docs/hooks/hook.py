"""Put the generated pages into the site; MkDocs calls what stands here."""

from pathlib import Path

import command_page
import registry_pages
import spec_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "reference/spec.md": spec_page.page,
    "reference/commands.md": command_page.page,
    "reference/architectures.md": registry_pages.architectures,
    "reference/datasets.md": registry_pages.data,
    "reference/heatmap_methods.md": registry_pages.heatmaps,
    "reference/backends.md": registry_pages.processes,
    "changelog.md": (ROOT / "CHANGELOG.md").read_text,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add each page that is written from the code."""
    for path, write in PAGES.items():
        files.append(File.generated(config, path, content=write()))
    icon = str(ROOT / "webapp" / "assets" / "favicon.ico")
    files.append(File.generated(config, "favicon.ico", abs_src_path=icon))
    return files
