//! Did you mean: the nearest of some names.

/// The candidate nearest to `name` by edits of single characters, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.trim().to_lowercase();
    let distances =
        candidates.into_iter().map(|candidate| (edits(&folded, &candidate.to_lowercase()), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let len = folded.chars().count();
    (distance * 3 <= len.max(3) && distance < len).then_some(candidate)
}

/// The Levenshtein distance: insertions, deletions and replacements of characters that make `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    // Far longer than any name one mistypes; keeps hostile labels cheap.
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, d) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["positive", "negative", "neutral"];
        assert_eq!(nearest("positve", names), Some("positive"));
        assert_eq!(nearest("Neutrall", names), Some("neutral"));
        assert_eq!(nearest("angry", names), None);
        assert_eq!(nearest("c", ["a", "b"]), None);
        assert_eq!((edits("kitten", "sitting"), edits("", "abc"), edits("abc", "abc")), (3, 3, 0));
    }
}
