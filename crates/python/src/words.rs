//! The library's messages in the words of Python: they name the command's flags, whose arguments have other names there.

use headsmith::heads::HEADS;

/// The function that was called, as far as arguments of one meaning have several names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Rows in memory: estimators, scores, checks.
    Arrays,
    /// Tables in files: `read` and `tune`.
    Files,
}

/// How an argument is written.
#[derive(Clone, Copy)]
enum Form {
    /// Its name, with a number after it.
    Plain,
    /// A value that is a word.
    Word,
    /// A list of texts.
    List,
    /// A switch, which has this value.
    Switch(&'static str),
}

/// Flags and arguments that no head declares. One whose name differs by its hyphens alone has no name here.
const FLAGS: [(&str, &str, Form); 35] = [
    ("cache", "", Form::Plain),
    ("conformal", "", Form::Plain),
    ("drop", "", Form::List),
    ("embeddings-column", "", Form::Plain),
    ("features", "", Form::List),
    ("folds", "", Form::Plain),
    ("force", "", Form::Switch("True")),
    ("heads", "", Form::List),
    ("hold-back", "", Form::Plain),
    ("jobs", "n_jobs", Form::Plain),
    ("lag", "", Form::Plain),
    ("max-model-size", "", Form::Plain),
    ("max-predict-time", "", Form::Plain),
    ("memory", "", Form::Plain),
    ("metric", "", Form::Plain),
    ("ml-opset", "", Form::Plain),
    ("no-refit", "refit", Form::Switch("False")),
    ("on-bad-row", "", Form::Word),
    ("prefer", "", Form::Plain),
    ("pruner", "", Form::Plain),
    ("random-start", "", Form::Switch("True")),
    ("reduced", "", Form::List),
    ("sampler", "", Form::Plain),
    ("seed", "random_state", Form::Plain),
    ("space", "", Form::Plain),
    ("steps", "", Form::Plain),
    ("storage", "", Form::Plain),
    ("study", "name", Form::Plain),
    ("time", "", Form::Plain),
    ("timeout", "", Form::Plain),
    ("train", "", Form::Plain),
    ("transform", "scale", Form::Plain),
    ("trials", "", Form::Plain),
    ("val-is", "", Form::Word),
    ("head", "", Form::Plain),
];

/// Flags whose argument depends on what is called: its name for arrays, and for files, if it has one there.
const BY_CALLER: [(&str, &str, Option<&str>); 6] = [
    ("group-column", "groups", None),
    ("label-column", "label_column", Some("label_column")),
    ("labels", "y", Some("labels")),
    ("val", "validation_data", Some("val")),
    ("val-share", "validation_fraction", Some("val_share")),
    ("weight-column", "sample_weight", None),
];

/// The same of a message that names the file `path`, whose own name is left as it is.
pub(crate) fn of_python_about(text: &str, path: &str, caller: Caller) -> String {
    let parts: Vec<String> = text.split(path).map(|part| of_python(part, caller)).collect();
    parts.join(path)
}

/// The message with the arguments of Python for flags. Flags that Python has nothing for stay, and so do commands in backticks.
pub(crate) fn of_python(text: &str, caller: Caller) -> String {
    let mut parts = text.split('`');
    let mut result = parts.next().map_or_else(String::new, |part| outside(part, caller));
    for (i, part) in parts.enumerate() {
        result.push('`');
        result += &if i % 2 == 0 { part.to_owned() } else { outside(part, caller) };
    }
    result
}

/// The same of a part without backticks.
fn outside(text: &str, caller: Caller) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, flag) = rest.split_at(at);
        result += before;
        let flag = &flag[2..];
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let end = flag.find(|c| !is_name(c)).unwrap_or(flag.len());
        let (name, after) = flag.split_at(end);
        let begins = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '-');
        match argument(name, caller).filter(|_| begins) {
            None => {
                result += "--";
                result += name;
                rest = after;
            }
            Some((name, form)) => {
                let (written, after) = written(&name, form, after);
                result += &written;
                rest = after;
            }
        }
    }
    result + rest
}

/// The argument of Python for a flag.
fn argument(flag: &str, caller: Caller) -> Option<(String, Form)> {
    let name = flag.replace('-', "_");
    if let Some((_, arrays, files)) = BY_CALLER.iter().find(|(known, ..)| *known == flag) {
        let name = if caller == Caller::Arrays { Some(*arrays) } else { *files };
        return name.map(|name| (name.to_owned(), Form::Plain));
    }
    if let Some((_, other, form)) = FLAGS.iter().find(|(known, ..)| *known == flag) {
        return Some((if other.is_empty() { name } else { (*other).to_owned() }, *form));
    }
    let mut declared = HEADS.iter().flat_map(|head| head.table().params.iter());
    declared.any(|param| param.name == name).then_some((name, Form::Plain))
}

/// An argument with the value after it, if there is one, and the text after both.
fn written<'t>(name: &str, form: Form, after: &'t str) -> (String, &'t str) {
    if let Form::Switch(value) = form {
        return (format!("{name}={value}"), after);
    }
    let Some((value, after_value)) = value(after) else { return (name.to_owned(), after) };
    let is_placeholder = value.chars().all(|c| c.is_ascii_uppercase());
    let is_number = value.parse::<f64>().is_ok();
    match form {
        // A name in quotes after it is the value: this word says what it names, as in `--drop column "a"`.
        Form::List if !after_value.starts_with(" \"") => {
            let values: Vec<String> = value.split(',').map(|value| format!("{value:?}")).collect();
            (format!("{name}=[{}]", values.join(", ")), after_value)
        }
        _ if is_placeholder => (name.to_owned(), after_value),
        Form::Word => (format!("{name}={value:?}"), after_value),
        _ if is_number => (format!("{name}={value}"), after_value),
        _ => (name.to_owned(), after),
    }
}

/// The word after a flag, without quotes, and what comes after it; `None` where there is none.
fn value(after: &str) -> Option<(&str, &str)> {
    let text = after.strip_prefix([' ', '='])?;
    if let Some(quote @ ('\'' | '"')) = text.chars().next() {
        return text[1..].split_once(quote);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let word = text[..end].trim_end_matches([';', ':', ',', '.', ')']);
    (!word.is_empty()).then(|| (word, &text[word.len()..]))
}
