//! Event files.

use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::proto::{Event, EventContent, SessionLog, Summary, Value};
use crate::record;

/// The content of every file's first record.
const VERSION: &str = "brain.Event:2";
/// The status of a session log for the start of a process.
const START: i32 = 1;

/// The machine and the process that write, as parts of the file's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
}

/// An event file that is being written. Every record is written by its own system call: a killed process loses nothing
/// that it wrote, and TensorBoard sees records at once.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Writer {
    /// Creates a new file in `folder`, which is created if missing. A writer never appends to an existing file: its
    /// last record may be incomplete, and readers lose everything after such a record. `now` is in seconds since 1970:
    /// TensorBoard reads the files of a folder in the order of their names, which start with it.
    ///
    /// # Errors
    /// If the file cannot be created or written.
    pub fn create(folder: &Path, origin: &Origin, now: f64) -> io::Result<Writer> {
        create_dir_all(folder)?;
        let (path, file) = new_file(folder, origin, now as u64)?;
        let mut writer = Writer { path, file };
        writer.append(Event {
            wall_time: now,
            step: 0,
            what: Some(EventContent::FileVersion(VERSION.to_owned())),
        })?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Marks `step` and later steps in earlier files of the folder as obsolete: they are about to be
    /// rewritten.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn restart(&mut self, step: i64, now: f64) -> io::Result<()> {
        let log = SessionLog { status: START };
        self.append(Event { wall_time: now, step, what: Some(EventContent::SessionLog(log)) })
    }

    /// Writes a network for the Graphs page, as returned by [`keras::graph_def`](crate::keras::graph_def).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn graph(&mut self, graph_def: Vec<u8>, now: f64) -> io::Result<()> {
        self.append(Event { wall_time: now, step: 0, what: Some(EventContent::GraphDef(graph_def)) })
    }

    /// Writes the values of a step. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, step: i64, now: f64, values: Vec<Value>) -> io::Result<()> {
        self.append(Event { wall_time: now, step, what: Some(EventContent::Summary(Summary { values })) })
    }

    fn append(&mut self, event: Event) -> io::Result<()> {
        self.file.write_all(&record::of(&event))
    }
}

/// Creates a new file, with the next number that no file has.
fn new_file(folder: &Path, origin: &Origin, seconds: u64) -> io::Result<(PathBuf, File)> {
    let mut number = 0u32;
    loop {
        let name =
            format!("events.out.tfevents.{seconds:010}.{}.{}.{number}", host(&origin.host), origin.pid);
        let path = folder.join(name);
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
            made => return Ok((path, made?)),
        }
    }
}

/// A host's name without characters that a file's name must not have.
fn host(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' };
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.chars().take(64).map(plain).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{read, scalar};

    fn origin() -> Origin {
        Origin { host: "a/b.c".to_owned(), pid: 12 }
    }

    #[test]
    fn a_second_writer_in_the_same_second_gets_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("deep/run");
        let names = [0, 1].map(|_| Writer::create(&run, &origin(), 1234.5).unwrap().path);
        let expected = ["0", "1"].map(|n| run.join(format!("events.out.tfevents.0000001234.a-b-c.12.{n}")));
        assert_eq!(names, expected);
    }

    #[test]
    fn every_record_is_in_the_file_when_the_call_returns() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path(), &origin(), 1.0).unwrap();
        writer.restart(3, 2.0).unwrap();
        writer.write(3, 2.5, vec![scalar("a", 0.25), scalar("b", -1.0)]).unwrap();
        let events = read(&std::fs::read(writer.path()).unwrap());
        assert_eq!(events[0].what, Some(EventContent::FileVersion("brain.Event:2".to_owned())));
        assert_eq!(
            (events[1].step, &events[1].what),
            (3, &Some(EventContent::SessionLog(SessionLog { status: 1 })))
        );
        let Some(EventContent::Summary(summary)) = &events[2].what else { panic!("{:?}", events[2]) };
        let values: Vec<_> = summary.values.iter().map(|v| (v.tag.as_str(), v.as_scalar())).collect();
        assert_eq!(values, [("a", Some(0.25)), ("b", Some(-1.0))]);
        assert_eq!((events[2].step, events[2].wall_time), (3, 2.5));
    }
}
