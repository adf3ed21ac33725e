//! Converts cells to and from PostgreSQL's binary protocol.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use jiff::Timestamp;
use postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::cell::Cell;

/// PostgreSQL counts microseconds from the year 2000.
const EPOCH: i64 = 946_684_800_000_000;

type BoxedError = Box<dyn Error + Sync + Send>;

impl ToSql for Cell<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        match self {
            Cell::Null => return Ok(IsNull::Yes),
            Cell::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Cell::Int(number) => i32::try_from(*number)?.to_sql(&Type::INT4, out),
            Cell::Real(number) => number.to_sql(&Type::FLOAT8, out),
            Cell::Text(text) => text.as_ref().to_sql(&Type::TEXT, out),
            Cell::Blob(bytes) => bytes.as_ref().to_sql(&Type::BYTEA, out),
            Cell::Time(time) => (time.as_microsecond() - EPOCH).to_sql(&Type::INT8, out),
        }?;
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Cell<'static> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, BoxedError> {
        Ok(match *ty {
            Type::BOOL => Cell::Int(bool::from_sql(ty, raw)?.into()),
            Type::INT4 => Cell::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Cell::Int(i64::from_sql(ty, raw)?),
            Type::FLOAT8 => Cell::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA => Cell::Blob(Cow::Owned(raw.to_vec())),
            Type::TIMESTAMP => {
                let micros = i64::from_sql(&Type::INT8, raw)?;
                let micros = micros.checked_add(EPOCH).ok_or("a time beyond all calendars")?;
                Cell::Time(Timestamp::from_microsecond(micros)?)
            }
            _ => Cell::Text(Cow::Owned(std::str::from_utf8(raw)?.to_owned())),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxedError> {
        Ok(Cell::Null)
    }

    fn accepts(ty: &Type) -> bool {
        let known = [
            Type::BOOL,
            Type::INT4,
            Type::INT8,
            Type::FLOAT8,
            Type::BYTEA,
            Type::TIMESTAMP,
            Type::TEXT,
            Type::VARCHAR,
            Type::NAME,
        ];
        known.contains(ty) || matches!(ty.kind(), Kind::Enum(_))
    }
}
