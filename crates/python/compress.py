"""Compresses the files of a wheel anew with Zopfli, which takes minutes and saves 3%: the same format, which pip reads as before.

    target/wheel-env/bin/python crates/python/compress.py WHEEL
"""

import sys
import zipfile
from pathlib import Path

import zopfli


def main():
    path = Path(sys.argv[1])
    small = path.with_suffix(".part")
    with zipfile.ZipFile(path) as wheel, zopfli.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as to:
        for info in wheel.infolist():
            to.writestr(info, wheel.read(info))
    print(f"{path.name}: {path.stat().st_size:,} bytes, compressed anew {small.stat().st_size:,}")
    small.replace(path)


main()
