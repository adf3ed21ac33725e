//! Output files are whole or as they were.

use headsmith_data::output::write_atomically;
use std::io::{Error, Write};

#[test]
fn a_failure_leaves_the_old_file_whole_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    write_atomically(&path, |out| out.write_all(b"old")).unwrap();
    let full = || Error::from(std::io::ErrorKind::StorageFull);
    let error = write_atomically(&path, |out| out.write_all(&[0; 1 << 20]).and(Err(full()))).unwrap_err();
    assert!(error.is_output() && error.is_io());
    insta::assert_snapshot!(error.to_string().replace(&folder.path().display().to_string(), "out"));
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    write_atomically(&path, |out| out.write_all(b"new")).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_folder_in_the_way_or_none_at_all_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none/report.json");
    assert!(write_atomically(&missing, |out| out.write_all(b"x")).unwrap_err().is_output());
    assert!(write_atomically(folder.path(), |out| out.write_all(b"x")).unwrap_err().is_output());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A device that is really full: what is buffered fails to be written at the end, too.
#[cfg(target_os = "linux")]
#[test]
fn the_last_bytes_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    write_atomically(&path, |out| out.write_all(b"old")).unwrap();
    let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_atomically(&path, |_| full.write_all(b"x")).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
}

#[cfg(unix)]
#[test]
fn outputs_are_readable_as_the_umask_says() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
    write_atomically(&ours, |out| out.write_all(b"x")).unwrap();
    std::fs::write(&usual, b"x").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&usual));
}
