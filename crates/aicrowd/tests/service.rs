//! A simulated service, and clients for it.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use headsmith_aicrowd::{ApiKey, Client, Dataset, Event, Hosts, Limits};

use crate::patience::PATIENCE;
use crate::server::{Request, Server, reply};

pub(crate) const KEY: &str = "k3y-0123456789";

/// Limits that no response reaches, with short waits between attempts.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: PATIENCE,
        silence: PATIENCE,
        call: PATIENCE,
        attempts: 3,
        backoff: Duration::from_millis(5),
    }
}

/// Limits that a silent server reaches after `limit`.
pub(crate) fn hasty(limit: Duration) -> Limits {
    Limits { silence: limit, call: limit, ..limits() }
}

/// A client with the key; one server plays all three hosts.
pub(crate) fn client(server: &Server) -> Client {
    client_within(server, limits())
}

/// The same with given limits.
pub(crate) fn client_within(server: &Server, limits: Limits) -> Client {
    new_client(&server.url(), &server.url(), limits)
}

pub(crate) fn client_of(api: &str, datasets: &str) -> Client {
    new_client(api, datasets, limits())
}

fn new_client(api: &str, datasets: &str, limits: Limits) -> Client {
    let hosts = Hosts { api: api.to_owned(), rails: api.to_owned(), datasets: datasets.to_owned() };
    Client::new(hosts, limits, None).unwrap().with_key(ApiKey::new(KEY).unwrap())
}

/// A service that answers with `first`, or correctly if that returns false.
pub(crate) fn service(first: impl Fn(&Request, &mut dyn Write) -> bool + Send + Sync + 'static) -> Server {
    let url: Arc<OnceLock<String>> = Arc::default();
    let own = Arc::clone(&url);
    let server = Server::new(move |request, out| {
        if !first(request, out) {
            answer(request, out, own.get().unwrap());
        }
    });
    url.set(server.url()).unwrap();
    server
}

fn answer(request: &Request, out: &mut dyn Write, url: &str) {
    let json = |out: &mut dyn Write, text: &str| {
        reply(out, 200, &[("Content-Type", "application/json")], text.as_bytes())
    };
    let keyed = request.header("authorization") == Some(&format!("Token {KEY}"));
    let path = request.path.as_str();
    if path == "/upload" {
        return reply(out, 204, &[], b"");
    }
    if !keyed {
        return reply(out, 401, &[], b"{\"message\": \"no key\"}");
    }
    match (request.method.as_str(), path) {
        ("GET", "/api/v1/api_user") => json(out, "{\"id\": 42}"),
        ("GET", "/challenges/?slug=faces" | "/challenges/?id=7") => {
            json(out, "[{\"id\": 7, \"slug\": \"faces\"}]")
        }
        ("GET", "/challenges/?slug=none") => json(out, "[]"),
        ("GET", "/challenges/7/participant?participant_id=42") => json(out, "{\"registered\": true}"),
        ("GET", "/challenges/7/dataset") => json(
            out,
            &format!(
                "[{{\"title\": \"train.csv\", \"description\": \"to learn\", \"external_file_size\": \"9\", \
                 \"external_url\": \"{url}/files/train.csv?sig=s\"}}]"
            ),
        ),
        ("GET", "/files/train.csv?sig=s") => reply(out, 200, &[], b"a,b\n1,2\n\n"),
        ("GET", "/api/v1/submissions?challenge_id=faces" | "/api/v1/submissions?challenge_id=meta") => json(
            out,
            &format!(
                "{{\"success\": true, \"data\": {{\"url\": \"{url}/upload\", \"fields\": {{\"policy\": \"p\", \
                 \"key\": \"sub/${{filename}}\", \"sig\": \"s\"}}}}}}"
            ),
        ),
        ("POST", "/api/v1/submissions") => {
            json(out, "{\"success\": true, \"data\": {\"submission_id\": 1234}}")
        }
        _ => reply(out, 404, &[], b"{}"),
    }
}

/// A file at `url`.
pub(crate) fn dataset(url: String) -> Dataset {
    Dataset { title: "a file".to_owned(), description: String::new(), size: None, url }
}

/// Records the events as text.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

impl Log {
    pub(crate) fn see(&self, event: &Event<'_>) {
        if !matches!(event, Event::Advanced { .. }) {
            self.0.lock().unwrap().push(format!("{event:?}"));
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}
