//! Patterns of file names, as Python's `fnmatch` reads them: `*`, `?`, `[seq]`, `[!seq]`.

/// Whether all of `text` is what `pattern` describes. Case counts.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go back to: behind the last star, with one more character given to it. One place is enough, for a
    // later star can take up all that an earlier one could; so time is at most the product of the lengths.
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            back = Some((p + 1, t));
            p += 1;
        } else if let Some(next) = one(&pattern, p, text[t]) {
            (p, t) = (next, t + 1);
        } else if let Some((star, taken)) = back {
            back = Some((star, taken + 1));
            (p, t) = (star, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// The place behind the element at `p`, if that element matches `c`.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match *pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => match set(pattern, p) {
            Some((end, found)) => found(c).then_some(end),
            None => (c == '[').then_some(p + 1),
        },
        literal => (literal == c).then_some(p + 1),
    }
}

/// The set that begins at `p` and the place behind it; nothing when it does not end, and `[` stands for itself.
fn set(pattern: &[char], p: usize) -> Option<(usize, impl Fn(char) -> bool)> {
    let negated = pattern.get(p + 1) == Some(&'!');
    let first = p + 1 + usize::from(negated);
    // A bracket that comes first is one of the set.
    let end = first + 1 + pattern.get(first + 1..)?.iter().position(|&c| c == ']')?;
    let members = pattern[first..end].to_vec();
    Some((end + 1, move |c| is_member(&members, c) != negated))
}

fn is_member(members: &[char], c: char) -> bool {
    let mut i = 0;
    while i < members.len() {
        if let (Some('-'), Some(&high)) = (members.get(i + 1), members.get(i + 2)) {
            if members[i] <= c && c <= high {
                return true;
            }
            i += 3;
        } else if members[i] == c {
            return true;
        } else {
            i += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_has_it() {
        // Each was asked of Python: fnmatch.fnmatchcase(text, pattern).
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
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches(
            &"*a".repeat(50),
            &"a".repeat(2000).replace("aa", "ab").repeat(2).replace('a', "b")
        ));
    }
}
