//! Who works on a trial, so that others can tell whether it still does.

use std::fs;

/// A process: the running system and the room of process numbers it is in, its number, and when it was started, so that
/// a number given again is not taken for the process that had it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    token: String,
}

/// What stands in the place of a worker that gave its trial back.
pub(crate) const NOBODY: &str = "nobody";

impl Identity {
    /// The process that asks.
    pub fn mine() -> Identity {
        let pid = std::process::id();
        let token = match (room(), start_of(pid)) {
            (Some(room), Some(start)) => format!("{room}/{pid}/{start}"),
            // Where the system does not say, only heartbeats tell who is gone; no two such workers are the same.
            _ => format!("elsewhere/{pid}/{:?}", std::time::SystemTime::now()),
        };
        Identity { token }
    }

    /// The text that stands in the storage.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether the worker of this text has certainly ended: it gave the trial back, or it was a process of this system
    /// that is not there any more. Of other systems nothing is known.
    pub fn is_gone(token: &str) -> bool {
        if token == NOBODY {
            return true;
        }
        let mut parts = token.rsplitn(3, '/');
        let (Some(start), Some(pid), Some(its_room)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        room().is_some_and(|room| room == its_room)
            && pid.parse().ok().and_then(start_of).as_deref() != Some(start)
    }
}

/// The boot of the system and the room of its process numbers: containers of one machine have rooms of their own.
fn room() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let room = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), room.to_str()?))
}

/// When the process was started, in ticks since the boot; `None` when there is none. A process that has ended and is
/// not yet buried does no work.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
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
    fn who_lives_is_not_gone_and_who_was_somewhere_else_is_not_known() {
        let me = Identity::mine();
        assert!(!Identity::is_gone(me.token()));
        assert!(!Identity::is_gone("another-boot/pid:[1]/1/1"));
        assert!(!Identity::is_gone("what Python wrote"));
        assert!(Identity::is_gone(NOBODY));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_has_ended_is_gone_and_so_is_who_had_the_number_before() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let token = format!("{}/{}/{}", room().unwrap(), child.id(), start_of(child.id()).unwrap());
        assert!(!Identity::is_gone(&token));
        let before = format!("{}/{}/1", room().unwrap(), child.id());
        assert!(Identity::is_gone(&before));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Identity::is_gone(&token));
    }
}
