//! Patterns of file names with the syntax of Python's `fnmatch`: `*`, `?`, `[seq]`, `[!seq]`.

use glob::Pattern;

/// Whether the whole of `text` matches `pattern`. Case matters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    compile(pattern).is_some_and(|pattern| pattern.matches(text))
}

/// Escapes the syntax that only path patterns have: in `fnmatch`, `**` is `*`, and an unclosed `[` is literal.
fn compile(pattern: &str) -> Option<Pattern> {
    let mut pattern = pattern.to_owned();
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    let unclosed = match Pattern::new(&pattern) {
        Ok(pattern) => return Some(pattern),
        Err(error) => pattern.char_indices().nth(error.pos)?.0,
    };
    let (closed, open) = pattern.split_at(unclosed);
    Pattern::new(&format!("{closed}{}", open.replace('[', "[[]"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_has_it() {
        // The expected values are those of Python's fnmatch.fnmatchcase(text, pattern).
        for (pattern, text, expected) in [
            ("*train*", "my_train.csv", true),
            ("*.csv", "train.csv", true),
            ("*.csv", "train.csv.zip", false),
            ("train?csv", "train.csv", true),
            ("[tv]*", "val.csv", true),
            ("[!tv]*", "val.csv", false),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("Train", "train", false),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c*", "xxaxxcxxbxx", false),
            ("[a-]", "-", true),
            ("**.csv", "a.csv", true),
            ("a/**", "a/b/c", true),
            ("[a]x[b[", "ax[b[", true),
            ("[!]x", "[!]x", true),
            ("[c-a]", "b", false),
            ("*é[", "né[", true),
            ("{a,b}\\\\", "{a,b}\\\\", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches(
            &"*a".repeat(50),
            &"a".repeat(2000).replace("aa", "ab").repeat(2).replace('a', "b")
        ));
    }
}
