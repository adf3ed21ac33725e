//! Output files are complete, or unchanged.

use headsmith_data::output::write_atomically;
use std::io::{Error, Write};

#[test]
fn a_failure_leaves_only_the_old_file() {
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
fn a_folder_at_the_path_or_a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none/report.json");
    assert!(write_atomically(&missing, |out| out.write_all(b"x")).unwrap_err().is_output());
    assert!(write_atomically(folder.path(), |out| out.write_all(b"x")).unwrap_err().is_output());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A device that is really full: buffered bytes also fail to be written at the end.
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
fn outputs_have_the_mode_of_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
    write_atomically(&ours, |out| out.write_all(b"x")).unwrap();
    std::fs::write(&usual, b"x").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&usual));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::fs::{self, File, Permissions};
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, SystemTime};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn links_are_kept_and_their_targets_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/old"), "old").unwrap();
        symlink("old", at("sub/link")).unwrap();
        symlink("sub/link", at("link")).unwrap();
        symlink("sub/none", at("dangling")).unwrap();
        for (link, file) in [("link", "sub/old"), ("dangling", "sub/none")] {
            write_atomically(&at(link), |out| out.write_all(b"new")).unwrap();
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
            assert!(fs::symlink_metadata(at(file)).unwrap().is_file(), "{file}");
            assert_eq!(fs::read(at(file)).unwrap(), b"new", "{file}");
        }
        assert!(fs::symlink_metadata(at("sub/link")).unwrap().is_symlink());
        symlink("loop", at("loop")).unwrap();
        assert!(write_atomically(&at("loop"), |out| out.write_all(b"x")).unwrap_err().is_output());
    }

    #[test]
    fn a_pipe_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink("pipe", &link).unwrap();
        for path in [&pipe, &link] {
            let reader = {
                let pipe = pipe.clone();
                std::thread::spawn(move || {
                    let mut text = String::new();
                    File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                    text
                })
            };
            write_atomically(path, |out| out.write_all(b"through")).unwrap();
            assert_eq!(reader.join().unwrap(), "through");
            assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_old_file_keeps_its_mode_and_a_read_only_one_is_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        for bits in [0o600, 0o664, 0o755] {
            fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
            write_atomically(&path, |out| out.write_all(b"new")).unwrap();
            assert_eq!((mode(&path), fs::read(&path).unwrap()), (bits, b"new".to_vec()));
        }
        fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
        let error = write_atomically(&path, |out| out.write_all(b"newer")).unwrap_err();
        insta::assert_snapshot!(error.to_string().replace(&folder.path().display().to_string(), "out"));
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o444, b"new".to_vec()));
    }

    #[test]
    fn errors_do_not_show_the_temporary_name() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none/report.json");
        let error = write_atomically(&missing, |out| out.write_all(b"x")).unwrap_err();
        insta::assert_snapshot!(error.to_string().replace(&folder.path().display().to_string(), "out"));
    }

    #[test]
    fn leftovers_of_killed_processes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let left = |name: &str, minutes: u64| {
            let path = folder.path().join(name);
            let file = File::create(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
            path
        };
        let (old, young, other) =
            (left(".headsmith-abc.partial", 70), left(".headsmith-def.partial", 50), left("x.partial", 70));
        write_atomically(&folder.path().join("out"), |out| out.write_all(b"x")).unwrap();
        assert!(!old.exists() && young.exists() && other.exists());
    }
}
