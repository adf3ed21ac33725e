//! The identity of a trial's worker, by which other processes know whether it still runs.

use std::fs;

/// A process: its boot, its PID namespace, its PID, and its start time. The start time distinguishes it from an
/// earlier process with the same PID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    token: String,
}

/// The token of a worker that released its trial.
pub(crate) const NOBODY: &str = "nobody";

impl Identity {
    /// The calling process.
    pub fn mine() -> Identity {
        let pid = std::process::id();
        let token = match (pid_namespace(), start_of(pid)) {
            (Some(pid_namespace), Some(start)) => format!("{pid_namespace}/{pid}/{start}"),
            // Without /proc only heartbeats show that a worker has ended; the time makes this token unique.
            _ => format!("elsewhere/{pid}/{:?}", std::time::SystemTime::now()),
        };
        Identity { token }
    }

    /// The token that is stored with the trial.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether the worker with this token has certainly ended: it released the trial, or it was a process of this
    /// machine that no longer exists. Returns `false` for workers on other machines.
    pub fn is_gone(token: &str) -> bool {
        if token == NOBODY {
            return true;
        }
        let mut parts = token.rsplitn(3, '/');
        let (Some(start), Some(pid), Some(its_namespace)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        pid_namespace().is_some_and(|pid_namespace| pid_namespace == its_namespace)
            && sees_all()
            && pid.parse().ok().and_then(start_of).as_deref() != Some(start)
    }
}

/// Whether the processes of all users can be seen: where `/proc` hides them, one that is not there may be another user's.
fn sees_all() -> bool {
    fs::read_to_string("/proc/1/stat").is_ok()
}

/// The boot ID and the PID namespace: each container has its own.
fn pid_namespace() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let pid_namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), pid_namespace.to_str()?))
}

/// The start time of a process, in ticks since the boot; `None` if it does not exist. A zombie counts as ended.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses; it may contain spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_or_remote_worker_is_not_gone() {
        let me = Identity::mine();
        assert!(!Identity::is_gone(me.token()));
        assert!(!Identity::is_gone("another-boot/pid:[1]/1/1"));
        assert!(!Identity::is_gone("what Python wrote"));
        assert!(Identity::is_gone(NOBODY));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_dead_worker_and_a_reused_pid_are_gone() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let token = format!("{}/{}/{}", pid_namespace().unwrap(), child.id(), start_of(child.id()).unwrap());
        assert!(!Identity::is_gone(&token));
        let before = format!("{}/{}/1", pid_namespace().unwrap(), child.id());
        assert!(Identity::is_gone(&before));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Identity::is_gone(&token));
    }
}
