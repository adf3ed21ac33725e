//! A server with small models, and a client that can also misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use headsmith_heads::HEADS;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_metrics::ConformalSets;
use headsmith_metrics::conformal;
use headsmith_model::{FeatureStatistics, Model, Node, Record};
use headsmith_server::{Handle, ModelFile, Options, Server};
use serde_json::Value;

/// How long a client waits: longer than any machine is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A body of one row.
pub(crate) const ROW: &str = r#"{"embeddings": [[0, 0, 0, 0]]}"#;

pub(crate) const CLASSES: [&str; 3] = ["calm", "sea \"state\"", "wild \u{1f642}"];

/// A linear model of four features and three classes, with prediction sets and statistics; `shift` makes it another one.
pub(crate) fn model(shift: f32) -> Model {
    let mut tensors = Tensors::new();
    let coef = (0..12).map(|i| ((i * 37 % 23) as f32 - 11.0) / 8.0).collect();
    tensors.insert("coef", &[3, 4], Values::F32(coef));
    tensors.insert("intercept", &[3], Values::F32(vec![shift, 0.25, 0.0]));
    let head = HEADS.iter().find(|head| head.name() == "linear").unwrap();
    let node = Node::Head(head.restore(serde_json::Map::new(), tensors).unwrap());
    let features = FeatureStatistics {
        min: vec![-1.0; 4],
        max: vec![1.0; 4],
        mean: vec![0.0; 4],
        std: vec![0.5, 0.5, 0.5, 0.0],
    };
    let record = Record { features: Some(features), ..Record::default() };
    let sets = ConformalSets::new(conformal::Options::new(0.9).unwrap(), vec![0.2; 3]).unwrap();
    Model::new(CLASSES.map(str::to_owned).to_vec(), node, record).unwrap().with_sets(sets).unwrap()
}

/// A server that runs until it is dropped, and the folder of its models.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) folder: tempfile::TempDir,
    thread: Option<JoinHandle<()>>,
}

impl World {
    /// A server of one model, `m`.
    pub(crate) fn new() -> World {
        World::with(|_, _| ())
    }

    /// The same with other options; `change` also gets the folder of the models.
    pub(crate) fn with(change: impl FnOnce(&mut Options, &Path)) -> World {
        World::with_log(std::io::sink(), change)
    }

    /// The same with a log that goes to `out`.
    pub(crate) fn with_log(
        out: impl Write + Send + 'static,
        change: impl FnOnce(&mut Options, &Path),
    ) -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        write(&path, &model(0.5));
        let mut options = Options::new(file("m", &path));
        options.n_threads = 2;
        change(&mut options, folder.path());
        let server = Server::bind(options).unwrap();
        let (address, handle) = (server.address().unwrap(), server.handle());
        let thread = std::thread::spawn(move || server.run_with_log(out).unwrap());
        World { address, handle, folder, thread: Some(thread) }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The answer to one request on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.client().ask(method, path, headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask("POST", path, &[], body.as_ref())
    }

    /// Whether a sound request is answered as ever.
    pub(crate) fn is_well(&self) -> bool {
        self.post("/predict", ROW).status == 200
    }

    /// Waits until the metrics have a line.
    pub(crate) fn wait_for(&self, line: &str) {
        while !self.get("/metrics").text().lines().any(|found| found == line) {
            std::thread::yield_now();
        }
    }

    /// Ends the server and waits until it has ended.
    pub(crate) fn end(mut self) {
        self.handle.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn file(name: &str, path: &Path) -> ModelFile {
    ModelFile::new(name, PathBuf::from(path)).unwrap()
}

pub(crate) fn write(path: &Path, model: &Model) {
    std::fs::write(path, model.to_bytes().unwrap()).unwrap();
}

/// A connection.
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
}

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    /// Sends bytes, as far as the server takes them.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends a request with a sound Host and length, unless `headers` have others.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let has = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        if !has("host") {
            text.push_str("host: localhost\r\n");
        }
        if !has("content-length") && !has("transfer-encoding") && !body.is_empty() {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        text.push_str("\r\n");
        self.send(&[text.as_bytes(), body].concat());
        self.answer_to(method).expect("an answer")
    }

    /// Sends a request of one row, and does not wait.
    pub(crate) fn send_row(&mut self) {
        let length = ROW.len();
        self.send(
            format!("POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{ROW}")
                .as_bytes(),
        );
    }

    /// The next answer; `None` when the server closed the connection without one.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        self.answer_to("GET")
    }

    fn answer_to(&mut self, method: &str) -> Option<Answer> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.stream.read_line(&mut line) {
                Ok(n) if n > 0 => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("no answer in {PATIENCE:?}")
                }
                _ => return None,
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &String| {
            line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        };
        let headers: Vec<(String, String)> = lines[1..].iter().filter_map(header).collect();
        let length =
            headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
        // An answer to HEAD has the length of the body that it has not.
        let mut body = vec![0; if method == "HEAD" { 0 } else { length }];
        self.stream.read_exact(&mut body).ok()?;
        Some(Answer { status, headers, body })
    }

    /// Whether the server has closed the connection; waits for it.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}
