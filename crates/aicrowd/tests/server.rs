//! A local server with any response, well-formed or not, that records its requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::patience::PATIENCE;

/// A recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Including the query.
    pub(crate) path: String,
    /// With names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// A connection for the response.
pub(crate) trait Connection: Read + Write + Send {}

impl<T: Read + Write + Send> Connection for T {}

type RespondFn = dyn Fn(&Request, &mut dyn Write) + Send + Sync;
type Wrap = dyn Fn(TcpStream) -> Box<dyn Connection> + Send + Sync;

pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves until the test ends; each connection has one request.
    pub(crate) fn new(answer: impl Fn(&Request, &mut dyn Write) + Send + Sync + 'static) -> Server {
        Server::wrapped(answer, |stream| Box::new(stream))
    }

    pub(crate) fn wrapped(
        answer: impl Fn(&Request, &mut dyn Write) + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> Box<dyn Connection> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, wrap): (Arc<RespondFn>, Arc<Wrap>) = (Arc::new(answer), Arc::new(wrap));
        let noted = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, wrap, noted) = (Arc::clone(&answer), Arc::clone(&wrap), Arc::clone(&noted));
                thread::spawn(move || serve(wrap(stream.unwrap()), &*answer, &noted));
            }
        });
        Server { port, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests as `GET /path`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

fn serve(connection: Box<dyn Connection>, answer: &RespondFn, noted: &Mutex<Vec<Request>>) {
    let mut connection = BufReader::new(connection);
    let Some(request) = read(&mut connection) else { return };
    noted.lock().unwrap().push(request.clone());
    answer(&request, connection.get_mut());
    let _ = connection.get_mut().flush();
}

fn read(input: &mut impl BufRead) -> Option<Request> {
    let mut line = || {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|n| *n > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}

/// Writes a well-formed response.
pub(crate) fn reply(out: &mut dyn Write, status: u16, headers: &[(&str, &str)], body: &[u8]) {
    head(out, status, headers, Some(body.len()));
    let _ = out.write_all(body);
}

/// Writes the head of a response, with any length.
pub(crate) fn head(out: &mut dyn Write, status: u16, headers: &[(&str, &str)], length: Option<usize>) {
    let mut text = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some(length) = length {
        text += &format!("Content-Length: {length}\r\n");
    }
    let _ = out.write_all((text + "\r\n").as_bytes());
}

/// Sends nothing for as long as any test waits.
pub(crate) fn hush() {
    thread::sleep(PATIENCE);
}
