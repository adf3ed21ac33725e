//! Times as in Optuna's schema: UTC without a zone, to the microsecond.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::error::{Error, Kind, Result};

/// The clock for the times at which trials begin and end.
pub type Clock = fn() -> Timestamp;

/// `YYYY-MM-DD HH:MM:SS.ffffff`.
pub(super) fn format(time: Timestamp) -> String {
    let t = TimeZone::UTC.to_datetime(time);
    let micros = t.subsec_nanosecond() / 1000;
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{micros:06}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Reads a time in this format; the fraction may be missing.
pub(super) fn parse(text: &str) -> Result<Timestamp> {
    let wrong = |cause| {
        let message = format!("the study database has an invalid time: {text:?}");
        Error::caused(Kind::Storage, message, cause)
    };
    let time: DateTime = text.parse().map_err(wrong)?;
    TimeZone::UTC.to_timestamp(time).map_err(wrong)
}

/// The same time, truncated to microseconds as in the databases.
pub(super) fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_microseconds() {
        let time = Timestamp::from_microsecond(1_764_000_000_000_042).unwrap();
        assert_eq!(format(time), "2025-11-24 16:00:00.000042");
        assert_eq!(parse("2025-11-24 16:00:00.000042").unwrap(), time);
        assert_eq!(parse("2025-11-24 16:00:00").unwrap().as_microsecond(), 1_764_000_000_000_000);
        assert!(parse("yesterday").is_err());
    }
}
