//! Numbers and names as they are shown.

use std::fmt::Display;

pub(crate) use headsmith_heads::description::thousands;
use headsmith_metrics::bootstrap::Interval;
use serde_json::Value;

/// A text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What would end a line, steer a terminal or reverse the text around it is shown, not done.
            c if c.is_control() || is_bidirectional(c) => escaped.extend(c.escape_debug()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether a character has no form of its own and changes the direction of others.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text as Markdown shows it: no part of it is markup.
pub(crate) fn markdown(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = escape(text).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = rest.next() {
        // In a word an underscore is no markup.
        let in_word = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if matches!(c, '\\' | '`' | '*' | '[' | ']' | '|') || c == '_' && !in_word {
            marked.push('\\');
        }
        marked.push(c);
        before = c;
    }
    marked
}

/// ` (0.6191 to 0.6612)`; nothing where there is no interval.
pub(crate) fn in_brackets(between: impl Into<Option<Interval>>) -> String {
    between.into().map_or(String::new(), |between| format!(" ({})", interval(between)))
}

/// The first characters of a name, where all of them would not fit.
pub(crate) fn short(name: &str, n_chars: usize) -> String {
    match name.chars().nth(n_chars) {
        None => name.to_owned(),
        Some(_) => name.chars().take(n_chars.saturating_sub(1)).chain(['\u{2026}']).collect(),
    }
}

/// A score: four decimals.
pub(crate) fn score(value: impl Into<Option<f64>>) -> String {
    value.into().map_or("undefined".to_owned(), |value| format!("{value:.4}"))
}

/// A difference of scores with its sign, to four decimals; values that round to 0 have a plus.
pub fn difference(value: f64) -> String {
    let text = format!("{value:+.4}");
    if text == "-0.0000" { "+0.0000".to_owned() } else { text }
}

/// The same with a minus as long as the plus.
pub(crate) fn signed(value: f64) -> String {
    difference(value).replace('-', "\u{2212}")
}

/// A share in per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * share)
}

/// `0.6191 to 0.6612`; nothing where there is no interval.
pub(crate) fn interval(interval: impl Into<Option<Interval>>) -> String {
    interval.into().map_or(String::new(), |Interval { low, high }| format!("{low:.4} to {high:.4}"))
}

/// `1 row`, `2,000 rows`.
pub(crate) fn counted(n: impl Display, what: &str) -> String {
    let n = thousands(n);
    let many = match what.strip_suffix('s') {
        _ if n == "1" => what.to_owned(),
        Some(_) => format!("{what}es"),
        None => format!("{what}s"),
    };
    format!("{n}\u{a0}{many}")
}

/// `a forest`, `an ensemble`.
pub(crate) fn with_article(name: &str) -> String {
    let is_vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    format!("{} {name}", if is_vowel { "an" } else { "a" })
}

/// The text with no line break between a number and the word that it counts.
pub(crate) fn unbroken(text: &str) -> String {
    let mut unbroken = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let counts = unbroken.ends_with(|before: char| before.is_ascii_digit());
        let is_word = letters.peek().is_some_and(|next| next.is_alphabetic());
        unbroken.push(if letter == ' ' && counts && is_word { '\u{a0}' } else { letter });
    }
    unbroken
}

/// With a capital letter at the beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The most classes that are listed one by one.
pub(crate) const MAX_LISTED: usize = 50;

/// The note if not all of `n` classes are listed.
pub(crate) fn of_many(n: usize) -> String {
    if n > MAX_LISTED {
        format!(
            " Listed are the {MAX_LISTED} classes with the most rows; report.json has all {}.",
            thousands(n)
        )
    } else {
        String::new()
    }
}

/// The note if only `n_drawn` of `n` classes are drawn.
pub(crate) fn drawn(n_drawn: usize, n: usize) -> String {
    if n_drawn < n { format!(" Drawn are the {n_drawn} classes with the most rows.") } else { String::new() }
}

/// A time: `0.42 s`, `37 s`, `4 min 10 s`, `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 10.0 => format!("{s:.2}\u{a0}s"),
        s if s < 60.0 => format!("{s:.1}\u{a0}s"),
        s if s < 3600.0 => format!("{}\u{a0}min {}\u{a0}s", whole / 60, whole % 60),
        _ => format!("{}\u{a0}h {}\u{a0}min", whole / 3600, whole % 3600 / 60),
    }
}

/// A short time, such as that of a prediction: `3.2 \u{b5}s`, `140 \u{b5}s`, `2.1 ms`, `0.42 s`.
pub fn short_time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-5 => format!("{:.1}\u{a0}\u{b5}s", 1e6 * s),
        s if s < 1e-3 => format!("{:.0}\u{a0}\u{b5}s", 1e6 * s),
        s if s < 1.0 => format!("{:.1}\u{a0}ms", 1e3 * s),
        s => duration(s),
    }
}

/// Bytes in decimal units with a space that does not break: `512 B`, `34 kB`, `1.2 MB`.
pub fn size(n_bytes: u64) -> String {
    match n_bytes {
        0..1_000 => format!("{n_bytes}\u{a0}B"),
        1_000..1_000_000 => format!("{:.0}\u{a0}kB", n_bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1}\u{a0}MB", n_bytes as f64 / 1e6),
        _ => format!("{:.1}\u{a0}GB", n_bytes as f64 / 1e9),
    }
}

/// A number as short as four figures allow, as people write it.
pub(crate) fn figures(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.fract() == 0.0 && value.abs() < 1e6 {
        return format!("{value:.0}");
    }
    let exponent = value.abs().log10().floor();
    if !(-4.0..6.0).contains(&exponent) {
        let text = format!("{value:.3e}");
        return match text.split_once('e') {
            Some((figures, power)) => {
                format!("{}e{power}", figures.trim_end_matches('0').trim_end_matches('.'))
            }
            None => text,
        };
    }
    let text = format!("{value:.*}", (3.0 - exponent).max(0.0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A value of a parameter.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => figures(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

/// Words in a row: `a, b and c`.
pub(crate) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_write_them() {
        assert_eq!(
            [0.0, 256.0, 0.0012345, 0.5, 1e-7, 123.456].map(figures),
            ["0", "256", "0.001234", "0.5", "1e-7", "123.5"]
        );
        assert_eq!([0, 999, 1_234_567].map(thousands), ["0", "999", "1,234,567"]);
        assert_eq!(
            (counted(1, "class"), counted(3, "class")),
            ("1\u{a0}class".into(), "3\u{a0}classes".into())
        );
        assert_eq!([0.25, -0.00004, -1.0].map(difference), ["+0.2500", "+0.0000", "-1.0000"]);
        assert_eq!([512, 34_400, 1_250_000].map(size), ["512\u{a0}B", "34\u{a0}kB", "1.2\u{a0}MB"]);
        assert_eq!(
            [3.2e-6, 1.4e-4, 2.1e-3].map(short_time),
            ["3.2\u{a0}\u{b5}s", "140\u{a0}\u{b5}s", "2.1\u{a0}ms"]
        );
        assert_eq!(duration(250.4), "4\u{a0}min 10\u{a0}s");
        assert_eq!(
            unbroken("2 features \u{2192} Dense 30: 3 weights"),
            "2\u{a0}features \u{2192} Dense 30: 3\u{a0}weights"
        );
        assert_eq!(["random forest", "elastic net"].map(with_article), ["a random forest", "an elastic net"]);
        assert_eq!(signed(-0.01234), "\u{2212}0.0123");
    }

    #[test]
    fn names_do_nothing() {
        assert_eq!(escape("<b>&\"'\n"), "&lt;b&gt;&amp;&quot;&#39;\\n");
        assert_eq!((short("abcdef", 6), short("abcdefg", 6)), ("abcdef".into(), "abcde\u{2026}".into()));
    }
}
