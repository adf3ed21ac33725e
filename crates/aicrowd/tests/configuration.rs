//! The configuration file shared with aicrowd-cli.

use std::fs;

use headsmith_aicrowd::{ApiKey, Cause, ConfigFile, Login};

const THEIRS: &str =
    "# mine\nother = [1, 2]\naicrowd_api_key = \"old\"\n\n[gitlab]\nusername = \"ann\"\nextra = true\n";

fn none(_: &str) -> Option<String> {
    None
}

#[test]
fn a_login_preserves_the_rest_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, THEIRS).unwrap();
    let mut config = ConfigFile::read(&path).unwrap();
    assert_eq!(config.key(none).unwrap(), ApiKey::new("old").unwrap());
    config.set(&Login::from(ApiKey::new("new").unwrap()));
    config.write().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), THEIRS.replace("old", "new"));
}

#[cfg(unix)]
#[test]
fn the_file_is_private_and_a_link_is_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.toml"), folder.path().join("a/b/config.toml"));
    fs::write(&real, "").unwrap();
    fs::set_permissions(&real, PermissionsExt::from_mode(0o644)).unwrap();
    let mut config = ConfigFile::read(&link).unwrap();
    config.set(&Login::from(ApiKey::new("new").unwrap()));
    config.write().unwrap();
    assert_eq!((mode(&link), mode(link.parent().unwrap())), (0o600, 0o700));
    fs::remove_file(&link).unwrap();
    symlink(&real, &link).unwrap();
    config.write().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(mode(&real), 0o600);
    assert_eq!(fs::read_to_string(&real).unwrap(), "aicrowd_api_key = \"new\"\n");
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "temporary files are left: {names:?}");
}

#[test]
fn a_damaged_file_is_not_treated_as_empty_and_its_key_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, "a = 1\naicrowd_api_key = \"s3cret\n").unwrap();
    let error = ConfigFile::read(&path).unwrap_err();
    assert_eq!((error.cause(), error.cause().exit_status()), (Cause::Configuration, 6));
    let text = format!("{error} {error:?}");
    assert!(text.contains("line 2: not valid TOML") && !text.contains("s3cret"), "{text}");
}

#[test]
fn the_key_in_the_environment_takes_precedence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let missing = ConfigFile::read(&path).unwrap();
    assert_eq!(missing.key(none).unwrap_err().cause(), Cause::NoKey);
    let env = |name: &str| (name == "AICROWD_API_KEY").then(|| "from-env".to_owned());
    assert_eq!(missing.key(env).unwrap(), ApiKey::new("from-env").unwrap());
    fs::write(&path, "aicrowd_api_key = 5\n").unwrap();
    assert_eq!(ConfigFile::read(&path).unwrap().key(none).unwrap_err().cause(), Cause::Configuration);
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn the_default_path_is_that_of_aicrowd_cli() {
    let home = |name: &str| (name == "HOME").then(|| "/home/ann".to_owned());
    assert_eq!(
        ConfigFile::default_path(home).unwrap().to_str(),
        Some("/home/ann/.config/aicrowd-cli/config.toml")
    );
    let xdg = |_: &str| Some("/x".to_owned());
    assert_eq!(ConfigFile::default_path(xdg).unwrap().to_str(), Some("/x/aicrowd-cli/config.toml"));
    assert_eq!(ConfigFile::default_path(none).unwrap_err().cause(), Cause::Configuration);
}
