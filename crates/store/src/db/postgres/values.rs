//! Values on their way in and out.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Arguments as _, Column as _, Postgres, Row as _, Type, TypeInfo as _, ValueRef as _};

use crate::sql::Parameter;
use crate::{Error, Value};

/// NULL, with the type left to the server: it knows what the value is compared with or goes into.
struct Untyped;

impl Type<Postgres> for Untyped {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Untyped {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

pub(super) fn arguments(parameters: &[Parameter]) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for parameter in parameters {
        let added = match parameter {
            Parameter::One(Value::Null) => arguments.add(Untyped),
            Parameter::One(Value::Integer(number)) => arguments.add(*number),
            Parameter::One(Value::Real(number)) => arguments.add(*number),
            Parameter::One(Value::Text(text)) => arguments.add(text.as_str()),
            Parameter::One(Value::Blob(bytes)) => arguments.add(bytes.as_slice()),
            Parameter::Integers(numbers) => arguments.add(numbers.as_slice()),
            Parameter::Reals(numbers) => arguments.add(numbers.as_slice()),
            Parameter::Texts(texts) => arguments.add(texts.as_slice()),
            Parameter::Blobs(blobs) => arguments.add(blobs.as_slice()),
        };
        added.map_err(|error| Error::Failed(error.to_string()))?;
    }
    Ok(arguments)
}

pub(super) fn values(row: &PgRow) -> Result<Vec<Value>, Error> {
    row.columns()
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let raw = row.try_get_raw(index).map_err(|error| Error::Failed(error.to_string()))?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            value(&raw, column.type_info().name())
                .map_err(|reason| Error::Column { column: column.name().to_owned(), reason })
        })
        .collect()
}

/// A value in the binary format: prepared statements have no other.
fn value(raw: &PgValueRef<'_>, type_name: &str) -> Result<Value, String> {
    let bytes = raw.as_bytes().map_err(|error| error.to_string())?;
    let damaged = || format!("is a damaged {type_name}");
    let text = || std::str::from_utf8(bytes).map(|text| Value::Text(text.to_owned())).map_err(|_| damaged());
    let number = |number: Option<i64>| number.map(Value::Integer).ok_or_else(damaged);
    match type_name {
        "INT8" => number(bytes.try_into().ok().map(i64::from_be_bytes)),
        "INT4" => number(bytes.try_into().ok().map(|bytes| i64::from(i32::from_be_bytes(bytes)))),
        "INT2" => number(bytes.try_into().ok().map(|bytes| i64::from(i16::from_be_bytes(bytes)))),
        "OID" => number(bytes.try_into().ok().map(|bytes| i64::from(u32::from_be_bytes(bytes)))),
        "BOOL" => number(bytes.first().map(|byte| i64::from(*byte))),
        "FLOAT8" => bytes.try_into().map(|bytes| Value::Real(f64::from_be_bytes(bytes))).map_err(|_| damaged()),
        "FLOAT4" => {
            bytes.try_into().map(|bytes| Value::Real(f64::from(f32::from_be_bytes(bytes)))).map_err(|_| damaged())
        }
        "NUMERIC" => numeric(bytes).ok_or_else(damaged),
        "TEXT" | "VARCHAR" | "CHAR" | "\"CHAR\"" | "NAME" | "UNKNOWN" => text(),
        "BYTEA" => Ok(Value::Blob(bytes.to_vec())),
        "VOID" => Ok(Value::Null),
        _ => Err(format!("is a {type_name}, which the portal's tables do not have")),
    }
}

/// What `sum` and `avg` of whole numbers are there: four shorts (how many digits, the first one's weight, sign, scale),
/// then digits to the base 10,000. A whole one that fits is a whole number, as on SQLite.
fn numeric(bytes: &[u8]) -> Option<Value> {
    const NEGATIVE: i16 = 0x4000;
    let mut shorts = bytes.chunks_exact(2).map(|pair| pair.try_into().map(i16::from_be_bytes).unwrap_or_default());
    let (count, weight, sign) = (shorts.next()?, shorts.next()?, shorts.next()?);
    let scale = shorts.next()?;
    if sign != 0 && sign != NEGATIVE {
        // Infinite, or no number at all.
        return Some(Value::Real(f64::NAN));
    }
    let digits: Vec<i16> = shorts.collect();
    if digits.len() != usize::try_from(count).ok()? {
        return None;
    }
    let digit = |place: i16| {
        let index = i32::from(weight) - i32::from(place);
        usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let negative = sign == NEGATIVE;
    if scale == 0 && weight < 5 {
        let mut whole: i128 = 0;
        for place in (0..=weight.max(0)).rev() {
            whole = whole * 10_000 + i128::from(digit(place));
        }
        if let Ok(whole) = i64::try_from(if negative { -whole } else { whole }) {
            return Some(Value::Integer(whole));
        }
    }
    let mut real = 0.0;
    for (index, digit) in digits.iter().enumerate() {
        let place = i32::from(weight) - i32::try_from(index).ok()?;
        real += f64::from(*digit) * 10_000_f64.powi(place);
    }
    Some(Value::Real(if negative { -real } else { real }))
}
