//! The requests of a dry run. Nothing is sent, so values from responses are shown in braces.

use crate::client::Client;
use crate::submit::{Submission, payload, submissions};

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Planned {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its address.
    pub url: String,
    /// Whether it includes the key.
    pub with_key: bool,
    /// Its body, described or as JSON.
    pub body: Option<String>,
}

fn get(url: String) -> Planned {
    Planned { method: "GET", url, with_key: true, body: None }
}

/// The requests of a login.
pub fn login(client: &Client, by_browser: bool) -> Vec<Planned> {
    let api = &client.hosts().api;
    let mut planned = Vec::new();
    if by_browser {
        let open = |url: String| Planned { with_key: false, ..get(url) };
        planned.push(open(format!("{api}/auth/initiate")));
        planned.push(open(format!("{api}/auth/{{name}}/details")));
    }
    planned.push(user(client));
    planned
}

/// The requests that list the files of `challenge`.
pub fn datasets(client: &Client, challenge: &str) -> Vec<Planned> {
    vec![
        user(client),
        lookup(client, challenge),
        get(format!("{}/challenges/{{id}}/dataset", client.hosts().api)),
    ]
}

/// The requests that download the files of `challenge`.
pub fn download(client: &Client, challenge: &str) -> Vec<Planned> {
    let mut planned = datasets(client, challenge);
    planned.push(get(format!("{}/{{each file}}", client.hosts().datasets)));
    planned
}

/// The requests that send `submission`.
pub fn submit(client: &Client, challenge: &str, submission: &Submission) -> Vec<Planned> {
    let (field, value) = client.challenge_filter(challenge);
    let slug = if field == "slug" { value } else { "{slug}".to_owned() };
    let url = submissions(client);
    let text =
        payload(&slug, None, &submission.description, &format!("{{key}}/{}", submission.name)).to_string();
    let form = format!(
        "form with the fields of the answer before and the file {} ({} bytes)",
        submission.name, submission.n_bytes
    );
    vec![
        user(client),
        lookup(client, challenge),
        get(format!("{}/challenges/{{id}}/participant?participant_id={{user}}", client.hosts().api)),
        get(format!("{url}?challenge_id={slug}")),
        Planned {
            method: "POST",
            url: "{url of the answer before}".to_owned(),
            with_key: false,
            body: Some(form),
        },
        Planned { method: "POST", url, with_key: true, body: Some(text) },
    ]
}

fn user(client: &Client) -> Planned {
    get(format!("{}/api/v1/api_user", client.hosts().rails))
}

fn lookup(client: &Client, challenge: &str) -> Planned {
    let (field, value) = client.challenge_filter(challenge);
    get(format!("{}/challenges/?{field}={value}", client.hosts().api))
}
