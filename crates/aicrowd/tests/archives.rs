//! Archives are unpacked completely or not at all, and only into their folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use headsmith_aicrowd::{Cause, Error, UnpackLimits, unpack};
use zip::write::{SimpleFileOptions, ZipWriter};

/// Writes an archive with these entries; a name that ends with `/` is a folder.
fn archive(folder: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join("a.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn refused(archive: &Path, limits: &UnpackLimits) -> Error {
    let folder = archive.parent().unwrap();
    let error = unpack(archive, &folder.join("to"), limits).unwrap_err();
    assert_eq!((error.cause(), error.cause().exit_status()), (Cause::Archive, 3), "{error}");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name != "a.zip");
    assert!(names.is_empty(), "left behind: {names:?}");
    error
}

#[test]
fn an_archive_replaces_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("old.csv"), "old").unwrap();
    let path = archive(folder.path(), &[("data/train.csv", b"x"), ("data/.hidden", b"y"), ("readme", b"z")]);
    let files = unpack(&path, &to, &UnpackLimits::default()).unwrap();
    assert_eq!(files, [to.join("data/train.csv"), to.join("data/.hidden"), to.join("readme")]);
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), "x");
    assert!(!to.join("old.csv").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn entries_that_would_leave_the_folder_are_refused() {
    for name in [
        "../x",
        "a/../../x",
        "/etc/x",
        "C:/x",
        "a\\..\\x",
        "a//b",
        "..",
        "a/./b",
        "nul",
        "a\u{0}b",
        "x\u{1b}[2J",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        fs::write(&path, stored(name.as_bytes(), b"evil", 0o100_644)).unwrap();
        let error = refused(&path, &UnpackLimits::default());
        assert!(error.to_string().contains("not a safe path"), "{name:?}: {error}");
    }
}

/// A zip archive of one stored entry with any name and mode (APPNOTE 4.3).
fn stored(name: &[u8], content: &[u8], mode: u32) -> Vec<u8> {
    let crc = crc32(content);
    let (n, len) = (name.len() as u16, content.len() as u32);
    let mut common = Vec::new();
    for short in [20u16, 0, 0, 0, 33] {
        common.extend(short.to_le_bytes());
    }
    for long in [crc, len, len] {
        common.extend(long.to_le_bytes());
    }
    common.extend(n.to_le_bytes());
    common.extend(0u16.to_le_bytes());
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&common);
    zip.extend(name);
    zip.extend(content);
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02");
    zip.extend((3u16 << 8 | 20).to_le_bytes());
    zip.extend(&common);
    zip.extend([0; 6]);
    zip.extend((mode << 16).to_le_bytes());
    zip.extend(0u32.to_le_bytes());
    zip.extend(name);
    let size = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0; 2]);
    zip
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn links_and_devices_are_refused() {
    for mode in [0o120_777, 0o020_644, 0o010_644] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        fs::write(&path, stored(b"link", b"/etc/passwd", mode)).unwrap();
        let error = refused(&path, &UnpackLimits::default());
        assert!(error.to_string().contains("a link or a device"), "{error}");
    }
    // The handmade archive is valid: a harmless entry can be unpacked.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, stored(b"plain", b"text", 0o100_644)).unwrap();
    let files = unpack(&path, &folder.path().join("to"), &UnpackLimits::default()).unwrap();
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), "text");
}

#[test]
fn bombs_are_stopped_while_they_unpack() {
    let zeros = vec![0; 1 << 20];
    let limits = UnpackLimits { free_bytes: 1000, ..UnpackLimits::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = archive(folder.path(), &[("a", &zeros)]);
    assert!(refused(&path, &limits).to_string().contains("times its size"));
    assert!(
        unpack(&path, &folder.path().join("to"), &UnpackLimits::default()).is_ok(),
        "zeros alone are no bomb"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = archive(folder.path(), &[("a", b"12345"), ("b", b"12345")]);
    refused(&path, &UnpackLimits { max_bytes: 9, ..UnpackLimits::default() });
    refused(&path, &UnpackLimits { max_entries: 1, ..UnpackLimits::default() });
}

#[test]
fn a_damaged_archive_is_refused_and_the_old_folder_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = archive(folder.path(), &[("a.csv", &b"0123456789".repeat(50))]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[45] ^= 0xff;
    fs::write(&path, &bytes).unwrap();
    refused(&path, &UnpackLimits::default());
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused(&path, &UnpackLimits::default());
    let to = folder.path().join("to");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("old.csv"), "old").unwrap();
    assert!(unpack(&path, &to, &UnpackLimits::default()).is_err());
    assert_eq!(fs::read_to_string(to.join("old.csv")).unwrap(), "old");
}
