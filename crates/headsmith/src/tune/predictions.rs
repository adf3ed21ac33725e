//! The predictions of a trial for the validation rows, small enough to be kept with the trial: the correction for having
//! chosen the best of many trials needs it of all.

use headsmith_study::Attributes;
use serde_json::Value;

/// The system attribute.
const KEY: &str = "headsmith:predictions";
/// More rows tell no more of the luck of choosing; so many are kept, evenly spread.
const MAX_ROWS: usize = 20_000;

/// Which validation rows are kept.
pub(super) fn rows(n_samples: usize) -> impl ExactSizeIterator<Item = usize> {
    let kept = n_samples.min(MAX_ROWS);
    (0..kept).map(move |i| i * n_samples / kept)
}

/// The decided classes of the rows that are kept, of those of all rows, as a trial's system attribute: a character for each row.
pub(super) fn attribute(classes: &[u32]) -> Attributes {
    let text = rows(classes.len()).map(|row| character(classes[row]));
    match text.collect::<Option<String>>() {
        Some(text) => [(KEY.to_owned(), Value::from(text))].into(),
        None => Attributes::new(),
    }
}

/// A trial's predicted classes for the stored rows; `None` if it has none, or for another number of rows.
pub(super) fn of(attributes: &Attributes, n_samples: usize, n_classes: usize) -> Option<Vec<u16>> {
    let text = attributes.get(KEY)?.as_str()?;
    let classes: Vec<u16> = text.chars().map(class).collect::<Option<_>>()?;
    let fits =
        classes.len() == rows(n_samples).len() && classes.iter().all(|class| usize::from(*class) < n_classes);
    fits.then_some(classes)
}

/// A class as a character that needs no escape in JSON: the classes count up from `0`, without `\`.
fn character(class: u32) -> Option<char> {
    let code = class + u32::from('0');
    char::from_u32(if code >= u32::from('\\') { code + 1 } else { code })
}

fn class(character: char) -> Option<u16> {
    let code = u32::from(character);
    let code = if code > u32::from('\\') { code - 1 } else { code };
    u16::try_from(code.checked_sub(u32::from('0'))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_back_and_what_does_not_fit_is_left_out() {
        for n_classes in [2usize, 3, 44, 45, 50, 300] {
            let attributes = attribute(&(0..n_classes as u32).collect::<Vec<_>>());
            let classes = of(&attributes, n_classes, n_classes).unwrap();
            assert!(classes.iter().enumerate().all(|(i, class)| usize::from(*class) == i));
            assert_eq!(of(&attributes, n_classes + 1, n_classes), None);
            assert_eq!(of(&attributes, n_classes, n_classes - 1), None);
        }
    }

    #[test]
    fn of_many_rows_some_are_kept_evenly() {
        let kept: Vec<usize> = rows(50_000).collect();
        assert_eq!((kept.len(), kept[0], kept[1], kept[19_999]), (20_000, 0, 2, 49_997));
        assert_eq!(rows(7).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    }
}
